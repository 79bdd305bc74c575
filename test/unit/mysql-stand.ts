import type { Pool, PoolConnection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { nameOf, newAttemptId, newWorkId } from "../../src/base/names.ts";
import type { AcceptRequest, ClaimRequest, Ledger, Won } from "../../src/contract/ledger.ts";
import { type MysqlLedgerOptions, type MysqlTransaction, mysqlLedger } from "../../src/stores/mysql/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlServer, mysqlTransactions, mysqlVersion, type TestDatabase } from "../support/mysql.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";

const isThere = (await mysqlVersion()) !== undefined;
export let database: TestDatabase;
export let proxy: TcpProxy;
export const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  if (!isThere) return;
  database = await createDatabase();
  await database.query("create table booking (identity varchar(100) not null) engine=InnoDB");
  await database.query("create table seat (number int primary key, taken int not null) engine=InnoDB");
});
beforeEach(async (context) => {
  if (!isThere) context.skip(`${cannotRunHere}MariaDB does not answer`);
  await (await opened()).close();
  await database.clear();
  await database.query("insert into seat values (1, 0), (2, 0)");
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => database?.drop());

export type Options = Omit<MysqlLedgerOptions, "pool"> & { readonly pool?: Pool };

export async function opened(options: Options = {}): Promise<Ledger<MysqlTransaction>> {
  const pool = options.pool ?? database.pool({ connectionLimit: 4 });
  const ledger = mysqlLedger({ wait: "20s", ...options, pool });
  closing.push(async () => {
    await ledger.close();
    if (options.pool === undefined) await pool.end();
  });
  await ledger.open();
  return ledger;
}

/** A ledger that joins transactions of another's, which may end them as they like. */
export async function mapped() {
  const pool = database.pool({ connectionLimit: 4 });
  const transactions = mysqlTransactions(pool);
  const ledger: Ledger<PoolConnection> = mysqlLedger({ pool, wait: "20s", transactions });
  closing.push(async () => {
    await ledger.close();
    await pool.end();
  });
  await ledger.open();
  return { ledger, transactions };
}

/** A ledger whose statements pass through the proxy. */
export async function behindProxy(options: Options = {}): Promise<Ledger<MysqlTransaction>> {
  proxy = await tcpProxy(mysqlServer);
  const pool = database.pool({ host: "127.0.0.1", port: proxy.port, connectionLimit: 4 });
  const ledger = await opened({ ...options, pool });
  closing.push(async () => {
    proxy.thaw();
    await proxy.close();
  });
  return ledger;
}

export function request(identity = "a", key: string | null = null): ClaimRequest {
  return {
    name: nameOf("work", [identity]),
    key: key === null ? null : nameOf("key", [key]),
    print: { version: 1, hash: "h" },
    keepMs: 60_000,
    leaseMs: 10_000,
    attempt: newAttemptId(),
    input: null,
    resuming: false,
    about: { operation: "op", identity, principal: "p", key, owner: "o" },
    parent: null,
    intent: null,
  };
}

export function later(identity: string, key: string | null = null): AcceptRequest {
  return { ...request(identity, key), id: newWorkId(), input: "input" };
}

export const finished = { value: null, outcome: "{}", refused: false };

export function book(identity: string) {
  return async (tx: MysqlTransaction) => {
    await tx.query("insert into booking values (?)", [identity]);
    return { ...finished, answer: "1" };
  };
}

export async function bookings(): Promise<readonly string[]> {
  return (await database.query("select identity from booking order by identity")).map((row) => String(row["identity"]));
}

export function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

export async function won(ledger: Ledger<unknown>, identity = "a"): Promise<Won> {
  const claim = await ledger.claim(request(identity));
  if (claim.is !== "won") throw new Error(`told ${claim.is}`);
  return claim;
}

export const away = { code: "REPRISE_LEDGER_AWAY" };
