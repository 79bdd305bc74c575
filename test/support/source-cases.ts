import { describe, test } from "vitest";
import { type SourceAdapter, sourceSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "./environment.ts";

export interface SourceCasesOptions {
  /** At the same time: most of them wait for their broker. */
  readonly concurrent?: boolean;
}

/** @param missing what this machine lacks for it */
export function sourceCases(
  adapter: SourceAdapter,
  missing: string | undefined,
  { concurrent = false }: SourceCasesOptions = {},
): void {
  describe(`the suite of sources on ${adapter.name}`, { concurrent }, () => {
    for (const { name, skip, run } of sourceSuite(adapter)) {
      test(name, async (context) => {
        if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        await run();
      });
    }
  });
}
