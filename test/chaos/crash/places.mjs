// Where the processes of the crash run meet: a new, empty store of each kind, and how each process opens its ledger on it.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import mysql from "mysql2/promise";
import pg from "pg";
import { mysqlLedger } from "reprise/mysql";
import { postgresLedger } from "reprise/postgres";
import { redisLedger } from "reprise/redis";
import { sqliteLedger } from "reprise/sqlite";

const postgresUrl = process.env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/test";
const mysqlServer = {
  host: process.env.MYSQL_HOST ?? "127.0.0.1",
  port: Number(process.env.MYSQL_PORT ?? 3306),
  user: "root",
};
const ordersTable = "orders (id integer not null, charge varchar(40) not null)";
const notesTable = "notes (id integer not null)";

/** In each process: `where` is what the place says of itself. `order` and `note` write a row in the transaction. */
export function openLedger({ store, ...where }) {
  switch (store) {
    case "sqlite":
      return {
        ledger: sqliteLedger({ path: where.path }),
        order: (tx, id, charge) => tx.query("insert into orders (id, charge) values (?, ?)", [id, charge]),
        note: (tx, id) => tx.query("insert into notes (id) values (?)", [id]),
        end: async () => {},
      };
    case "postgres": {
      const pool = new pg.Pool({ connectionString: postgresUrl, max: 8 });
      return {
        ledger: postgresLedger({ pool, schema: where.schema }),
        order: (tx, id, charge) =>
          tx.query(`insert into ${where.schema}.orders (id, charge) values ($1, $2)`, [id, charge]),
        note: (tx, id) => tx.query(`insert into ${where.schema}.notes (id) values ($1)`, [id]),
        end: () => pool.end(),
      };
    }
    case "mariadb": {
      const pool = mysql.createPool({ ...mysqlServer, database: where.database, connectionLimit: 8 });
      return {
        ledger: mysqlLedger({ pool }),
        order: (tx, id, charge) => tx.query("insert into orders (id, charge) values (?, ?)", [id, charge]),
        note: (tx, id) => tx.query("insert into notes (id) values (?)", [id]),
        end: () => pool.end(),
      };
    }
    case "redis": {
      const client = new Redis(where.port);
      return { ledger: redisLedger({ client }), end: async () => client.disconnect() };
    }
  }
}

/** Makes the place. `query` reads the users' tables, which a store without transactions has not; `remove` ends it. */
export async function makePlace(store) {
  const name = `reprise_crash_${randomBytes(6).toString("hex")}`;
  switch (store) {
    case "sqlite": {
      const folder = mkdtempSync(join(tmpdir(), "reprise-crash-"));
      const where = { store, path: join(folder, "ledger.db") };
      const ledger = sqliteLedger({ path: where.path });
      const query = (sql) => ledger.transaction((tx) => tx.query(sql, []));
      await ledger.open();
      for (const table of [ordersTable, notesTable]) await query(`create table ${table}`);
      const remove = async () => {
        await ledger.close();
        rmSync(folder, { recursive: true, force: true });
      };
      return { where, query, remove };
    }
    case "postgres": {
      const admin = new pg.Client({ connectionString: postgresUrl });
      await admin.connect();
      await admin.query(`create schema ${name}; set search_path to ${name}`);
      for (const table of [ordersTable, notesTable]) await admin.query(`create table ${table}`);
      const remove = async () => {
        await admin.query(`drop schema ${name} cascade`);
        await admin.end();
      };
      return { where: { store, schema: name }, query: async (sql) => (await admin.query(sql)).rows, remove };
    }
    case "mariadb": {
      const admin = await mysql.createConnection(mysqlServer);
      await admin.query(`create database ${name}`);
      await admin.query(`use ${name}`);
      for (const table of [ordersTable, notesTable]) await admin.query(`create table ${table} engine=InnoDB`);
      const remove = async () => {
        await admin.query(`drop database ${name}`);
        await admin.end();
      };
      return { where: { store, database: name }, query: async (sql) => (await admin.query(sql))[0], remove };
    }
    case "redis": {
      const folder = mkdtempSync(join(tmpdir(), "reprise-crash-"));
      const port = await freePort();
      const options = [
        "--port",
        `${port}`,
        "--bind",
        "127.0.0.1",
        "--dir",
        folder,
        "--appendonly",
        "yes",
        "--save",
        "",
      ];
      const server = spawn("redis-server", options, { stdio: "ignore" });
      const remove = async () => {
        const ended = once(server, "exit");
        server.kill("SIGKILL");
        await ended;
        rmSync(folder, { recursive: true, force: true });
      };
      return { where: { store, port }, query: undefined, remove };
    }
  }
}

async function freePort() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
