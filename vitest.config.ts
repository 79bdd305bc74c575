import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
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
