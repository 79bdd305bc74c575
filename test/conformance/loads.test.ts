import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cannotRunHere, sqliteDriver } from "../support/environment.ts";
import { mysqlVersion } from "../support/mysql.ts";
import { postgresVersion } from "../support/postgres.ts";
import { mysqlLoadStage } from "./load-mysql.ts";
import { postgresLoadStage } from "./load-postgres.ts";
import { racingScenarios } from "./load-races.ts";
import { runScenarios } from "./load-runs.ts";
import { type LoadScenario, loadScenarios } from "./load-scenarios.ts";
import { sqliteLoadStage } from "./load-sqlite.ts";
import type { LoadStage } from "./load-stage.ts";
import { isRefused } from "./load-wrong.ts";

const sqliteHere = async () => sqliteDriver();

const databases: readonly {
  readonly name: string;
  readonly version: () => Promise<string | undefined>;
  readonly open: () => Promise<LoadStage>;
}[] = [
  { name: "postgres", version: postgresVersion, open: postgresLoadStage },
  { name: "mysql", version: mysqlVersion, open: () => mysqlLoadStage(false) },
  { name: "mysql in a mapper's transactions", version: mysqlVersion, open: () => mysqlLoadStage(true) },
  { name: "sqlite", version: sqliteHere, open: () => sqliteLoadStage("") },
  { name: "sqlite, in a strict table", version: sqliteHere, open: () => sqliteLoadStage("strict") },
  { name: "sqlite, in a table without rowid", version: sqliteHere, open: () => sqliteLoadStage("without rowid") },
];

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

    const scenarios: readonly LoadScenario[] = [...loadScenarios, ...runScenarios, ...racingScenarios];
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
