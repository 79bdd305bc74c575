import { describe, test } from "vitest";
import type { SuiteCase } from "../../src/testing/index.ts";
import { doesNotApply } from "./environment.ts";

/** Declares the cases of a conformance suite as tests. `missing`: the note on what this machine lacks for all of them. */
export function describeSuite(title: string, cases: readonly SuiteCase[], missing?: string): void {
  describe(title, () => {
    for (const { name, skip, run } of cases) {
      test(name, async (context) => {
        if (missing !== undefined) context.skip(missing);
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        await run();
      });
    }
  });
}
