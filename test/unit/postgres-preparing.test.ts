import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { postgresUrl, postgresVersion } from "../support/postgres.ts";

const isHere = (await postgresVersion()) !== undefined;

describe("statements of the work that come again", () => {
  const schema = `preparing_${process.pid}`;
  // one connection: what it prepares, the next run finds
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 1 });
  const prepared = async () => {
    const { rows } = await pool.query("select statement from pg_prepared_statements where name like 'reprise_own_%'");
    return rows.map(({ statement }) => String(statement));
  };
  const reading = (ledgerPrepares: boolean) => {
    const ledger = postgresLedger({ pool, schema, prepared: ledgerPrepares });
    const reprise = createReprise({ service: "s", undecided: "listed", ledger });
    const read = reprise.operation({
      name: "read",
      input: unchecked<number>(),
      principal: "everyone",
      identity: (input) => [input],
      retention: "1d",
      effects: "database",
      run: async ({ tx }) => (await tx.query(`select * from ${schema}.seat`, [])).length,
    });
    return { reprise, read };
  };
  afterAll(async () => {
    if (isHere) await pool.query(`drop schema if exists ${schema} cascade`);
    await pool.end();
  });

  test("are prepared from the second time on, and one whose columns change is parsed each time after it failed once", async (context) => {
    if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    const { reprise, read } = reading(true);
    await reprise.start();
    await pool.query(`create table ${schema}.seat (id int)`);
    await read.run(1);
    expect(await prepared()).toEqual([]);
    await read.run(2);
    expect(await prepared()).toEqual([`select * from ${schema}.seat`]);
    await pool.query(`alter table ${schema}.seat add column row text`);
    await expect(read.run(3)).rejects.toMatchObject({ code: "0A000" });
    expect(await read.run(3)).toBe(0);
    expect(await read.run(4)).toBe(0);
  });

  test("are never prepared where the ledger is told not to", async (context) => {
    if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    const { read } = reading(false);
    await pool.query("deallocate all");
    await read.run(5);
    await read.run(6);
    expect(await prepared()).toEqual([]);
  });
});

test("a session that another one's statements were prepared in is told with the option that mends it", async (context) => {
  if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
  const schema = `shared_${process.pid}`;
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 1 });
  const ledger = postgresLedger({ pool, schema });
  const work = () => ledger.transaction(async () => "done");
  expect(await work()).toBe("done");
  // as a pooler does that gives the next transaction another session
  await pool.query("deallocate all");
  await expect(work()).rejects.toMatchObject({
    code: "REPRISE_LEDGER_UNUSABLE",
    message: expect.stringContaining("prepared: false"),
  });
  await ledger.close();
  await pool.query(`drop schema ${schema} cascade`);
  await pool.end();
});
