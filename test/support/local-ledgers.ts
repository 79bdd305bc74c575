import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ledger } from "../../src/contract/ledger.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { type SqliteTransaction, sqliteLedger } from "../../src/stores/sqlite/index.ts";
import type { LedgerAdapter } from "../../src/testing/index.ts";
import { movableClock } from "./movable-clock.ts";

/** The ledgers that need no server, for suites. */

export const inMemory: LedgerAdapter<MemoryTransaction> = {
  name: "memory",
  can: { transactions: true, severalInstances: { not: "a memory ledger is its own store" } },
  open: async () => {
    const { clock, passTime } = movableClock();
    const ledger = memoryLedger({ clock });
    await ledger.open();
    let bookings = 0;
    return {
      ledger,
      passTime,
      another: () => Promise.reject(new Error("a memory ledger is its own store")),
      insertBooking: async (tx, identity) => tx.set(`booking ${++bookings}`, identity),
      bookings: async () => [...ledger.rows.values()].map(String),
      close: ledger.close,
    };
  },
};

export const onSqlite: LedgerAdapter<SqliteTransaction> = {
  name: "sqlite",
  can: { transactions: true, severalInstances: true },
  open: async () => {
    const { clock, passTime } = movableClock();
    const directory = mkdtempSync(join(tmpdir(), "reprise-ledger-"));
    const path = join(directory, "ledger.db");
    const opened: Ledger<SqliteTransaction>[] = [];
    const another = async () => {
      const ledger = sqliteLedger({ path, clock, busy: "20s" });
      await ledger.open();
      opened.push(ledger);
      return ledger;
    };
    const ledger = await another();
    await ledger.transaction((tx) => tx.query("create table booking (identity text not null)"));
    return {
      ledger,
      passTime,
      another,
      insertBooking: async (tx, identity) => {
        await tx.query("insert into booking (identity) values (?)", [identity]);
      },
      bookings: () =>
        ledger.transaction(async (tx) =>
          (await tx.query("select identity from booking")).map((row) => String(row["identity"])),
        ),
      close: async () => {
        for (const one of opened) await one.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};
