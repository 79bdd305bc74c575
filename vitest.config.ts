import { configDefaults, defineConfig } from "vitest/config";

/**
 * What starts no server, no process and no compiler: most of its time would go into loading the same sources anew for each
 * file. The stands of stores begin and end a server with the file that imports them.
 */
const light = [
  "test/property/*.test.ts",
  "test/unit/!(azure*|item-ledger*|ledger*|load-*|mysql*|postgres*|redis*|sql*).test.ts",
];

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: "light", include: light, isolate: false } },
      {
        extends: true,
        test: { name: "apart", include: ["test/**/*.test.ts"], exclude: [...configDefaults.exclude, ...light] },
      },
    ],
    // One more than there are cores where this runs: many tests wait. Suites that start processes, a browser or the
    // compiler weigh more than two cores carry by four.
    pool: "forks",
    maxWorkers: 3,
    // For a machine with other work to do; what a test waits for by itself ends before it.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A test that passes at the second try is a race, not a test.
    retry: 0,
    // postgres.js asks for the types of arrays in a query of its own, whose rejection nobody holds when a test cuts that
    // connection; docs/guarantees.md says so. Any other error that nobody awaits fails the run.
    // That query names it, however the connection ended.
    onUnhandledError: (error) =>
      String((error as { query?: unknown }).query).includes("select b.oid, b.typarray") ? false : undefined,
    reporters: ["default", "./scripts/closing-reporter.ts"],
  },
});
