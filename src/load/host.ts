import type { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { RepriseError } from "../base/errors.ts";
import type { LeaseStore } from "../contract/lease.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Registers } from "../contract/registers.ts";
import type { SqlDatabase, SqlDialect } from "../contract/sql.ts";
import type { Dialect, Session } from "./dialect.ts";

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

/** Each is loaded by whoever has such a database. */
const dialects: Readonly<Record<SqlDialect, () => Promise<Dialect>>> = {
  postgres: async () => (await import("./postgres/dialect.ts")).postgresDialect,
  mysql: async () => (await import("./mysql/dialect.ts")).mysqlDialect,
  sqlite: async () => (await import("./sqlite/dialect.ts")).sqliteDialect,
};

/** @throws REPRISE_BAD_DECLARATION where the ledger lies in no database that a load can work in */
export function checkStores(load: string, ledger: Ledger<unknown>): Omit<LoadStores, "dialect"> {
  const { sql, registers, leases } = ledger;
  const isWhole = registers?.replaceIn !== undefined && leases?.check !== undefined;
  if (sql === undefined || !Object.hasOwn(dialects, sql.dialect) || !isWhole) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `load '${load}'`,
      why: `ledger '${ledger.name}' lies in no database that rows can be loaded in.`,
      mend: "Use the ledger of the database that holds the table.",
    });
  }
  return { sql, registers, leases };
}

/** @throws REPRISE_BAD_DECLARATION as `checkStores` */
export async function storesOf(load: string, ledger: Ledger<unknown>): Promise<LoadStores> {
  const stores = checkStores(load, ledger);
  return { ...stores, dialect: await dialects[stores.sql.dialect]() };
}

/** Sends statements inside a transaction that `begin` or a caller opened. */
export function sessionIn({ sql }: LoadStores, tx: unknown): Session {
  return { query: (text, params = []) => sql.query(tx, text, params) };
}
