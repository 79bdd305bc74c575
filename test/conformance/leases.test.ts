import { afterAll } from "vitest";
import type { LeaseStore } from "../../src/contract/lease.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { azureLeases } from "../../src/stores/azure/index.ts";
import { type Capability, type LeaseAdapter, type LedgerAdapter, leaseSuite } from "../../src/testing/index.ts";
import { noAzuriteHere, startAzurite } from "../support/azurite.ts";
import { describeOnItems } from "../support/item-ledgers.ts";
import { inMemory, onSqlite } from "../support/local-ledgers.ts";
import { mysqlLedgers } from "../support/mysql-ledgers.ts";
import { postgresLedgers } from "../support/postgres-ledgers.ts";
import { describeOnRedis } from "../support/redis-ledgers.ts";
import { describeSuite } from "../support/suite.ts";

/** Past what the suite takes leases for. */
const pastLeaseMs = 30_001;

function leasesOf<Tx>(ledger: Ledger<Tx>): LeaseStore<Tx> {
  if (ledger.leases === undefined) throw new Error(`ledger '${ledger.name}' keeps no leases`);
  return ledger.leases;
}

/** A ledger's leases, on the stage of the ledger's own suite. */
function leasesOn<Tx>({ name, can, open }: LedgerAdapter<Tx>, writesAtOnce: Capability = true): LeaseAdapter<Tx> {
  return {
    name,
    can: { ...can, writesAtOnce, movesTime: true, tells: true },
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

const postgres = await postgresLedgers();
afterAll(postgres.drop);
const mysql = await mysqlLedgers();
afterAll(mysql.drop);
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
  describeSuite(`the suite of leases on ${adapter.name}`, leaseSuite(adapter), missing);
}

suite(leasesOn(inMemory));
suite(leasesOn(onSqlite, { not: "SQLite writes one transaction at a time" }));
suite(leasesOn(postgres.overPg), postgres.missing);
suite(leasesOn(postgres.overPostgres), postgres.missing);
suite(leasesOn(postgres.repeatableRead), postgres.missing);
suite(leasesOn(postgres.inMapper), postgres.missing);
suite(leasesOn(mysql.own), mysql.missing);
suite(leasesOn(mysql.inMapper), mysql.missing);
suite(leasesOn(mysql.byStatementsForMysql), mysql.missing);

describeOnRedis((adapter, missing) => suite(leasesOn(adapter), missing));
describeOnItems((adapter, missing) => suite(leasesOn(adapter), missing));
suite(azure, noAzurite);
