import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { WriteJournal } from "../../src/contract/write-journal.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { type WriteJournalAdapter, writeJournalSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "../support/environment.ts";
import { createDatabase, mysqlVersion } from "../support/mysql.ts";
import { type DriverName, postgresVersion, sharedPlace } from "../support/postgres.ts";

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

function writesOf(ledger: Ledger<unknown>): WriteJournal {
  if (ledger.writes === undefined) throw new Error(`ledger '${ledger.name}' keeps no journal of writes`);
  return ledger.writes;
}

const memory: WriteJournalAdapter = {
  name: "memory",
  can: { severalInstances: { not: "a memory ledger is its own store" } },
  open: async () => {
    const { clock, passTime } = movableClock();
    const ledger = memoryLedger({ clock });
    return {
      writes: writesOf(ledger),
      passTime,
      another: () => Promise.reject(new Error("a memory ledger is its own store")),
      close: ledger.close,
    };
  },
};

const sqlite: WriteJournalAdapter = {
  name: "sqlite",
  can: { severalInstances: true },
  open: async () => {
    const { clock, passTime } = movableClock();
    const directory = mkdtempSync(join(tmpdir(), "reprise-writes-"));
    const opened: Ledger<unknown>[] = [];
    const another = async () => {
      const ledger = sqliteLedger({ path: join(directory, "ledger.db"), clock, busy: "20s" });
      await ledger.open();
      opened.push(ledger);
      return writesOf(ledger);
    };
    return {
      writes: await another(),
      passTime,
      another,
      close: async () => {
        for (const one of opened) await one.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

const shared = sharedPlace();
afterAll(shared.drop);

function postgresOver(driver: DriverName): WriteJournalAdapter {
  return {
    name: `postgres over ${driver}`,
    can: { severalInstances: true },
    open: async () => {
      const { ledger, passTime, clear } = await shared.place();
      const another = async (instance = 1) => writesOf(await ledger(driver, { instance }));
      return { writes: await another(0), passTime, another, close: clear };
    },
  };
}

const postgresIsMissing = (await postgresVersion()) === undefined ? "no PostgreSQL answers" : undefined;

const isMysqlThere = (await mysqlVersion()) !== undefined;
const mysqlDatabase = isMysqlThere ? await createDatabase() : undefined;
afterAll(() => mysqlDatabase?.drop());

const mysql: WriteJournalAdapter = {
  name: "mysql",
  can: { severalInstances: true },
  open: async () => {
    if (mysqlDatabase === undefined) throw new Error("no server");
    const { pool, clear, passTime } = mysqlDatabase;
    const ends: (() => Promise<void>)[] = [];
    const another = async () => {
      const own = pool();
      const ledger = mysqlLedger({ pool: own, wait: "30s" });
      await ledger.open();
      ends.push(async () => {
        await ledger.close();
        await own.end();
      });
      return writesOf(ledger);
    };
    const writes = await another();
    await clear();
    return {
      writes,
      passTime,
      another,
      close: async () => {
        for (const end of ends) await end();
      },
    };
  },
};

for (const { adapter, missing } of [
  { adapter: memory },
  { adapter: sqlite },
  { adapter: postgresOver("pg"), missing: postgresIsMissing },
  { adapter: postgresOver("postgres"), missing: postgresIsMissing },
  { adapter: mysql, missing: isMysqlThere ? undefined : "MariaDB does not answer" },
]) {
  describe(`the suite of write journals on ${adapter.name}`, () => {
    for (const { name, skip, run } of writeJournalSuite(adapter)) {
      test(name, async (context) => {
        if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        await run();
      });
    }
  });
}
