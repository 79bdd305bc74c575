import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { createAzureTablesLedger } from "../../src/stores/azure-tables/ledger.ts";
import { createDynamoLedger } from "../../src/stores/dynamodb/ledger.ts";
import { uncertaintyMs } from "../../src/stores/items/store-clock.ts";
import type { LedgerAdapter } from "../../src/testing/index.ts";
import { noAzuriteTablesHere, startAzuriteTables } from "./azurite-tables.ts";
import { startDynalite } from "./dynalite.ts";

/** An emulator whose clock stands still until it is told to go on. */
export interface ItemServer {
  readonly passTime: (ms: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A ledger of items on its emulator. */
export interface ItemLedgerServer extends ItemServer {
  readonly adapter: LedgerAdapter<never>;
  /** A new ledger over the table, with a client of its own. `port`: asked through another one, such as a proxy's. */
  readonly ledger: (table: string, options?: { readonly clock?: Clock; readonly port?: number }) => Ledger<never>;
  readonly port: number;
}

interface Emulated extends ItemServer {
  readonly port: number;
  readonly ledger: (table: string, clock: Clock, port: number) => Ledger<never>;
}

/** An emulator on a busy machine is slow. */
const deadline = "30s";

async function azureTables(): Promise<Emulated> {
  const server = await startAzuriteTables();
  return {
    ...server,
    ledger: (table, clock, port) => createAzureTablesLedger({ table: server.client(table, port), deadline }, clock),
  };
}

async function dynamo(): Promise<Emulated> {
  const server = await startDynalite();
  return {
    ...server,
    ledger: (table, clock, port) => createDynamoLedger({ client: server.client(port), table, deadline }, clock),
  };
}

/** Both stores of items, for suites. */
export const itemLedgers = [
  {
    name: "azure-tables on Azurite",
    missing: noAzuriteTablesHere(),
    start: () => serve("azure-tables on Azurite", azureTables),
  },
  { name: "dynamodb on dynalite", missing: undefined, start: () => serve("dynamodb on dynalite", dynamo) },
] as const;

export function newTableName(): string {
  return `suite${randomBytes(6).toString("hex")}`;
}

/** Declares tests on each, with its emulator running where this machine has it. */
export function describeOnItems(declare: (adapter: LedgerAdapter<never>, missing: string | undefined) => void): void {
  describe.each(itemLedgers)("on $name", ({ name, missing, start }) => {
    let server: ItemLedgerServer | undefined;
    beforeAll(async () => {
      if (missing === undefined) server = await start();
    });
    afterAll(() => server?.stop());
    const adapter: LedgerAdapter<never> = {
      name,
      can,
      open: () => (server === undefined ? Promise.reject(new Error("no emulator")) : server.adapter.open()),
    };
    declare(adapter, missing);
  });
}

const can: LedgerAdapter<never>["can"] = {
  transactions: { not: "an item is written in no transaction of the user's" },
  severalInstances: true,
};

async function serve(name: string, start: () => Promise<Emulated>): Promise<ItemLedgerServer> {
  const server = await start();
  let passed = 0;
  // this process's clock stands still as well, so that only what a test lets pass does
  const standing: Clock = { ...systemClock, monotonic: () => passed };
  const passTime = async (ms: number) => {
    passed += ms;
    await server.passTime(ms);
  };
  const ledger: ItemLedgerServer["ledger"] = (table, { clock = standing, port = server.port } = {}) =>
    server.ledger(table, clock, port);
  return {
    ledger,
    port: server.port,
    passTime,
    stop: server.stop,
    adapter: {
      name,
      can,
      open: async () => {
        const table = newTableName();
        const opened: Ledger<never>[] = [];
        const another = async () => {
          const one = ledger(table);
          opened.push(one);
          await one.open();
          return one;
        };
        return {
          ledger: await another(),
          another,
          // until so much has passed for certain, by a clock that tells seconds
          passTime: (ms) => passTime(ms + uncertaintyMs),
          insertBooking: () => Promise.reject(new Error("an item is written in no transaction")),
          bookings: async () => [],
          fewRaces: true,
          close: async () => {
            for (const one of opened) await one.close();
          },
        };
      },
    },
  };
}
