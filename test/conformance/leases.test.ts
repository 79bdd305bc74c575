import { afterAll, beforeAll, describe, test } from "vitest";
import type { LeaseStore } from "../../src/contract/lease.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { type LeaseAdapter, type LedgerAdapter, leaseSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "../support/environment.ts";
import { movableClock } from "../support/movable-clock.ts";
import { mysqlLedgers } from "../support/mysql-ledgers.ts";
import { noRedisHere } from "../support/redis.ts";
import { redisLedgers } from "../support/redis-ledgers.ts";

/** Past what the suite takes leases for. */
const pastLeaseMs = 30_001;

const noRedis = noRedisHere();

function leasesOf<Tx>(ledger: Ledger<Tx>): LeaseStore<Tx> {
  if (ledger.leases === undefined) throw new Error(`ledger '${ledger.name}' keeps no leases`);
  return ledger.leases;
}

const memory: LeaseAdapter<MemoryTransaction> = {
  name: "memory",
  can: {
    transactions: true,
    severalInstances: { not: "a memory ledger is its own store" },
    writesAtOnce: true,
    movesTime: true,
    tells: true,
  },
  open: async () => {
    const { clock, passTime } = movableClock();
    const ledger = memoryLedger({ clock });
    let bookings = 0;
    return {
      leases: leasesOf(ledger),
      passTime,
      endLease: () => passTime(pastLeaseMs),
      another: () => Promise.reject(new Error("a memory ledger is its own store")),
      fenced: {
        transaction: ledger.transaction,
        insertBooking: async (tx, identity) => tx.set(`booking ${++bookings}`, identity),
        bookings: async () => [...ledger.rows.values()].map(String),
      },
      close: ledger.close,
    };
  },
};

/** A ledger's leases, on the stage of the ledger's own suite. */
function leasesOn<Tx>({ name, can, open }: LedgerAdapter<Tx>): LeaseAdapter<Tx> {
  return {
    name,
    can: { ...can, writesAtOnce: true, movesTime: true, tells: true },
    open: async () => {
      const { ledger, passTime, another, insertBooking, bookings, close } = await open();
      return {
        leases: leasesOf(ledger),
        passTime,
        endLease: () => passTime(pastLeaseMs),
        another: async () => leasesOf(await another()),
        fenced: can.transactions === true ? { transaction: ledger.transaction, insertBooking, bookings } : null,
        close,
      };
    },
  };
}

const mysql = await mysqlLedgers();
afterAll(mysql.drop);

function suite<Tx>(adapter: LeaseAdapter<Tx>, missing?: string): void {
  describe(`the suite of leases on ${adapter.name}`, () => {
    for (const { name, skip, run } of leaseSuite(adapter)) {
      test(name, async (context) => {
        if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        await run();
      });
    }
  });
}

suite(memory);
suite(leasesOn(mysql.own), mysql.missing);
suite(leasesOn(mysql.inMapper), mysql.missing);
suite(leasesOn(mysql.byStatementsForMysql), mysql.missing);

describe.each(redisLedgers)("on $adapter.name", ({ adapter, start }) => {
  let started: { readonly stop: () => Promise<void> } | undefined;
  beforeAll(async () => {
    if (noRedis === undefined) started = await start();
  });
  afterAll(() => started?.stop());
  suite(leasesOn(adapter), noRedis);
});
