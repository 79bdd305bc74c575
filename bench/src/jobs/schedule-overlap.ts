import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import mysql from "mysql2/promise";
import { createReprise, type Ledger } from "reprise";
import { azureLeases } from "reprise/azure";
import { mysqlLedger } from "reprise/mysql";
import { postgresLedger } from "reprise/postgres";
import { redisLedger } from "reprise/redis";
import { sqliteLedger } from "reprise/sqlite";
import type { Figure } from "../figure.ts";
import { askMariadb, mariadbServer } from "../operations/mariadb-place.ts";
import { askPostgres, openPostgresPlace, postgresUrl } from "../operations/postgres-place.ts";
import { startRedis } from "../operations/redis-server.ts";
import { whereIs } from "../operations/standing.ts";
import { openDatabase } from "../sqlite.ts";
import { startAzurite } from "./azurite.ts";
import { type Contender, instances, measureOverlap } from "./overlap.ts";
import type { JobPart } from "./parts.ts";

/** Twenty instances that contend for one tick's lease, on each store that keeps leases. */

const connections = 2;

export const overlapPostgres: JobPart = (scale) =>
  whereIs("PostgreSQL", askPostgres, () =>
    closing(async (defer) => {
      const place = await openPostgresPlace();
      defer(place.drop);
      const join = async () => {
        const pool = place.pool(postgresUrl, connections);
        const hold = await holding(postgresLedger({ pool, schema: place.schema }), defer);
        return { hold, bare: () => pool.query("select 1") };
      };
      return measureOverlap("schedule.overlap.postgres", await all(join), scale);
    }),
  );

export const overlapMariadb: JobPart = (scale) =>
  whereIs("MariaDB", askMariadb, () =>
    closing(async (defer) => {
      const database = `reprise_bench_${randomBytes(6).toString("hex")}`;
      const admin = await mysql.createConnection(mariadbServer);
      defer(() => admin.end());
      await admin.query(`create database ${database}`);
      defer(() => admin.query(`drop database ${database}`));
      const join = async () => {
        const pool = mysql.createPool({ ...mariadbServer, database, connectionLimit: connections });
        defer(() => pool.end());
        return { hold: await holding(mysqlLedger({ pool }), defer), bare: () => pool.query("select 1") };
      };
      return measureOverlap("schedule.overlap.mariadb", await all(join), scale);
    }),
  );

/** The driver answers in this thread: a bare read never waits for anybody. */
export const overlapSqlite: JobPart = async (scale) => ({
  figures: await closing(async (defer) => {
    const folder = mkdtempSync(join(tmpdir(), "reprise-bench-"));
    defer(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "ledger.sqlite");
    const enter = async () => {
      const hold = await holding(sqliteLedger({ path }), defer);
      const database = await openDatabase(path);
      defer(() => database.close());
      const statement = database.prepare("select 1");
      return { hold, bare: async () => statement.get() };
    };
    return measureOverlap("schedule.overlap.sqlite", await all(enter), scale);
  }),
});

export const overlapRedis: JobPart = (scale) =>
  whereStarted("redis-server", startRedis, async ({ port }, defer) => {
    const join = async () => {
      const client = new Redis({ port, host: "127.0.0.1" });
      defer(() => client.disconnect());
      return { hold: await holding(redisLedger({ client }), defer), bare: () => client.ping() };
    };
    return measureOverlap("schedule.overlap.redis", await all(join), scale);
  });

export const overlapAzure: JobPart = (scale) =>
  whereStarted("Azurite", startAzurite, async ({ container }, defer) => {
    await container("bench").create();
    const join = async () => {
      const client = container("bench");
      const reprise = createReprise({ service: "bench", undecided: "listed" });
      defer(() => reprise.close());
      await reprise.start();
      const { hold } = reprise.lease("tick", { store: azureLeases({ container: client }) });
      return { hold: (work: () => Promise<void>) => hold(work), bare: () => client.getProperties() };
    };
    return measureOverlap("schedule.overlap.azure", await all(join), scale);
  });

type Defer = (close: () => unknown) => void;

/** Closes in the end what was opened, the last first. */
async function closing<T>(work: (defer: Defer) => Promise<T>): Promise<T> {
  const closes: (() => unknown)[] = [];
  try {
    return await work((close) => closes.unshift(close));
  } finally {
    for (const close of closes) await close();
  }
}

/** On a server of the measurement's own, where one is installed. */
function whereStarted<Server extends { readonly stop: () => Promise<void> }>(
  name: string,
  start: () => Promise<Server>,
  measure: (server: Server, defer: Defer) => Promise<readonly Figure[]>,
) {
  return closing(async (defer) => {
    let server: Server | undefined;
    const starting = async () => {
      server = await start();
      defer(server.stop);
    };
    return whereIs(name, starting, async () => (server === undefined ? [] : measure(server, defer)));
  });
}

/** One after the other: the first makes the store's tables. */
async function all(join: () => Promise<Contender>): Promise<readonly Contender[]> {
  const contenders: Contender[] = [];
  while (contenders.length < instances) contenders.push(await join());
  return contenders;
}

async function holding(ledger: Ledger<unknown>, defer: Defer): Promise<Contender["hold"]> {
  const reprise = createReprise({ service: "bench", undecided: "listed", ledger });
  defer(() => reprise.close());
  await reprise.start();
  const lease = reprise.lease("tick");
  return (work) => lease.hold(work);
}
