import { afterAll, beforeAll, beforeEach, describe, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import { type ItemLedgerOptions, type ItemLedgerServer, itemLedgers, newTableName } from "../support/item-ledgers.ts";

/** A new table for each test, and ledgers over it. */
export interface ItemStand {
  readonly server: () => ItemLedgerServer;
  readonly table: () => string;
  /** Opened. Each has a client of its own, as another process would. */
  readonly ledger: (options?: ItemLedgerOptions) => Promise<Ledger<never>>;
  readonly test: (name: string, run: () => Promise<void>) => void;
}

/** Declares tests on each store of items whose emulator this machine has. */
export function describeOnItemStands(declare: (stand: ItemStand, isAzure: boolean) => void): void {
  describe.each(itemLedgers)("on $name", ({ name, missing, start }) => {
    let server: ItemLedgerServer | undefined;
    let table = "";
    const opened: Ledger<never>[] = [];
    beforeAll(async () => {
      if (missing === undefined) server = await start();
    });
    afterAll(() => server?.stop());
    beforeEach(() => {
      table = newTableName();
      return async () => {
        for (const ledger of opened.splice(0)) await ledger.close();
      };
    });
    const running = () => {
      if (server === undefined) throw new Error("no emulator");
      return server;
    };
    const stand: ItemStand = {
      server: running,
      table: () => table,
      ledger: async (options) => {
        const ledger = running().ledger(table, options);
        opened.push(ledger);
        await ledger.open();
        return ledger;
      },
      test: (title, run) =>
        test(title, async (context) => {
          if (missing !== undefined) context.skip(missing);
          await run();
        }),
    };
    declare(stand, name.startsWith("azure"));
  });
}
