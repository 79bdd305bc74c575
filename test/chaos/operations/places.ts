import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cannotRunHere } from "../../support/environment.ts";
import { createDatabase, mysqlServer, mysqlVersion } from "../../support/mysql.ts";
import { postgresPlace, postgresUrl, postgresVersion } from "../../support/postgres.ts";
import { noRedisHere, startRedis, startRedisCluster } from "../../support/redis.ts";
import { openStore, type Store, type StoreSettings } from "./store.ts";

/** Each ledger on a real server, where several processes meet. */

export interface Place {
  /** Where processes find it. */
  readonly settings: StoreSettings;
  /** This process's own. */
  readonly store: Store;
  /** The bookings that are committed; of a ledger that joins no transactions, none. */
  readonly bookings: () => Promise<readonly string[]>;
  /** Makes the store judge as if so much time had passed. */
  readonly passTime: (ms: number) => Promise<void>;
  /** How far each process must move the store's clock itself, where it cannot be moved for all. */
  readonly shiftMs: () => number;
  readonly network: Network | null;
  readonly close: () => Promise<void>;
}

/** What it takes to put a proxy, which loses requests and answers, between a process and its ledger. */
export interface Network {
  readonly server: { readonly host: string; readonly port: number };
  /** Where a process finds the ledger behind a proxy that listens there. */
  readonly through: (port: number) => StoreSettings;
  /** In what a client sends, the piece that commits a transaction. */
  readonly isCommit: (request: string) => boolean;
  /** The one that completes an order, once it is about to. */
  readonly isCompletion: (request: string) => boolean;
}

export interface PlaceKind {
  readonly name: string;
  readonly transactional: boolean;
  /** Whether a proxy can stand between a process and its ledger. */
  readonly networked: boolean;
  /** Why it cannot be had here. */
  readonly missing: string | undefined;
  readonly open: () => Promise<Place>;
}

/** As the ledgers write it; an identity that says COMMIT is none. */
const commits = (request: string) => /\bcommit\b/.test(request);
/** It carries the outcome. */
const tellsCharge = (request: string) => request.includes("charge ");

const sqlite: PlaceKind = {
  name: "SQLite",
  transactional: true,
  networked: false,
  missing: undefined,
  open: async () => {
    const directory = mkdtempSync(join(tmpdir(), "reprise-operations-"));
    const settings = { store: "sqlite", path: join(directory, "ledger.db") } as const;
    const store = await openStore(settings);
    const { ledger } = store;
    const run = (text: string) => ledger.transaction((tx) => tx.query(text, []));
    await ledger.open();
    await run("create table booking (identity text not null)");
    return {
      settings,
      store,
      bookings: async () => (await run("select identity from booking")).map((row) => String(row["identity"])),
      passTime: async (ms) => {
        await run(
          `update reprise_work set lease_until = lease_until - ${ms}, not_before = not_before - ${ms},
             created_at = created_at - ${ms}`,
        );
        await run(`update reprise_effect set settle_at = settle_at - ${ms}, started_at = started_at - ${ms}`);
      },
      shiftMs: () => 0,
      network: null,
      close: async () => {
        await ledger.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

function postgres(driver: "pg" | "postgres", missing: string | undefined): PlaceKind {
  return {
    name: `PostgreSQL through ${driver}`,
    transactional: true,
    networked: true,
    missing,
    open: async () => {
      const { schema, bookings, passTime, drop } = await postgresPlace(1);
      const settings = { store: driver, url: postgresUrl, schema } as const;
      const store = await openStore(settings);
      await store.ledger.open();
      const { hostname, port } = new URL(postgresUrl);
      return {
        settings,
        store,
        bookings,
        passTime,
        shiftMs: () => 0,
        network: {
          server: { host: hostname, port: Number(port || 5432) },
          through: (proxied) => {
            const url = new URL(postgresUrl);
            url.hostname = "127.0.0.1";
            url.port = String(proxied);
            // a prepared statement goes by its name, in which no proxy could read
            return { ...settings, url: url.href, readable: true };
          },
          isCommit: commits,
          isCompletion: tellsCharge,
        },
        close: async () => {
          await store.ledger.close();
          await store.end();
          await drop();
        },
      };
    },
  };
}

function mariadb(missing: string | undefined): PlaceKind {
  return {
    name: "MariaDB",
    transactional: true,
    networked: true,
    missing,
    open: async () => {
      const { name: database, query, passTime, drop } = await createDatabase();
      const settings = { store: "mysql", port: mysqlServer.port, database } as const;
      const store = await openStore(settings);
      await store.ledger.open();
      await query("create table booking (identity varchar(200) not null) engine=InnoDB");
      return {
        settings,
        store,
        bookings: async () => (await query("select identity from booking")).map((row) => String(row["identity"])),
        passTime,
        shiftMs: () => 0,
        network: {
          server: mysqlServer,
          through: (port) => ({ ...settings, port }),
          isCommit: commits,
          isCompletion: commits,
        },
        close: async () => {
          await store.ledger.close();
          await store.end();
          await drop();
        },
      };
    },
  };
}

/** Its clock is the server's, and is asked for a later time instead of being moved. */
async function onRedis(settings: StoreSettings, network: Network | null, stop: () => Promise<void>): Promise<Place> {
  let passed = 0;
  const store = await openStore(settings, { offsetMs: () => passed });
  await store.ledger.open();
  return {
    settings,
    store,
    bookings: async () => [],
    passTime: async (ms) => {
      passed += ms;
    },
    shiftMs: () => passed,
    network,
    close: async () => {
      await store.ledger.close();
      await store.end();
      await stop();
    },
  };
}

const newPrefix = () => `operations-${randomBytes(6).toString("hex")}`;

function redis(missing: string | undefined): PlaceKind {
  return {
    name: "Redis",
    transactional: false,
    networked: true,
    missing,
    open: async () => {
      const server = await startRedis();
      const settings = { store: "redis", url: server.url, prefix: newPrefix() } as const;
      const network: Network = {
        server: { host: "127.0.0.1", port: server.port },
        through: (port) => ({ ...settings, url: `redis://127.0.0.1:${port}` }),
        isCommit: () => false,
        isCompletion: tellsCharge,
      };
      return onRedis(settings, network, server.stop);
    },
  };
}

function redisCluster(missing: string | undefined): PlaceKind {
  return {
    name: "a Redis cluster",
    transactional: false,
    networked: false,
    missing,
    open: async () => {
      const { servers, stop } = await startRedisCluster();
      const ports = servers.map(({ port }) => port);
      return onRedis({ store: "redis cluster", ports, prefix: newPrefix() }, null, stop);
    },
  };
}

const noPostgres = (await postgresVersion()) === undefined ? `${cannotRunHere}no PostgreSQL answers` : undefined;
const noMariadb = (await mysqlVersion()) === undefined ? `${cannotRunHere}MariaDB does not answer` : undefined;
const noRedis = noRedisHere();

export const placeKinds: readonly PlaceKind[] = [
  sqlite,
  postgres("pg", noPostgres),
  postgres("postgres", noPostgres),
  mariadb(noMariadb),
  redis(noRedis),
  redisCluster(noRedis),
];
