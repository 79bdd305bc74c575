import postgres from "postgres";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { PostgresPool, PostgresTransaction } from "../../src/stores/postgres/index.ts";
import { type LedgerAdapter, ledgerSuite, writeJournalSuite } from "../../src/testing/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { pgbouncerVersion, startPgbouncer } from "../support/pgbouncer.ts";
import { type DriverName, pgPool, postgresVersion, sharedPlace } from "../support/postgres.ts";

const missing =
  (await postgresVersion()) === undefined
    ? "no PostgreSQL answers"
    : pgbouncerVersion() === undefined
      ? "pgbouncer is not installed"
      : undefined;

const shared = sharedPlace();
let pooler: Awaited<ReturnType<typeof startPgbouncer>> | undefined;
const pools = new Map<string, PostgresPool & { end(): Promise<unknown> }>();

beforeAll(async () => {
  if (missing === undefined) pooler = await startPgbouncer();
});
afterAll(async () => {
  for (const pool of pools.values()) await pool.end();
  await pooler?.stop();
  await shared.drop();
});

/** More clients than the pooler has sessions: which one a statement meets, nobody knows. */
function poolOf(driver: DriverName, instance: number): PostgresPool {
  const name = `${driver} ${instance}`;
  const url = pooler?.url ?? "";
  const known = pools.get(name);
  if (known !== undefined) return known;
  const made =
    driver === "pg" ? pgPool(url, 12) : postgres(url, { max: 12, prepare: false, onnotice: () => undefined });
  pools.set(name, made);
  return made;
}

async function instanceOf(driver: DriverName, instance: number) {
  const place = await shared.place();
  return place.ledger(driver, { pool: poolOf(driver, instance), prepared: false });
}

function behindPooler(driver: DriverName): LedgerAdapter<PostgresTransaction> {
  return {
    name: `postgres over ${driver} behind PgBouncer`,
    can: { transactions: true, severalInstances: true },
    open: async () => {
      const { passTime, insertBooking, bookings, clear } = await shared.place();
      const another = () => instanceOf(driver, 1);
      return { ledger: await instanceOf(driver, 0), another, passTime, insertBooking, bookings, close: clear };
    },
  };
}

describe.each(["pg", "postgres"] as const)("over %s behind PgBouncer in transaction mode", (driver) => {
  const adapter = behindPooler(driver);
  const writes = writeJournalSuite({
    name: adapter.name,
    can: { severalInstances: true },
    open: async () => {
      const { passTime, clear } = await shared.place();
      const journal = async (instance: number) => {
        const { writes: kept } = await instanceOf(driver, instance);
        if (kept === undefined) throw new Error("no journal of writes");
        return kept;
      };
      return { writes: await journal(0), passTime, another: () => journal(1), close: clear };
    },
  });
  for (const { name, run } of [...ledgerSuite(adapter), ...writes]) {
    test(name, async (context) => {
      if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
      await run();
    });
  }
});
