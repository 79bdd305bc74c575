import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import pg from "pg";
import { postgresLedger } from "reprise/postgres";
import type { Figure } from "../figure.ts";
import { type Load, loadPostgres, outcome } from "./load.ts";
import { measurePages, type ProcessorTime } from "./pages.ts";

const url = process.env["POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/test";
const partitions = 64;
/** One thousand a second, for thirty days. */
const wanted = 1_000 * 86_400 * 30;

/** A ledger in one piece and one in partitions: what a record weighs, what a sweep and a vacuum cost, what the page waits. */
export async function measurePostgres(load: Load, say: (said: string) => void): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const shape of ["whole", "partitioned"] as const) figures.push(...(await measureShape(shape, load, say)));
  return figures;
}

async function measureShape(
  shape: "whole" | "partitioned",
  load: Load,
  say: (said: string) => void,
): Promise<readonly Figure[]> {
  const schema = `reprise_sizing_${randomBytes(4).toString("hex")}`;
  const client = new pg.Client({ connectionString: url });
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  await client.connect();
  const ledger = postgresLedger({ pool, schema, deadline: "10m" });
  const lower = (name: string, value: number, unit: string): Figure => {
    return { name: `sizing.${shape}.${name}`, value, unit, better: "lower" };
  };
  try {
    await ledger.schema?.migrate(shape === "whole" ? {} : { partitions });
    await ledger.open();
    say(`${shape}: loading ${load.rows.toLocaleString("en-US")} operations`);
    await timed(() => loadPostgres(client, schema, load, shape === "partitioned"), "loaded", say);
    const bytes = await sizes(client, schema, load.rows);
    const total = bytes.reduce((sum, [, each]) => sum + each, 0);
    const name = shape === "whole" ? "postgres" : "postgres.partitioned";
    const pages = await measurePages(ledger, name, say, await processorTimeOf(pool));
    const wal = await walOf(client, schema, shape === "partitioned");
    const sweep = await sweepRate(ledger, load.rows);
    say(`${shape}: swept ${sweep.swept} at ${sweep.perSecond.toFixed(0)}/s`);
    const vacuum = await vacuumMs(client, schema, shape);
    return [
      ...bytes.map(([part, each]) => lower(`${part}.bytes`, each, "B/operation")),
      lower("bytes", total, "B/operation"),
      lower("thirtyDays", (total * wanted) / 1e9, "GB"),
      lower("wal", wal.plain, "B/operation"),
      lower("wal.afterCheckpoint", wal.afterCheckpoint, "B/operation"),
      { name: `sizing.${shape}.sweep`, value: sweep.perSecond, unit: "/s", better: "higher" },
      lower("vacuum", vacuum.allMs, "ms"),
      lower("vacuum.onePartition", vacuum.oneMs, "ms"),
      ...pages,
    ];
  } finally {
    await ledger.close();
    await client.query(`drop schema "${schema}" cascade`);
    await Promise.all([client.end(), pool.end()]);
  }
}

/** Of the one process of the server that a pool of one connection has, where the server is on this machine. */
async function processorTimeOf(pool: pg.Pool): Promise<ProcessorTime> {
  const { rows } = await pool.query<{ pid: number }>("select pg_backend_pid() as pid");
  return () => {
    try {
      // user and system time, in hundredths of a second, behind the name in parentheses
      const [, rest = ""] = readFileSync(`/proc/${rows[0]?.pid}/stat`, "utf8").split(") ");
      const fields = rest.split(" ");
      return (Number(fields[11]) + Number(fields[12])) * 10;
    } catch {
      return undefined;
    }
  };
}

async function timed<T>(work: () => Promise<T>, what: string, say: (said: string) => void): Promise<T> {
  const since = performance.now();
  const value = await work();
  say(`${what} in ${((performance.now() - since) / 1_000).toFixed(1)} s`);
  return value;
}

/** Bytes of heap and each index for an operation; partitions are added up. Indexes that only hold live work are left out. */
async function sizes(client: pg.Client, schema: string, rows: number): Promise<readonly (readonly [string, number])[]> {
  const { rows: found } = await client.query<{ part: string; bytes: string }>(
    `with t as (select 'reprise_' || n as tab, p.relid from unnest(array['work', 'effect']) n
       cross join lateral pg_partition_tree(('"${schema}".reprise_' || n)::regclass) p where p.isleaf
       union select 'reprise_' || n, ('"${schema}".reprise_' || n)::regclass from unnest(array['work', 'effect']) n)
     select tab as part, sum(pg_table_size(relid)) as bytes from t group by tab
     union all select coalesce((select parent.relname from pg_inherits h join pg_class parent on parent.oid = h.inhparent
       where h.inhrelid = i.indexrelid), c.relname), sum(pg_relation_size(i.indexrelid))
     from t join pg_index i on i.indrelid = t.relid join pg_class c on c.oid = i.indexrelid group by 1 order by 1`,
  );
  return found.map(({ part, bytes }) => [part.replace("reprise_", ""), Number(bytes) / rows]);
}

const measuredInserts = 1_000;

/**
 * What finishing an operation writes ahead, without its commit. Right after a checkpoint a page is written as
 * a whole when it is touched first: with names at random nearly every row touches new ones.
 */
async function walOf(client: pg.Client, schema: string, partitioned: boolean) {
  const columns = `created_at, keep_until, name, key, bound, state, ended_at, print, print_v, refused, outcome, operation,
    identity, principal, caller_key, owner`;
  const row = (key: string) => `select now(), now() + interval '30 days', name, ${key}, null::uuid, 'd'::"char", now(),
    decode(repeat('ab', 32), 'hex'), 1, false, '${outcome}', 'shop.operation-1', 'order-4711', 'user-4711', key::text,
    'web-1-4711-ab12' from r`;
  const keyRow = `select now(), 'infinity', key, key, name, 'k', null, null, null, null, null, null, null, null, null, null from r`;
  const text = `explain (analyze, wal, format json)
    with r as materialized (select gen_random_uuid() as name, gen_random_uuid() as key)
    insert into "${schema}".reprise_work (${columns})
    ${partitioned ? `${row("null::uuid")} union all ${keyRow}` : row("key")}`;
  const bytes = async () => {
    let total = 0;
    await client.query("begin");
    for (let done = 0; done < measuredInserts; done += 1) {
      const { rows } = await client.query<{ "QUERY PLAN": readonly { Plan: Record<string, unknown> }[] }>(text);
      total += Number(rows[0]?.["QUERY PLAN"][0]?.Plan["WAL Bytes"] ?? 0);
    }
    await client.query("rollback");
    return total / measuredInserts;
  };
  await client.query("checkpoint");
  const afterCheckpoint = await bytes();
  // as often as it takes until most pages have been written once since then
  let plain = afterCheckpoint;
  for (let round = 0; round < 30; round += 1) plain = Math.min(plain, await bytes());
  return { plain, afterCheckpoint };
}

interface Swept {
  readonly sweep: (limit: number) => Promise<number>;
}

async function sweepRate(ledger: Swept, rows: number) {
  const most = rows / 50;
  let swept = 0;
  const since = performance.now();
  for (let last = -1; last !== 0 && swept < most; swept += last) last = await ledger.sweep(500);
  return { swept, perSecond: swept / ((performance.now() - since) / 1_000) };
}

async function vacuumMs(client: pg.Client, schema: string, shape: "whole" | "partitioned") {
  const vacuum = async (table: string) => {
    const since = performance.now();
    await client.query(`vacuum "${schema}".${table}`);
    return performance.now() - since;
  };
  if (shape === "whole") {
    const ms = await vacuum("reprise_work");
    return { allMs: ms, oneMs: ms };
  }
  const times: number[] = [];
  for (let at = 0; at < partitions; at += 1) times.push(await vacuum(`reprise_work_p${at}`));
  return { allMs: times.reduce((sum, ms) => sum + ms, 0), oneMs: Math.max(...times) };
}
