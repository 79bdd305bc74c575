import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { mysqlLedger } from "reprise/mysql";
import { sqliteLedger } from "reprise/sqlite";
import type { Figure } from "../figure.ts";
import { openDatabase } from "../sqlite.ts";
import { type Load, operations, outcome } from "./load.ts";
import { measurePages } from "./pages.ts";

const server = {
  host: process.env["MYSQL_HOST"] ?? "127.0.0.1",
  port: Number(process.env["MYSQL_PORT"] ?? 3306),
  user: "root",
};
const spreadMs = 31 * 86_400_000;
const keptMs = 30 * 86_400_000;

interface Wave {
  readonly state: "d" | "r" | "u" | "o";
  readonly count: number;
  /** Of the state of number `n`, as SQL. */
  readonly createdAt: string;
}

/** Done work of a month, then what is under way: a tenth of it since weeks. `now` and `n` are SQL, in milliseconds. */
function wavesOf({ rows, running, unknown, open }: Load): readonly Wave[] {
  const recent = `@now - case when n % 10 = 0 then ${20 * 86_400_000} else n * 10 end`;
  return [
    { state: "d", count: rows, createdAt: `@now - ${spreadMs} + n * ${spreadMs / rows}` },
    { state: "r", count: running, createdAt: recent },
    { state: "u", count: unknown, createdAt: recent },
    { state: "o", count: open, createdAt: recent },
  ];
}

export async function measureSqlitePages(load: Load, say: (said: string) => void): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "reprise-sizing-"));
  const path = join(folder, "ledger.sqlite");
  const ledger = sqliteLedger({ path });
  try {
    await ledger.open();
    say(`sqlite: loading ${load.rows.toLocaleString("en-US")} operations`);
    const database = await openDatabase(path);
    const now = Date.now();
    for (const { state, count, createdAt } of wavesOf(load)) {
      const at = `cast(${createdAt.replace("@now", String(now))} as integer)`;
      const done = state === "d";
      database.exec(`with recursive t(n) as (select 1 union all select n + 1 from t where n < ${count})
        insert into reprise_work (name, key, id, attempt, print, print_v, state, lease_until, not_before, outcome, refused,
          keep_until, input, created_at, ended_at, effect, operation, identity, principal, caller_key, owner)
        select lower(hex(randomblob(16))), ${done ? "lower(hex(randomblob(16)))" : "null"}, lower(hex(randomblob(16))),
          lower(hex(randomblob(16))), lower(hex(randomblob(32))), 1, '${state}', ${now} + 20000,
          ${state === "o" ? now : "null"}, ${done ? `'${outcome}'` : "null"}, ${done ? 0 : "null"}, ${at} + ${keptMs},
          ${done ? "null" : "'{}'"}, ${at}, ${done ? at : "null"}, ${state === "u" ? "'charge'" : "null"},
          'shop.operation-' || (n % ${operations.length}), 'order-' || n, 'user-' || (n % 100000), hex(randomblob(8)), 'web-1' from t`);
    }
    database.close();
    return await measurePages(ledger, "sqlite", say);
  } finally {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function measureMysqlPages(load: Load, say: (said: string) => void): Promise<readonly Figure[]> {
  const name = `reprise_sizing_${randomBytes(4).toString("hex")}`;
  const admin = await mysql.createConnection(server).catch(() => undefined);
  if (admin === undefined) {
    say("mariadb: nothing answers, so it is left out");
    return [];
  }
  await admin.query(`create database ${name}`);
  const pool = mysql.createPool({ ...server, database: name });
  const ledger = mysqlLedger({ pool });
  try {
    await ledger.open();
    say(`mariadb: loading ${load.rows.toLocaleString("en-US")} operations`);
    await admin.query(`use ${name}`);
    for (const { state, count, createdAt } of wavesOf(load)) {
      const at = `cast(${createdAt.replace("@now", String(Date.now())).replaceAll(" n ", " seq ")} as signed) * 1000`;
      const done = state === "d";
      const random = "unhex(replace(uuid(), '-', ''))";
      const batch = 50_000;
      for (let from = 1; from <= count; from += batch) {
        await admin.query(`insert into reprise_work (name, key_name, id, attempt, print, print_version, state, lease_until,
            not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, operation, identity, principal,
            caller_key, owner)
          select unhex(md5(concat('${state}', seq))), ${done ? "unhex(md5(concat('key', seq)))" : "null"},
            unhex(md5(concat('id${state}', seq))), ${random}, sha2(seq, 256), 1, '${state}', ${Date.now() + 20_000}000,
            ${state === "o" ? `${Date.now()}000` : "null"}, ${done ? `'${outcome}'` : "null"}, ${done ? 0 : "null"},
            ${at} + ${keptMs}000, ${done ? "null" : "'{}'"}, ${at}, ${done ? at : "null"}, ${state === "u" ? "'charge'" : "null"},
            concat('shop.operation-', seq % ${operations.length}), concat('order-', seq), concat('user-', seq % 100000),
            hex(seq), 'web-1' from seq_${from}_to_${Math.min(count, from + batch - 1)}`);
      }
    }
    await admin.query("analyze table reprise_work");
    return await measurePages(ledger, "mariadb", say);
  } finally {
    await ledger.close();
    await pool.end();
    await admin.query(`drop database ${name}`);
    await admin.end();
  }
}
