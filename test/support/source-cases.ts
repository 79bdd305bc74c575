import { describe, test } from "vitest";
import { type SourceAdapter, sourceSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "./environment.ts";

/**
 * @param missing what this machine lacks for it
 * @param how `concurrent`: some at the same time, for most of them wait; `at once`: all of them, for they do little else
 */
export function sourceCases(
  adapter: SourceAdapter,
  missing: string | undefined,
  how: "one by one" | "concurrent" | "at once" = "one by one",
): void {
  const cases = sourceSuite(adapter);
  const begun = new Map<string, Promise<void>>();
  const beginAll = () => {
    for (const { name, skip, run } of cases) {
      if (skip !== null || begun.has(name)) continue;
      const running = run();
      running.catch(() => {});
      begun.set(name, running);
    }
  };
  describe(`the suite of sources on ${adapter.name}`, { concurrent: how === "concurrent" }, () => {
    for (const { name, skip, run } of cases) {
      test(name, async (context) => {
        if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        if (how === "at once") beginAll();
        await (begun.get(name) ?? run());
      });
    }
  });
}
