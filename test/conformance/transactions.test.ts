import { createConnection, createPool } from "mysql2/promise";
import { Client, Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Transactions } from "../../src/contract/transactions.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { type TransactionsAdapter, type TransactionsDialect, transactionsSuite } from "../../src/testing/index.ts";
import { claimed, keepMs, work } from "../../src/testing/ledger-kit.ts";
import { cannotRunHere } from "../support/environment.ts";
import { adapters, database, schema } from "./transactions-adapters.ts";

/** The published suite, run by every mapper on the databases themselves. */

const servers = {
  postgres: async (text: string) => {
    const client = new Client({ host: "127.0.0.1", user: "postgres", database, connectionTimeoutMillis: 5_000 });
    await client.connect();
    await client.query(text).finally(() => client.end());
  },
  mysql: async (text: string) => {
    const connection = await createConnection({ host: "127.0.0.1", user: "root", connectTimeout: 5_000 });
    await connection.query(text).finally(() => connection.end());
  },
};

const away: Record<keyof typeof servers, string | null> = { postgres: null, mysql: null };

beforeAll(async () => {
  for (const dialect of ["postgres", "mysql"] as const) {
    await servers[dialect](`create schema ${schema}`).catch((error: unknown) => {
      if ((error as { readonly code?: unknown }).code !== "ECONNREFUSED") throw error;
      away[dialect] = `${cannotRunHere}no ${dialect === "mysql" ? "MariaDB" : "PostgreSQL"} on this machine`;
    });
  }
});

afterAll(async () => {
  if (away.postgres === null) await servers.postgres(`drop schema ${schema} cascade`);
  if (away.mysql === null) await servers.mysql(`drop schema ${schema}`);
});

function ledgerOn<Tx>(dialect: TransactionsDialect, transactions: Transactions<Tx>) {
  if (dialect === "postgres") {
    const pool = new Pool({ host: "127.0.0.1", user: "postgres", database, max: 2 });
    return { ledger: postgresLedger({ pool, schema, transactions }), end: () => pool.end() };
  }
  const pool = createPool({ host: "127.0.0.1", user: "root", database: schema, connectionLimit: 2 });
  return { ledger: mysqlLedger({ pool, transactions }), end: () => pool.end() };
}

/** Nothing that a ledger is asked for is told done, nor run again, whatever a mapper makes of the statement. */
function tellsEnded(statement: string) {
  return async <Tx>({ name, dialect, open }: TransactionsAdapter<Tx>): Promise<void> => {
    const { transactions, own, close } = await open();
    const { ledger, end } = ledgerOn(dialect, transactions);
    let runs = 0;
    const ending = async (tx: Tx) => {
      runs += 1;
      await own(tx, statement);
      return { value: null, outcome: "{}", answer: "1", refused: false };
    };
    const ended = { code: "REPRISE_BAD_DECLARATION" };
    const { fence } = await claimed(ledger, `external, ${name}, ${statement}`);
    await expect(ledger.atomic(work(`${name}, ${statement}`), ending)).rejects.toMatchObject(ended);
    await expect(ledger.transact(fence, "write", ending)).rejects.toMatchObject(ended);
    await expect(ledger.conclude(fence, { keepMs, visited: [] }, ending)).rejects.toMatchObject(ended);
    const joining = transactions.begin((tx) => ledger.join(tx, work(`joined, ${name}, ${statement}`), ending));
    await expect(joining).rejects.toMatchObject(ended);
    expect(runs).toBe(4);
    await ledger.close();
    await end();
    await close();
  };
}

describe.each(adapters)("$name", ({ dialect, suite }) => {
  for (const { name, skip, run } of suite(transactionsSuite)) {
    test(name, async (context) => {
      const reason = skip ?? away[dialect];
      if (reason !== null) context.skip(reason);
      await run();
    });
  }
  for (const statement of ["commit", "rollback"]) {
    test(`a run that ends its transaction by ${statement} is told so`, async (context) => {
      if (away[dialect] !== null) context.skip(away[dialect]);
      await suite(tellsEnded(statement));
    });
  }
});
