import { afterAll } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { WriteJournal } from "../../src/contract/write-journal.ts";
import { type LedgerAdapter, type WriteJournalAdapter, writeJournalSuite } from "../../src/testing/index.ts";
import { inMemory, onSqlite } from "../support/local-ledgers.ts";
import { mysqlLedgers } from "../support/mysql-ledgers.ts";
import { postgresLedgers } from "../support/postgres-ledgers.ts";
import { describeSuite } from "../support/suite.ts";

function writesOf(ledger: Ledger<unknown>): WriteJournal {
  if (ledger.writes === undefined) throw new Error(`ledger '${ledger.name}' keeps no journal of writes`);
  return ledger.writes;
}

/** A ledger's journal of writes, on the stage of the ledger's own suite. */
function writesOn<Tx>({ name, can, open }: LedgerAdapter<Tx>): WriteJournalAdapter {
  return {
    name,
    can,
    open: async () => {
      const { ledger, passTime, another, close } = await open();
      return { writes: writesOf(ledger), passTime, another: async () => writesOf(await another()), close };
    },
  };
}

const postgres = await postgresLedgers();
afterAll(postgres.drop);
const mysql = await mysqlLedgers();
afterAll(mysql.drop);

function suite<Tx>(adapter: LedgerAdapter<Tx>, missing?: string): void {
  describeSuite(`the suite of write journals on ${adapter.name}`, writeJournalSuite(writesOn(adapter)), missing);
}

suite(inMemory);
suite(onSqlite);
suite(postgres.overPg, postgres.missing);
suite(postgres.overPostgres, postgres.missing);
suite(mysql.own, mysql.missing);
