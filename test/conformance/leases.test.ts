import { afterAll, describe, test } from "vitest";
import type { LeaseStore } from "../../src/contract/lease.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { azureLeases } from "../../src/stores/azure/index.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { type LeaseAdapter, leaseSuite } from "../../src/testing/index.ts";
import { noAzuriteHere, startAzurite } from "../support/azurite.ts";
import { cannotRunHere, doesNotApply } from "../support/environment.ts";
import { movableClock } from "../support/movable-clock.ts";

/** Past what the suite takes leases for. */
const pastLeaseMs = 30_001;

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

const noAzurite = noAzuriteHere();
const azurite = noAzurite === undefined ? await startAzurite() : undefined;
afterAll(() => azurite?.stop());

const azure: LeaseAdapter<never> = {
  name: "azure on Azurite",
  can: {
    transactions: { not: "a blob is written in no transaction" },
    severalInstances: true,
    writesAtOnce: { not: "a blob is written in no transaction" },
    movesTime: true,
    tells: {
      not: "who walks away has asked once, and the service tells it neither who has the lease nor for how long",
    },
  },
  open: async () => {
    if (azurite === undefined) throw new Error("no Azurite");
    const container = await azurite.container();
    return {
      leases: azureLeases({ container }),
      passTime: azurite.passTime,
      endLease: () => azurite.passTime(pastLeaseMs),
      another: async () => azureLeases({ container: azurite.through(azurite.port, container.containerName) }),
      fenced: null,
      close: async () => {
        await container.delete();
      },
    };
  },
};

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
suite(azure, noAzurite);
