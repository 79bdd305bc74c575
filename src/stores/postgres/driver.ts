import type { QueryResult } from "../../contract/transactions.ts";
import { type PgPool, pgDriver } from "./pg.ts";
import { type PostgresSql, postgresDriver } from "./postgres-js.ts";

/** What stands for `$1`, `$2`, …: text, numbers and null, so that no driver's type mapping has a say. */
export type Parameter = string | number | null;

/** A statement of ours, and under which name a connection prepares it; `null`: it prepares nothing. */
export interface Statement {
  readonly text: string;
  readonly name: string | null;
  readonly params: readonly Parameter[];
}

/** A statement of the user's. */
export interface Query {
  readonly text: string;
  readonly params: readonly unknown[];
}

export interface Answer {
  /** Of statements of ours: their columns have names of lower-case letters, which no driver changes. */
  readonly rows: readonly OwnRow[];
  /** How many rows it returned or changed. */
  readonly count: number;
  /** The command's tag: a COMMIT of an aborted transaction succeeds and says `ROLLBACK`. */
  readonly command: string;
}
export type OwnRow = Readonly<Record<string, unknown>>;

/** A connection that nobody else uses until it is given back. */
export interface Connection {
  /** Sends statements in one round trip and resolves when all are answered; rejects with the first one's error. */
  readonly send: (statements: readonly Statement[]) => Promise<readonly Answer[]>;
  /** One statement of the user's. */
  readonly query: (text: string, params: readonly unknown[]) => Promise<QueryResult>;
  /** Several, in their order, in as few round trips as the driver can. Rejects with the first one's error. */
  readonly queryAll: (queries: readonly Query[]) => Promise<readonly QueryResult[]>;
  readonly isLost: () => boolean;
  /** Back to the pool, unless it is lost. */
  readonly release: () => void;
  /** Ends it: nobody knows what state it is in. */
  readonly destroy: () => void;
}

export interface Driver {
  readonly connect: () => Promise<Connection>;
  /** Whether every connection that the pool may open is in use. */
  readonly isExhausted: () => boolean;
}

/** A `Pool` of `pg`, or what `postgres()` returns. */
export type PostgresPool = PgPool | PostgresSql;

export function driverOf(pool: PostgresPool, prepared: boolean): Driver {
  return typeof pool === "function" ? postgresDriver(pool, prepared) : pgDriver(pool, prepared);
}
