import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import postgres from "postgres";
import type { Ledger } from "../../src/contract/ledger.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { type PostgresPool, postgresLedger } from "../../src/stores/postgres/index.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { drizzleTransactions } from "../../src/stores/transactions/index.ts";
import { faultyLedger } from "../../src/testing/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlServer, mysqlVersion } from "../support/mysql.ts";
import { pgPool, postgresPlace, postgresUrl, postgresVersion } from "../support/postgres.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";

/** A database of bookings that an anchor writes. */
export interface AnchorStage {
  /** A ledger there, on connections of its own. `tx` is only handed back to `write`. */
  readonly ledger: () => Promise<Ledger<unknown>>;
  /** A statement in a transaction of one of those ledgers. */
  readonly write: (tx: unknown, text: string) => Promise<unknown>;
  readonly bookings: () => Promise<readonly string[]>;
  /** A ledger that loses the answer to its next commit. */
  readonly losingAnswer: () => Promise<Ledger<unknown>>;
  /** Where another process finds it. */
  readonly place: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

export interface AnchorStore {
  readonly name: string;
  /** Why it cannot be opened here; `undefined`: it can. */
  readonly missing: string | undefined;
  /** Whether transactions run beside each other, or take turns. */
  readonly concurrent: boolean;
  readonly open: () => Promise<AnchorStage>;
}

const most = 6;
const noPostgres = (await postgresVersion()) === undefined ? `${cannotRunHere}no PostgreSQL answers` : undefined;
const noMysql = (await mysqlVersion()) === undefined ? `${cannotRunHere}MariaDB does not answer` : undefined;

/** Cuts one connection, once, instead of the answer to the commit of a booking. */
async function losingProxy(target: { readonly host: string; readonly port: number }) {
  const proxy = await tcpProxy(target);
  let next: "booking" | "commit" | "nothing" = "booking";
  proxy.fateOf = (request) => {
    if (next === "booking" && /insert into \S*booking/.test(request)) next = "commit";
    if (next !== "commit" || !/commit/i.test(request)) return "pass";
    next = "nothing";
    return "lose the answer";
  };
  return proxy;
}

function onPostgres(name: string, make: (url: string, schema: string) => Made): AnchorStore {
  return {
    name,
    missing: noPostgres,
    concurrent: true,
    open: async () => {
      const place = await postgresPlace();
      await place.admin.query(`create table ${place.schema}.account (id text primary key, n integer not null)`);
      await place.admin.query(`insert into ${place.schema}.account values ('a', 0), ('b', 0)`);
      const ends: (() => Promise<unknown>)[] = [];
      const ledger = async (url: string) => {
        const made = make(url, place.schema);
        ends.unshift(async () => {
          await made.ledger.close();
          await made.end();
        });
        return made.ledger;
      };
      const { write } = make(postgresUrl, place.schema);
      return {
        ledger: () => ledger(postgresUrl),
        write: (tx, text) => write(tx, text.replaceAll("@", `${place.schema}.`)),
        bookings: place.bookings,
        losingAnswer: async () => {
          const url = new URL(postgresUrl);
          const proxy = await losingProxy({ host: url.hostname, port: Number(url.port || 5432) });
          ends.push(proxy.close);
          url.port = String(proxy.port);
          return ledger(url.href);
        },
        place: { store: "postgres", schema: place.schema, url: postgresUrl },
        close: async () => {
          for (const end of ends) await end();
          await place.drop();
        },
      };
    },
  };
}

interface Made {
  readonly ledger: Ledger<unknown>;
  readonly write: (tx: unknown, text: string) => Promise<unknown>;
  readonly end: () => Promise<unknown>;
}

interface Queries {
  readonly query: (text: string) => Promise<unknown>;
}
const query = (tx: unknown, text: string) => (tx as Queries).query(text);

function poolOfPg(url: string) {
  const pool = pgPool(url, most);
  // one that is cut while a mapper's transaction holds it ends the process otherwise
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

const overPool = (pool: PostgresPool, schema: string, end: () => Promise<unknown>): Made => ({
  ledger: postgresLedger({ pool, schema, prepared: false, deadline: "20s" }),
  write: query,
  end,
});

const sqlite: AnchorStore = {
  name: "SQLite",
  missing: undefined,
  concurrent: false,
  open: async () => {
    const directory = mkdtempSync(join(tmpdir(), "reprise-anchor-"));
    const path = join(directory, "bookings.db");
    const opened: Ledger<unknown>[] = [];
    const ledger = () => {
      const made = sqliteLedger({ path, busy: "20s" });
      opened.push(made);
      return made;
    };
    const admin = ledger();
    await admin.transaction((tx) => tx.query("create table booking (identity text not null)"));
    return {
      ledger: async () => ledger(),
      write: (tx, text) => query(tx, text.replaceAll("@", "")),
      bookings: async () => {
        const rows = await admin.transaction((tx) => tx.query("select identity from booking"));
        return rows.map(({ identity }) => String(identity));
      },
      losingAnswer: async () => {
        // a file has no connection that could be cut
        const faulty = faultyLedger(ledger());
        faulty.lose("atomic");
        return faulty.ledger;
      },
      place: { store: "sqlite", path },
      close: async () => {
        for (const one of opened) await one.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

const mariadb: AnchorStore = {
  name: "MariaDB",
  missing: noMysql,
  concurrent: true,
  open: async () => {
    const database = await createDatabase();
    await database.query("create table booking (identity varchar(64) not null)");
    await database.query("create table account (id varchar(8) primary key, n integer not null)");
    await database.query("insert into account values ('a', 0), ('b', 0)");
    const ends: (() => Promise<unknown>)[] = [];
    const ledger = async (port?: number) => {
      const pool = database.pool({ connectionLimit: most, ...(port === undefined ? {} : { host: "127.0.0.1", port }) });
      const made = mysqlLedger({ pool, deadline: "20s" });
      ends.unshift(made.close);
      return made;
    };
    return {
      ledger: () => ledger(),
      write: (tx, text) => query(tx, text.replaceAll("@", "")),
      bookings: async () =>
        (await database.query("select identity from booking")).map((row) => String(row["identity"])),
      losingAnswer: async () => {
        const proxy = await losingProxy(mysqlServer);
        ends.push(proxy.close);
        return ledger(proxy.port);
      },
      place: { store: "mysql", database: database.name, ...mysqlServer, port: String(mysqlServer.port) },
      close: async () => {
        for (const end of ends) await end();
        await database.drop();
      },
    };
  },
};

export const anchorStores: readonly AnchorStore[] = [
  onPostgres("PostgreSQL over pg", (url, schema) => {
    const pool = poolOfPg(url);
    return overPool(pool, schema, () => pool.end());
  }),
  onPostgres("PostgreSQL over postgres", (url, schema) => {
    const client = postgres(url, { max: most, onnotice: () => undefined });
    return overPool(client, schema, () => client.end({ timeout: 1 }));
  }),
  onPostgres("PostgreSQL in Drizzle's transactions", (url, schema) => {
    const pool = poolOfPg(url);
    const db = drizzle(pool);
    type Tx = Parameters<Parameters<typeof db.transaction>[0]>[0];
    return {
      ledger: postgresLedger({ pool, schema, transactions: drizzleTransactions(db), deadline: "20s" }),
      write: (tx, text) => (tx as Tx).execute(sql.raw(text)),
      end: () => pool.end(),
    };
  }),
  mariadb,
  sqlite,
];
