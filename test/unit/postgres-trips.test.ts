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
});
