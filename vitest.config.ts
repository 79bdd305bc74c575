import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Suites that start processes, a browser or the compiler weigh more than two cores carry side by side.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A test that passes at the second try is a race, not a test.
    retry: 0,
    reporters: ["default", "./scripts/closing-reporter.ts"],
  },
});
