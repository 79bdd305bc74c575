import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { postgresUrl, postgresVersion } from "../support/postgres.ts";

const isHere = (await postgresVersion()) !== undefined;

describe("on a connection that is open", () => {
  const schema = `trips_${process.pid}`;
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 1 });
  let trips = 0;
  pool.on("connect", (client) => {
    const { connection } = client as unknown as { readonly connection: NodeJS.EventEmitter };
    // the server says once for each trip that it waits for the next
    connection.on("readyForQuery", () => {
      trips += 1;
    });
  });
  const tripsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = trips;
    await work();
    return trips - before;
  };
  const insert = (id: number) => [`insert into ${schema}.seat (id) values ($1)`, [id]] as const;
  const reprise = createReprise({
    service: "s",
    undecided: "listed",
    ledger: postgresLedger({ pool, schema }),
    workers: 0,
  });
  const book = reprise.operation({
    name: "book",
    input: unchecked<number>(),
    principal: "everyone",
    identity: (input) => [input],
    retention: "1d",
    effects: "database",
    run: async ({ input, tx }) => {
      await tx.query(...insert(input));
      return input;
    },
  });
  const upsert = [`insert into ${schema}.seat (id) values ($1) on conflict do nothing returning id`] as const;
  const converging = { input: unchecked<number>(), ifRunsAgain: "converges", costIfTwice: "nothing" } as const;
  const upsertAtOnce = reprise.operation({
    ...{ ...converging, name: "upsert at once", effects: "database" },
    run: ({ input, tx }) => tx.query(upsert[0], [input]),
  });
  let after: (input: number) => Promise<unknown> = async () => {};
  const upsertTwice = reprise.operation({
    ...{ ...converging, name: "upsert twice", effects: "database" },
    run: async ({ input, tx }) => {
      await tx.query(upsert[0], [input]);
      await after(input);
      return tx.query(upsert[0], [input + 1]);
    },
  });
  const bookAtOnce = reprise.operation({
    ...{
      name: "book at once",
      input: unchecked<number>(),
      principal: "everyone",
      identity: (input: number) => [input],
    },
    ...{ retention: "1d", effects: "database" },
    run: ({ input, tx }) => tx.query(`insert into ${schema}.seat (id) values ($1) returning id, now() as at`, [input]),
  });
  const seats = async () => (await pool.query(`select id from ${schema}.seat order by id`)).rows.map(({ id }) => id);
  const together = async (
    operation: typeof book | typeof bookAtOnce | typeof upsertTwice,
    inputs: readonly number[],
  ) => {
    const told = await operation["~carry"].together?.(inputs.map((input) => ({ input, options: {} })));
    return told?.answers.map((one) => (one.status === "fulfilled" ? one.value.outcome : one.reason));
  };
  beforeAll(async () => {
    if (!isHere) return;
    await reprise.start();
    await pool.query(`create table ${schema}.seat (id int primary key)`);
    await book.run(0);
  });
  afterAll(async () => {
    await reprise.close();
    if (isHere) await pool.query(`drop schema if exists ${schema} cascade`);
    await pool.end();
  });

  test("an operation takes no round trip more than its work in a transaction", async (context) => {
    if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    const bare = await tripsOf(async () => {
      const client = await pool.connect();
      await client.query("begin");
      await client.query(insert(-1)[0], [-1]);
      await client.query("commit");
      client.release();
    });
    expect(await tripsOf(() => book.run(1))).toBe(bare);
  });

  test("a replay takes one, and a second that nobody waits for", async (context) => {
    if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    await book.run(2);
    const told = await tripsOf(async () => {
      expect(await book.execute(2)).toMatchObject({ status: "done", replayed: true });
      await pool.query("select 1");
    });
    expect(told).toBe(3);
  });

  test("work that converges, and returns the answer to its one statement, takes one", async (context) => {
    if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    expect(await tripsOf(() => upsertAtOnce.run(10))).toBe(1);
    expect(await seats()).toContain(10);
    await expect(upsertAtOnce.run("no number" as never)).rejects.toMatchObject({ code: "22P02" });
    expect(await upsertAtOnce.run(11)).toEqual([{ id: 11 }]);
  });

  test("work that converges by several statements writes all of them, or none", async (context) => {
    if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    after = async () => {
      throw new Error("in between");
    };
    await expect(upsertTwice.run(20)).rejects.toThrow("in between");
    expect(await seats()).not.toContain(20);
    after = async () => {};
    expect(await tripsOf(() => upsertTwice.run(20))).toBe(4);
    expect(await seats()).toEqual(expect.arrayContaining([20, 21]));
  });

  test("what is sent beside the one statement that is all is refused, not run outside of it", async (context) => {
    if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    let beside: Promise<unknown> = Promise.resolve();
    const straying = reprise.operation({
      ...{ ...converging, name: "straying", effects: "database" },
      run: ({ input, tx }) => {
        const answer = tx.query(upsert[0], [input]);
        beside = Promise.resolve().then(() => tx.query(upsert[0], [input + 1]));
        beside.catch(() => {});
        return answer;
      },
    });
    await straying.run(30);
    await expect(beside).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    expect(await seats()).not.toContain(31);
  });

  test("several pieces of work of one statement each take three, and each is told its own answer", async (context) => {
    if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    await together(bookAtOnce, [40, 41]);
    let told: unknown;
    const inputs = Array.from({ length: 32 }, (_, place) => 100 + place);
    const took = await tripsOf(async () => {
      told = await together(bookAtOnce, inputs);
    });
    expect(took).toBe(3);
    // as the driver reads them
    expect(told).toEqual(
      inputs.map((id) =>
        expect.objectContaining({ status: "done", replayed: false, value: [{ id, at: expect.any(Date) }] }),
      ),
    );
    expect(await seats()).toEqual(expect.arrayContaining(inputs));
    expect(await together(bookAtOnce, [100, 140])).toMatchObject([{ replayed: true }, { replayed: false }]);
  });

  test("one of several that fails costs the others nothing, and its connection serves on", async (context) => {
    if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    await pool.query(`insert into ${schema}.seat (id) values (201)`);
    for (const operation of [bookAtOnce, book]) {
      const from = operation === book ? 210 : 200;
      await pool.query(`insert into ${schema}.seat (id) values (${from + 1}) on conflict do nothing`);
      expect(await together(operation, [from, from + 1, from + 2])).toMatchObject([
        { status: "done" },
        { code: "23505" },
        { status: "done" },
      ]);
      expect(await seats()).toEqual(expect.arrayContaining([from, from + 2]));
    }
    expect(pool.totalCount).toBe(1);
  });

  test("what several send is sent in their order, though some come to one statement and some to more", async (context) => {
    if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    await pool.query(`create table ${schema}.log (place serial, note text unique)`);
    const write = `insert into ${schema}.log (note) values ($1)`;
    const ended: number[] = [];
    const note = reprise.operation({
      ...{ ...converging, name: "note", effects: "database" },
      run: ({ input, tx }) => {
        if (input % 3 !== 2) return tx.query(write, [`${input}`]);
        const twice = async () => {
          await tx.query(write, [`${input}`]);
          return tx.query(write, [`${input} again`]);
        };
        return twice().finally(() => ended.push(input));
      },
    });
    const noted = async () =>
      (await pool.query(`select note from ${schema}.log order by place`)).rows.map((row) => row.note);
    await together(note, [0, 1, 2, 3, 5, 6]);
    expect(await noted()).toEqual(["0", "1", "2", "2 again", "3", "5", "5 again", "6"]);
    // it has begun when one before it fails: it ends, and runs once more by itself
    ended.length = 0;
    expect(await together(note, [7, 0, 8])).toMatchObject([{ status: "done" }, { code: "23505" }, { status: "done" }]);
    expect(ended).toEqual([8, 8]);
  });
});

test("of a batch whose statements are sent together all have no longer than one of them has", async (context) => {
  if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
  const schema = `trips_late_${process.pid}`;
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 4 });
  const reprise = createReprise({
    ...{ service: "s", undecided: "listed", workers: 0 },
    ledger: postgresLedger({ pool, schema, workDeadline: "1s" }),
  });
  const operation = reprise.operation({
    ...{ name: "slow", input: unchecked<number>(), principal: "everyone", identity: (input: number) => [input] },
    ...{ retention: "1d", effects: "database" },
    run: ({ tx }) => tx.query("select pg_sleep(10)"),
  });
  try {
    await reprise.start();
    const began = performance.now();
    const told = await operation["~carry"].together?.([1, 2, 3, 4].map((input) => ({ input, options: {} })));
    const tookMs = performance.now() - began;
    const away = { status: "rejected", reason: { code: "REPRISE_LEDGER_AWAY" } };
    expect(told).toMatchObject({ answers: Array(4).fill(away) });
    expect(tookMs).toBeLessThan(2_500);
  } finally {
    await reprise.close();
    await pool.query(`drop schema if exists ${schema} cascade`);
    await pool.end();
  }
});
