import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { nameOf, newAttemptId, sha256 } from "../../src/base/names.ts";
import type { Ledger, WorkRequest } from "../../src/contract/ledger.ts";
import { type PostgresTransaction, postgresLedger } from "../../src/stores/postgres/index.ts";
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
const levels = ["read committed", "repeatable read", "serializable"] as const;

let place: PostgresPlace;
beforeAll(async () => {
  if (!missing) place = await postgresPlace();
});
beforeEach((context) => {
  if (missing) context.skip(`${cannotRunHere}no PostgreSQL answers`);
});
afterAll(async () => {
  await place?.drop();
});

function request(identity: string, key: string | null = null): WorkRequest {
  return {
    name: nameOf("work", ["races", "book", identity]),
    key: key === null ? null : nameOf("key", ["races", "book", key]),
    print: { version: 1, hash: sha256("payload") },
    keepMs: 3_600_000,
    about: { operation: "book", identity, principal: "ann", key, owner: "test" },
    parent: null,
    intent: null,
  };
}

const done = (outcome = "outcome") => ({ value: outcome, outcome, refused: false });

async function bookIn(ledger: Ledger<PostgresTransaction>, identity: string) {
  return ledger.atomic(request(identity), async (tx) => {
    await place.insertBooking(tx, identity);
    return done();
  });
}

describe.each(["pg", "postgres"] as const)("postgres over %s", (driver) => {
  test.each(levels)("at %s, work joined behind a snapshot that is too old begins once", async (isolation) => {
    const ledger = await place.ledger(driver, { isolation });
    const other = await place.ledger(driver, { instance: 1 });
    const identity = `old snapshot ${isolation} ${driver}`;
    let attempts = 0;
    let begun = 0;
    const answer = await ledger.transaction(async (tx) => {
      attempts += 1;
      await tx.query("select 1");
      if (attempts === 1) await bookIn(other, identity);
      return ledger.join(tx, request(identity), async (own) => {
        begun += 1;
        await place.insertBooking(own, identity);
        return done("another");
      });
    });
    expect(answer).toMatchObject({ is: "done", outcome: "outcome" });
    expect(attempts).toBe(isolation === "read committed" ? 1 : 2);
    expect(begun).toBe(0);
    expect((await place.bookings()).filter((one) => one === identity)).toHaveLength(1);
  });

  test.each(levels)(
    "at %s, 40 identities by four attempts, of which some roll back, begin and are booked once each",
    async (isolation) => {
      const ledgers = [
        await place.ledger(driver, { isolation }),
        await place.ledger(driver, { isolation, instance: 1 }),
      ];
      let begun = 0;
      let rolledBack = 0;
      const book = async (ledger: Ledger<PostgresTransaction>, identity: string): Promise<string> => {
        for (;;) {
          const answer = await ledger
            .atomic(request(identity, `key of ${identity}`), async (tx) => {
              begun += 1;
              await place.insertBooking(tx, identity);
              if (begun % 4 === 0) throw new Error("rolled back");
              return done();
            })
            .catch((error: unknown) => {
              if (!(error instanceof Error && error.message === "rolled back")) throw error;
              rolledBack += 1;
              return null;
            });
          if (answer !== null && answer.is !== "running") return answer.is;
        }
      };
      const identities = Array.from({ length: 160 }, (_, i) => `raced ${isolation} ${driver} ${i % 40}`);
      const answers = await Promise.all(
        identities.map((identity, i) => book(ledgers[Math.floor(i / 40) % 2] as Ledger<PostgresTransaction>, identity)),
      );
      expect(answers.filter((is) => is === "ran")).toHaveLength(40);
      const booked = (await place.bookings()).filter((one) => identities.includes(one));
      expect([booked.length, new Set(booked).size]).toEqual([40, 40]);
      // at that level PostgreSQL may see a conflict, and refuse a commit, where there is none
      if (isolation !== "serializable") expect(begun - rolledBack).toBe(40);
    },
  );
});

describe("in a mapper's transaction", () => {
  test.each(levels)(
    "at %s, a conflict asks the caller to repeat the whole, and running work is told at once",
    async (isolation) => {
      const pool = pgPool(postgresUrl, 4);
      const transactions = pgTransactions(pool, isolation);
      const ledger = postgresLedger({ pool, transactions, schema: place.schema });
      const own = await place.ledger("pg");
      const identity = `mapper ${isolation}`;
      const running = await transactions.begin(async (tx) => {
        const held = await ledger.join(tx, request(`${identity} held`), async () => {
          const other = await own.atomic(request(`${identity} held`), async () => done("no"));
          const itself = await ledger.join(tx, request(`${identity} held`), async () => done("no"));
          return { value: [other.is, itself.is], outcome: "", refused: false };
        });
        return held.is === "ran" ? held.value : held.is;
      });
      expect(running).toEqual(["running", "running"]);

      let begun = 0;
      const stale = transactions.begin(async (tx) => {
        await tx.query("select 1");
        await bookIn(own, identity);
        const joined = await ledger.join(tx, request(identity), async () => {
          begun += 1;
          return done("no");
        });
        return joined.is;
      });
      if (isolation === "read committed") expect(await stale).toBe("done");
      else await expect(stale).rejects.toMatchObject({ code: "REPRISE_RETRY_TRANSACTION" });
      expect(begun).toBe(0);
      await ledger.close();
      await pool.end();
    },
  );
});

describe.each([
  ["in one piece", undefined],
  ["in partitions", 4],
] as const)("behind a snapshot that is too old, %s", (_, partitions) => {
  let divided: PostgresPlace;
  beforeAll(async () => {
    if (!missing) divided = await postgresPlace(6, partitions);
  });
  afterAll(() => divided?.drop());

  type Ledgers = { readonly ledger: Ledger<PostgresTransaction>; readonly other: Ledger<PostgresTransaction> };
  /** Joins work in a transaction whose snapshot does not see what `before` commits; how often its run began, and the whole. */
  const join = async ({ ledger }: Ledgers, work: WorkRequest, before: () => Promise<unknown>) => {
    const seen = { begun: 0, attempts: 0 };
    const answer = await ledger.transaction(async (tx) => {
      seen.attempts += 1;
      await tx.query("select 1");
      if (seen.attempts === 1) await before();
      return ledger.join(tx, work, async () => {
        seen.begun += 1;
        return done("another");
      });
    });
    return { ...seen, is: answer.is };
  };

  describe.each(["repeatable read", "serializable"] as const)("at %s", (isolation) => {
    const open = async () => ({
      ledger: await divided.ledger("pg", { isolation }),
      other: await divided.ledger("pg", { instance: 1 }),
    });
    const id = (what: string) => `${what} ${isolation}`;

    test("no work begins beside the same work, the same key or an external claim", async () => {
      const both = await open();
      const { other } = both;
      const name = id("same work");
      const same = join(both, request(name, `key of ${name}`), () => other.atomic(request(name), async () => done()));
      expect(await same).toEqual({ begun: 0, attempts: 2, is: "done" });
      const key = id("same key");
      const keyed = join(both, request(`${key} other`, key), () => other.atomic(request(key, key), async () => done()));
      expect(await keyed).toEqual({ begun: 0, attempts: 2, is: "mismatch" });
      const further = id("further key");
      await other.atomic(request(further, `${further} first`), async () => done());
      const bound = join(both, request(`${further} other`, further), () =>
        other.atomic(request(further, further), async () => done("no")),
      );
      expect(await bound).toEqual({ begun: 0, attempts: 2, is: "mismatch" });
      const claimed = id("claimed");
      const lease = { attempt: newAttemptId(), leaseMs: 60_000, input: null, resuming: false };
      const external = join(both, request(claimed), () => other.claim({ ...request(claimed), ...lease }));
      expect(await external).toEqual({ begun: 0, attempts: 2, is: "running" });
      const guards = `select 1 from ${divided.schema}.reprise_work where state = 'k' and bound is null`;
      expect((await divided.admin.query(guards)).rowCount).toBe(0);
    });

    test("nor where its key belonged to work past its keep, which is cleared first", async () => {
      const both = await open();
      const { other } = both;
      const name = id("cleared");
      await other.atomic({ ...request(`${name} before`, name), keepMs: 1 }, async () => done());
      await divided.passTime(1_000);
      const cleared = join(both, request(name, name), () => other.atomic(request(name), async () => done()));
      expect(await cleared).toEqual({ begun: 0, attempts: 2, is: "done" });
    });
  });
});
