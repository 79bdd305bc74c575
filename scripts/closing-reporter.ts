import type { Reporter, TestCase, TestModule } from "vitest/node";
import { cannotRunHere, describeEnvironment, doesNotApply } from "../test/support/environment.ts";

/**
 * Ends a run with what it really ran against, what it left out and why, and one plain line for machines:
 * `N passed, N failed, N skipped`. Where `CI` is set, a test that this machine could have run and that was left out
 * fails the run.
 */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const leftOut = new Map<string, number>();
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      // A file that does not load has no tests, and has failed all the same.
      if (module.errors().length > 0) counts.failed += 1;
      for (const test of tests) {
        const { state } = test.result();
        if (state === "pending") continue;
        counts[state] += 1;
        if (state !== "skipped") continue;
        const reason = `${module.relativeModuleId}: ${reasonOf(test)}`;
        leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
      }
    }

    const lines = ["", ...describeEnvironment()];
    for (const [reason, count] of leftOut) lines.push(`left out: ${reason} (${count})`);
    const refused = [...leftOut.keys()].filter(
      (reason) => ![cannotRunHere, doesNotApply].some((begin) => reason.includes(begin)),
    );
    if (process.env["CI"] !== undefined && refused.length > 0) {
      lines.push("CI is set: a test that this machine could have run was left out.");
      counts.failed += refused.length;
      process.exitCode = 1;
    }
    lines.push(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`, "");
    process.stdout.write(lines.join("\n"));
  }
}

/** The note of `context.skip(note)`; else the innermost title, which should say it. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === "skipped" && result.note !== undefined) return result.note;
  return test.fullName;
}
