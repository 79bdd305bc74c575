import { createConnection } from "mysql2/promise";
import { Client } from "pg";
import { afterAll, beforeAll, describe, test } from "vitest";
import { transactionsSuite } from "../../src/testing/index.ts";
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

describe.each(adapters)("$name", ({ dialect, suite }) => {
  for (const { name, skip, run } of suite(transactionsSuite)) {
    test(name, async (context) => {
      const reason = skip ?? away[dialect];
      if (reason !== null) context.skip(reason);
      await run();
    });
  }
});
