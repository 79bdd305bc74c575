import { describe, test } from "vitest";
import { type SourceAdapter, sourceSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "./environment.ts";

/** @param missing what this machine lacks for it */
export function sourceCases(adapter: SourceAdapter, missing: string | undefined): void {
  // each has a queue of its own, and most of them wait
  describe.concurrent(`the suite of sources on ${adapter.name}`, () => {
    for (const { name, skip, run } of sourceSuite(adapter)) {
      test(name, async (context) => {
        if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        await run();
      });
    }
  });
}
