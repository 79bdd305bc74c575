import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { Duration } from "../../src/base/duration.ts";
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
  /** Deletes the table. */
  readonly drop: (table: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A ledger of items on its emulator. */
export interface ItemLedgerServer extends ItemServer {
  readonly adapter: LedgerAdapter<never>;
  /** A new ledger over the table, with a client of its own. */
  readonly ledger: (table: string, options?: ItemLedgerOptions) => Ledger<never>;
  readonly port: number;
}

export interface ItemLedgerOptions {
  readonly clock?: Clock;
  /** Asked through another one, such as a proxy's. */
  readonly port?: number;
  readonly deadline?: Duration;
  /** Around each call of the client, by its name. */
  readonly around?: Around;
}

export type Around = (method: string, given: readonly unknown[], call: () => Promise<unknown>) => Promise<unknown>;

interface Emulated extends ItemServer {
  readonly port: number;
  readonly ledger: (table: string, options: Required<ItemLedgerOptions>) => Ledger<never>;
}

/** A client each of whose calls that ask for something passes through `around`. */
function calledThrough<C extends object>(client: C, around: Around): C {
  return new Proxy(client, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function" || typeof name !== "string") return member;
      return (...given: readonly unknown[]) => {
        const call = (): unknown => Reflect.apply(member, target, given);
        // pages are asked for by whoever goes through them
        return name === "listEntities" ? call() : around(name, given, async () => call());
      };
    },
  });
}

/** Whether an emulator's time stands still until it is told to go on. */
type Time = "stands" | "goes on";

async function azureTables(time: Time): Promise<Emulated> {
  const server = await startAzuriteTables(time);
  return {
    ...server,
    ledger: (name, { clock, port, deadline, around }) =>
      createAzureTablesLedger({ table: calledThrough(server.client(name, port), around), deadline }, clock),
  };
}

async function dynamo(time: Time): Promise<Emulated> {
  const server = await startDynalite(time);
  return {
    ...server,
    ledger: (table, { clock, port, deadline, around }) =>
      createDynamoLedger({ client: calledThrough(server.client(port), around), table, deadline }, clock),
  };
}

/** Both stores of items, for suites. */
export const itemLedgers = [
  {
    name: "azure-tables on Azurite",
    missing: noAzuriteTablesHere(),
    start: (time?: Time) => serve("azure-tables on Azurite", azureTables, time),
  },
  {
    name: "dynamodb on dynalite",
    missing: undefined,
    start: (time?: Time) => serve("dynamodb on dynalite", dynamo, time),
  },
] as const;

export function newTableName(): string {
  return `suite${randomBytes(6).toString("hex")}`;
}

/** Declares tests on each, with its emulator running where this machine has it. */
export function describeOnItems(
  declare: (adapter: LedgerAdapter<never>, missing: string | undefined) => void,
  time?: Time,
): void {
  describe.each(itemLedgers)("on $name", ({ name, missing, start }) => {
    let server: ItemLedgerServer | undefined;
    beforeAll(async () => {
      if (missing === undefined) server = await start(time);
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

/** An emulator on a busy machine takes its time. */
const slow = "30s";

async function serve(
  name: string,
  start: (time: Time) => Promise<Emulated>,
  time: Time = "stands",
): Promise<ItemLedgerServer> {
  const server = await start(time);
  let passed = 0;
  // this process's clock stands still as well, so that only what a test lets pass does
  const clock: Clock = time === "goes on" ? systemClock : { ...systemClock, monotonic: () => passed };
  const passTime = async (ms: number) => {
    passed += ms;
    await server.passTime(ms);
  };
  const ledger: ItemLedgerServer["ledger"] = (table, options = {}) => {
    const around: Around = (_method, _given, call) => call();
    return server.ledger(table, { clock, port: server.port, deadline: slow, around, ...options });
  };
  return {
    ledger,
    port: server.port,
    passTime,
    drop: server.drop,
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
