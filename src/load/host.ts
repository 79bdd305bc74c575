import type { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { RepriseError } from "../base/errors.ts";
import type { LeaseStore } from "../contract/lease.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Registers } from "../contract/registers.ts";
import type { SqlDatabase, SqlDialect } from "../contract/sql.ts";
import type { Dialect, Session } from "./dialect.ts";
import { mysqlDialect } from "./mysql/dialect.ts";
import { postgresDialect } from "./postgres/dialect.ts";
import { sqliteDialect } from "./sqlite/dialect.ts";

/** What the instance lends to its loads. */
export interface LoadHost {
  readonly service: string;
  readonly instance: string;
  readonly clock: () => Clock;
  /** The ledger, opened at the first use. */
  readonly ledger: () => Promise<Ledger<unknown>>;
  /** The same, and nothing begun in the background: for whoever only looks. */
  readonly connected: () => Promise<Ledger<unknown>>;
  /** Aborted when the instance closes and no longer waits. */
  readonly closing: Abortable;
}

/** The parts of a ledger that a load rests on. */
export interface LoadStores {
  readonly sql: SqlDatabase<unknown>;
  readonly dialect: Dialect;
  readonly registers: Registers<unknown>;
  readonly leases: LeaseStore<unknown>;
}

const dialects: Readonly<Record<SqlDialect, Dialect>> = {
  postgres: postgresDialect,
  mysql: mysqlDialect,
  sqlite: sqliteDialect,
};

/** @throws REPRISE_BAD_DECLARATION where the ledger lies in no database that a load can work in */
export function storesOf(load: string, ledger: Ledger<unknown>): LoadStores {
  const { sql, registers, leases } = ledger;
  const dialect = sql === undefined ? undefined : dialects[sql.dialect];
  const isWhole = registers?.replaceIn !== undefined && leases?.check !== undefined;
  if (sql === undefined || dialect === undefined || !isWhole) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `load '${load}'`,
      why: `ledger '${ledger.name}' lies in no database that rows can be loaded in.`,
      mend: "Use the ledger of the database that holds the table.",
    });
  }
  return { sql, dialect, registers, leases };
}

/** Sends statements inside a transaction that `begin` or a caller opened. */
export function sessionIn({ sql }: LoadStores, tx: unknown): Session {
  return { query: (text, params = []) => sql.query(tx, text, params) };
}
