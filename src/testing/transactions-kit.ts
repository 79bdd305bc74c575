import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { databaseErrorOf } from "../contract/database-error.ts";
import type { QueryResult } from "../contract/transactions.ts";
import type { TransactionsDialect, TransactionsStage } from "./transactions-adapter.ts";

/** A case before it is bound to an adapter. */
export interface TransactionsScenario {
  readonly name: string;
  /** Where it has something to show. Left out: everywhere. */
  readonly only?: TransactionsDialect;
  readonly needs?: readonly ("savepoints" | "lostConnections")[];
  readonly run: <Tx>(stage: TransactionsStage<Tx>, table: Table) => Promise<void>;
}

/** A table of the case's own, and how its database says things. */
export interface Table {
  readonly name: string;
  readonly insert: string;
  readonly idOfTransaction: string;
  readonly idOfBackend: string;
  readonly codes: { readonly duplicate: unknown; readonly deadlock: unknown };
  /** PostgreSQL: the SQLSTATE; MySQL and MariaDB: the number. */
  readonly codeOf: (error: unknown) => unknown;
}

export function tableFor(dialect: TransactionsDialect): Table {
  const name = `reprise_suite_${randomBytes(6).toString("hex")}`;
  return dialect === "postgres"
    ? {
        name,
        insert: `insert into ${name} (identity, number) values ($1, $2)`,
        idOfTransaction: "select txid_current()::text as id",
        idOfBackend: "select pg_backend_pid() as id",
        codes: { duplicate: "23505", deadlock: "40P01" },
        codeOf: (error) => databaseErrorOf(error).code,
      }
    : {
        name,
        insert: `insert into ${name} (identity, number) values (?, ?)`,
        idOfTransaction: "select connection_id() as id",
        idOfBackend: "select connection_id() as id",
        codes: { duplicate: 1062, deadlock: 1213 },
        codeOf: (error) => databaseErrorOf(error).errno,
      };
}

/** Runs one statement in a transaction of its own. */
export function alone<Tx>(stage: TransactionsStage<Tx>, text: string, params: readonly unknown[] = []) {
  return stage.transactions.begin((tx) => stage.transactions.query(tx, text, params));
}

/** The committed rows. */
export async function identities<Tx>(stage: TransactionsStage<Tx>, { name }: Table): Promise<readonly unknown[]> {
  return column(await alone(stage, `select identity from ${name} order by identity`), "identity");
}

export function column({ rows }: QueryResult, name: string): readonly unknown[] {
  return rows.map((row) => row[name]);
}

/** Rejects, and with this code at the error itself, not inside of it. */
export async function rejectsWith(promise: Promise<unknown>, code: unknown): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof Error);
    const { code: own, errno } = error as { readonly code?: unknown; readonly errno?: unknown };
    assert.equal(typeof code === "number" ? errno : own, code);
    return true;
  });
}

export interface Gate {
  readonly open: () => void;
  readonly opened: Promise<void>;
}

export function gate(): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** Ends the connection of an open transaction from another one, and returns when it is gone. */
export async function cut<Tx>(stage: TransactionsStage<Tx>, dialect: TransactionsDialect, id: number): Promise<void> {
  const [kill, look] =
    dialect === "postgres"
      ? [`select pg_terminate_backend(${id})`, `select pid from pg_stat_activity where pid = ${id}`]
      : [`kill ${id}`, `select id from information_schema.processlist where id = ${id}`];
  await alone(stage, kill);
  while ((await alone(stage, look)).count > 0) await new Promise((resolve) => setImmediate(resolve));
}
