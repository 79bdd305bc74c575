import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cannotRunHere } from "../support/environment.ts";
import { postgresVersion } from "../support/postgres.ts";
import { postgresLoadStage } from "./load-postgres.ts";
import { racingScenarios } from "./load-races.ts";
import { type LoadScenario, loadScenarios } from "./load-scenarios.ts";
import type { LoadStage } from "./load-stage.ts";
import { isRefused } from "./load-wrong.ts";

const databases: readonly {
  readonly name: string;
  readonly version: () => Promise<string | undefined>;
  readonly open: () => Promise<LoadStage>;
}[] = [{ name: "postgres", version: postgresVersion, open: postgresLoadStage }];

for (const { name, version, open } of databases) {
  const found = await version();
  describe(`loads on ${name}`, () => {
    let stage: LoadStage;
    beforeAll(async () => {
      if (found !== undefined) stage = await open();
    });
    beforeEach(async () => {
      if (found !== undefined) await stage.reset();
    });
    afterAll(() => stage?.drop());

    const scenarios: readonly LoadScenario[] = [...loadScenarios, ...racingScenarios];
    for (const scenario of scenarios) {
      test(scenario.name, async (context) => {
        if (found === undefined) context.skip(`${cannotRunHere}no ${name} answers`);
        await scenario.run(stage);
      }, 120_000);
    }

    test("refuses every wrong situation before it writes, and the statements that it prints mend it", async (context) => {
      if (found === undefined) context.skip(`${cannotRunHere}no ${name} answers`);
      expect(stage.wrong.length).toBeGreaterThanOrEqual(10);
      for (const situation of stage.wrong) await isRefused(stage, situation);
    }, 120_000);
  });
}
