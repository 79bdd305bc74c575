import type { PoolClient } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newWorkId } from "../../src/base/names.ts";
import type { AcceptRequest } from "../../src/contract/ledger.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { work } from "../../src/testing/ledger-kit.ts";
import { cannotRunHere } from "../support/environment.ts";
import {
  type PostgresPlace,
  pgPool,
  pgTransactions,
  postgresPlace,
  postgresUrl,
  postgresVersion,
} from "../support/postgres.ts";

const missing = (await postgresVersion()) === undefined;

let place: PostgresPlace;
beforeAll(async () => {
  if (!missing) place = await postgresPlace();
});
beforeEach((context) => {
  if (missing) context.skip(`${cannotRunHere}no PostgreSQL answers`);
});
afterAll(() => place?.drop());

/** What is used of a mapper's transaction here. */
type Queries = Pick<PoolClient, "query">;

function later(identity: string): AcceptRequest {
  return { ...work(identity), id: newWorkId(), input: "input" };
}

const done = (outcome = "outcome") => ({ value: outcome, outcome, refused: false });

describe("in a mapper's transaction on PostgreSQL", () => {
  test("work that did not wait for what it appends is rolled back with it", async () => {
    const pool = pgPool(postgresUrl, 2);
    const ledger = postgresLedger({ pool, transactions: pgTransactions(pool), schema: place.schema });
    const { registers } = ledger;
    if (registers === undefined) throw new Error("no registers");
    const hasty = ledger.transaction(async (tx) => {
      registers.appendIn?.(tx, "hasty/", "hasty").catch(() => {});
    });
    await expect(hasty).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    expect(await registers.list({ prefix: "hasty/", after: null, limit: 9 })).toEqual([]);
    await ledger.close();
    await pool.end();
  });

  test.each(["rollback", "commit", "select 1 / 0"])(
    "a run that ends it with '%s', or swallows that error, is told so, and keeps no outcome",
    async (statement) => {
      const pool = pgPool(postgresUrl, 2);
      const ledger = postgresLedger({ pool, transactions: pgTransactions(pool), schema: place.schema });
      const single = work(`ended by ${statement}`);
      const ended = ledger.atomic(single, async (tx) => {
        await tx.query(statement).catch(() => undefined);
        return done();
      });
      await expect(ended).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
      expect(await ledger.find(single)).toBeNull();
      const nested = ledger.atomic(single, async (tx) => {
        const inner = await ledger.join(tx, work(`inside ${statement}`), async () => done("inner"));
        return { ...done(), value: inner.is };
      });
      expect(await nested).toMatchObject({ is: "ran", value: "ran" });
      await ledger.close();
      await pool.end();
    },
  );

  test.each(["rollback", "commit", "commit; begin", "rollback; begin"])(
    "a transaction of external work that ends it with '%s' is told so, plain or last, and nothing of the ledger's is kept",
    async (statement) => {
      const pool = pgPool(postgresUrl, 2);
      const ledger = postgresLedger({ pool, transactions: pgTransactions(pool), schema: place.schema });
      const claim = await ledger.claim(work(`external, ended by ${statement}`));
      if (claim.is !== "won") throw new Error(`not won: ${claim.is}`);
      const { fence } = claim;
      let runs = 0;
      const ending = async (tx: Queries) => {
        runs += 1;
        await tx.query(statement);
        return { ...done(), answer: "1[]" };
      };
      const ended = { code: "REPRISE_BAD_DECLARATION", message: expect.stringContaining("the run has ended it") };
      await expect(ledger.transact(fence, "write", ending)).rejects.toMatchObject(ended);
      const concluding = { keepMs: 1_000, visited: [] };
      await expect(ledger.conclude(fence, concluding, ending)).rejects.toMatchObject(ended);
      expect(await ledger.history(fence.id)).toMatchObject({ run: { state: "running" }, effects: [] });
      await expect(ledger.transaction(ending)).rejects.toMatchObject(ended);
      expect(runs).toBe(3);
      expect(await ledger.conclude(fence, concluding, async () => done())).toMatchObject({ is: "done" });
      await ledger.close();
      await pool.end();
    },
  );

  test.each(["rollback", "commit"])(
    "work of another declaration that database work takes over, and that '%s' ends, stays as it was",
    async (statement) => {
      const pool = pgPool(postgresUrl, 2);
      const ledger = postgresLedger({ pool, transactions: pgTransactions(pool), schema: place.schema });
      const left = later(`left, ended by ${statement}`);
      await ledger.accept(left);
      const ended = ledger.atomic(left, async (tx) => {
        await tx.query(statement);
        return done();
      });
      await expect(ended).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
      expect(await ledger.find(left)).toMatchObject({ is: "open" });
      await ledger.close();
      await pool.end();
    },
  );

  test("work is not accepted for later in a transaction that is ended meanwhile", async () => {
    const pool = pgPool(postgresUrl, 2);
    const transactions = pgTransactions(pool);
    let isEnding = false;
    const ledger = postgresLedger({
      pool,
      schema: place.schema,
      transactions: {
        begin: transactions.begin,
        query: async (client, text, params) => {
          // what another caller of the same transaction, that nobody awaits, may do at any time
          if (isEnding && text.startsWith("insert")) await client.query("commit");
          return transactions.query(client, text, params);
        },
      },
    });
    await ledger.open();
    const accepting = later("accepted beside the end");
    const accepted = transactions.begin(async (tx) => {
      isEnding = true;
      return ledger.acceptIn(tx, accepting);
    });
    await expect(accepted).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    expect(await ledger.find(accepting)).toBeNull();
    await ledger.close();
    await pool.end();
  });

  test("what is no transaction of the mapper's, or the mapper itself, is refused, and not taken for a ledger that is away", async () => {
    const pool = pgPool(postgresUrl, 1);
    const ledger = postgresLedger({ pool, transactions: pgTransactions(pool), schema: place.schema });
    for (const tx of [{}, undefined, pool]) {
      const joined = ledger.join(tx as never, work("no transaction"), async () => done("no"));
      await expect(joined).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    }
    await ledger.close();
    await pool.end();
  });
});
