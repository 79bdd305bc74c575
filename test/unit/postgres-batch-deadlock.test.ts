import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { postgresUrl, postgresVersion } from "../support/postgres.ts";

const isHere = (await postgresVersion()) !== undefined;
const schema = `deadlock_${process.pid}`;
const pool = new pg.Pool({ connectionString: postgresUrl, max: 4, options: "-c deadlock_timeout=50ms" });

beforeAll(async () => {
  if (!isHere) return;
  await pool.query(`create schema if not exists ${schema}`);
  await pool.query(`create table ${schema}.stock (place text primary key, count int not null)`);
  await pool.query(`insert into ${schema}.stock values ('a', 0), ('b', 0)`);
});
afterAll(async () => {
  if (isHere) await pool.query(`drop schema ${schema} cascade`);
  await pool.end();
});

test("of two shared transactions that lock each other out one falls apart at once, and all is done once", async (context) => {
  if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
  const reprise = createReprise({
    ...{ service: "s", undecided: "listed", ledger: postgresLedger({ pool, schema }), workers: 0 },
  });
  let holding = 0;
  let bothHold = () => {};
  const held = new Promise<void>((resolve) => {
    bothHold = resolve;
  });
  const take = reprise.operation({
    ...{ name: "take", input: unchecked<{ id: number; place: string }>(), principal: "everyone", retention: "1d" },
    identity: ({ id }) => [id],
    effects: "database",
    run: async ({ input, tx }) => {
      await tx.query(`update ${schema}.stock set count = count + 1 where place = $1`, [input.place]);
      holding += 1;
      if (holding === 2) bothHold();
      await held;
    },
  });
  await reprise.start();
  const together = (...inputs: readonly { id: number; place: string }[]) =>
    take["~carry"].together?.(inputs.map((input) => ({ input, options: {} })));
  const told = await Promise.all([
    together({ id: 1, place: "a" }, { id: 2, place: "b" }),
    together({ id: 3, place: "b" }, { id: 4, place: "a" }),
  ]);
  expect(told.map((one) => one?.isWhole).sort()).toEqual([false, true]);
  const answers = told.flatMap((one) => one?.answers ?? []);
  expect(answers.map((one) => one.status === "fulfilled" && one.value.outcome.status)).toEqual(Array(4).fill("done"));
  expect((await pool.query(`select count from ${schema}.stock`)).rows).toEqual([{ count: 2 }, { count: 2 }]);
  await reprise.close();
});
