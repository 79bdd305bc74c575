// Where loads are killed: two tables, a ledger beside them, and what the table has come to. A database is an entry here.
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import pg from "pg";
import { mysqlLedger } from "reprise/mysql";
import { postgresLedger } from "reprise/postgres";
import { sqliteLedger } from "reprise/sqlite";

export const databases = { postgres, mariadb, sqlite };

/** `schema`: of the tables and the ledger, which one process makes and all others find. */
async function postgres(schema) {
  const connectionString = process.env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/test";
  const pool = new pg.Pool({ connectionString, max: 4 });
  // a server that ends a connection says so to nobody
  pool.on("error", () => {});
  const [staging, fact] = [`${schema}.staging`, `${schema}.fact`];
  const columns = "ref text, day date, version int, amount numeric(12, 2), note text";
  const keys = "insert into TABLE select 'ref-' || n * 7919 % 1000003, date '2026-01-01' + n % 180";
  return {
    staging,
    fact,
    ledger: () => postgresLedger({ pool, schema, deadline: "60s" }),
    /** Every row of the source; of the table a third older, a third as it is, and a third missing. */
    create: async (rows) => {
      await pool.query(`create schema ${schema}; create table ${staging} (${columns}, primary key (ref, day));
        create table ${fact} (id bigint generated always as identity, ${columns}, primary key (ref, day));
        alter table ${fact} alter column version set not null`);
      await pool.query(`${keys.replace("TABLE", staging)}, 2, n, 'note ' || n from generate_series(1, ${rows}) n`);
    },
    reset: async () => {
      await pool.query(`truncate ${fact}; insert into ${fact} (ref, day, version, amount, note)
        select ref, day, 1 + (amount::int % 3), amount, case when amount::int % 3 = 0 then 'old' else note end
        from ${staging} where amount::int % 3 < 2`);
    },
    hash: async () => {
      const { rows } = await pool.query(
        `select md5(string_agg(row(ref, day, version, amount, note)::text, ',' order by ref, day)) as hash from ${fact}`,
      );
      return rows[0].hash;
    },
    /** Nobody waits for the leases of the dead. */
    endLeases: () => pool.query(`update ${schema}.reprise_lease set until = clock_timestamp() - interval '1 second'`),
    drop: async () => {
      await pool.query(`drop schema ${schema} cascade`);
      await pool.end();
    },
    close: () => pool.end(),
  };
}

async function mariadb(schema) {
  const server = {
    host: process.env.MYSQL_HOST ?? "127.0.0.1",
    port: Number(process.env.MYSQL_PORT ?? 3306),
    user: "root",
  };
  const admin = await mysql.createConnection(server);
  await admin.query(`create database if not exists ${schema}`);
  await admin.query(`use ${schema}`);
  const pool = mysql.createPool({ ...server, database: schema, connectionLimit: 4 });
  const columns = "ref varchar(40), day date, version int not null, amount decimal(12, 2), note varchar(80)";
  const close = async () => {
    await pool.end();
    await admin.end();
  };
  return {
    staging: "staging",
    fact: "fact",
    ledger: () => mysqlLedger({ pool, deadline: "60s", wait: "60s" }),
    create: async (rows) => {
      await admin.query(`create table staging (${columns}, primary key (ref, day))`);
      await admin.query(`create table fact (id bigint auto_increment unique, ${columns}, primary key (ref, day))`);
      await admin.query(`insert into staging select concat('ref-', seq * 7919 % 1000003),
        date_add('2026-01-01', interval seq % 180 day), 2, seq, concat('note ', seq) from seq_1_to_${rows}`);
    },
    reset: async () => {
      await admin.query("truncate fact");
      await admin.query(`insert into fact (ref, day, version, amount, note)
        select ref, day, 1 + amount % 3, amount, if(amount % 3 = 0, 'old', note) from staging where amount % 3 < 2`);
    },
    hash: async () => {
      const [rows] = await admin.query(
        "select ref, cast(day as char), version, amount, note from fact order by ref, day",
      );
      return hashOf(rows);
    },
    endLeases: () => admin.query("update reprise_lease set lease_until = 1 where attempt is not null"),
    drop: async () => {
      await admin.query(`drop database ${schema}`);
      await close();
    },
    close,
  };
}

async function sqlite(schema) {
  const path = join(tmpdir(), `${schema}.db`);
  const opened = [];
  const ledger = () => {
    const made = sqliteLedger({ path, busy: "60s" });
    opened.push(made);
    return made;
  };
  const query = (text) => (opened[0] ?? ledger()).transaction((tx) => tx.query(text));
  const columns = "ref text not null, day text not null, version integer not null, amount integer, note text";
  const close = async () => {
    for (const made of opened) await made.close();
  };
  return {
    staging: "staging",
    fact: "fact",
    ledger,
    create: async (rows) => {
      await query(`create table staging (${columns}, primary key (ref, day))`);
      await query(`create table fact (id integer primary key, ${columns}, unique (ref, day)) strict`);
      await query(`with recursive seq (n) as (select 1 union all select n + 1 from seq where n < ${rows})
        insert into staging select 'ref-' || (n * 7919 % 1000003), date('2026-01-01', (n % 180) || ' days'), 2, n, 'note ' || n
        from seq`);
    },
    reset: async () => {
      await query("delete from fact");
      await query(`insert into fact (ref, day, version, amount, note)
        select ref, day, 1 + amount % 3, amount, iif(amount % 3 = 0, 'old', note) from staging where amount % 3 < 2`);
    },
    hash: async () => hashOf(await query("select ref, day, version, amount, note from fact order by ref, day")),
    endLeases: () => query("update reprise_lease set until = 1 where until is not null"),
    drop: async () => {
      await close();
      for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
    },
    close,
  };
}

function hashOf(rows) {
  return createHash("sha256").update(JSON.stringify(rows)).digest("hex");
}
