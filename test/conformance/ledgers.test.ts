import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { type MysqlTransaction, mysqlLedger } from "../../src/stores/mysql/index.ts";
import { type SqliteTransaction, sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { type LedgerAdapter, ledgerSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "../support/environment.ts";
import { createDatabase, mysqlVersion } from "../support/mysql.ts";

/** Stored time moves when told to; waiting for a lock takes real time. */
function movableClock(): { readonly clock: Clock; readonly passTime: (ms: number) => Promise<void> } {
  let passed = 0;
  return {
    clock: { ...systemClock, now: () => systemClock.now() + passed },
    passTime: async (ms) => {
      passed += ms;
    },
  };
}

const memory: LedgerAdapter<MemoryTransaction> = {
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

/** A store with transactions of its own, which the memory ledger only follows. */
const memoryBeside: LedgerAdapter<string[]> = {
  name: "memory beside another store",
  can: { transactions: true, severalInstances: { not: "a memory ledger is its own store" } },
  open: async () => {
    const { clock, passTime } = movableClock();
    const committed: string[] = [];
    const savepoints = new Map<string[], number[]>();
    const ledger = memoryLedger<string[]>({
      clock,
      transactions: {
        begin: async (work) => {
          const rows: string[] = [];
          const value = await work(rows);
          committed.push(...rows);
          return value;
        },
        query: async (rows, text) => {
          const marks = savepoints.get(rows) ?? [];
          savepoints.set(rows, marks);
          if (text.startsWith("savepoint")) marks.push(rows.length);
          else if (text.startsWith("rollback")) rows.length = marks.at(-1) ?? 0;
          else marks.pop();
          return [];
        },
      },
    });
    await ledger.open();
    return {
      ledger,
      passTime,
      another: () => Promise.reject(new Error("a memory ledger is its own store")),
      insertBooking: async (rows, identity) => {
        rows.push(identity);
      },
      bookings: async () => committed,
      close: ledger.close,
    };
  },
};

const sqlite: LedgerAdapter<SqliteTransaction> = {
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

const isMysqlThere = (await mysqlVersion()) !== undefined;
const mysqlDatabase = isMysqlThere ? await createDatabase() : undefined;
afterAll(() => mysqlDatabase?.drop());

const mysql: LedgerAdapter<MysqlTransaction> = {
  name: "mysql",
  can: { transactions: true, severalInstances: true },
  open: async () => {
    if (mysqlDatabase === undefined) throw new Error("no server");
    const { pool, query, clear, passTime } = mysqlDatabase;
    const opened: Ledger<MysqlTransaction>[] = [];
    const pools: ReturnType<typeof pool>[] = [];
    const another = async () => {
      const own = pool();
      pools.push(own);
      const ledger = mysqlLedger({ pool: own, wait: "30s" });
      await ledger.open();
      opened.push(ledger);
      return ledger;
    };
    const ledger = await another();
    await query("create table if not exists booking (identity varchar(200) not null) engine=InnoDB");
    await clear();
    return {
      ledger,
      passTime,
      another,
      insertBooking: async (tx, identity) => {
        await tx.query("insert into booking (identity) values (?)", [identity]);
      },
      bookings: async () => (await query("select identity from booking")).map((row) => String(row["identity"])),
      close: async () => {
        for (const one of opened) await one.close();
        for (const one of pools) await one.end();
      },
    };
  },
};

function suite<Tx>(adapter: LedgerAdapter<Tx>, missing?: string): void {
  describe(`the ledger suite on ${adapter.name}`, () => {
    for (const { name, skip, run } of ledgerSuite(adapter)) {
      test(name, async (context) => {
        if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        await run();
      });
    }
  });
}

suite(memory);
suite(memoryBeside);
suite(sqlite);
suite(mysql, isMysqlThere ? undefined : "MariaDB does not answer");
