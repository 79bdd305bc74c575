import type { Client } from "pg";

/** A ledger as a month of ordinary traffic leaves it: half a screen of outcome, a caller's key, one in ten with an effect. */
export interface Load {
  readonly rows: number;
  /** What is under way or waits, among the newest and, one in ten, long before. */
  readonly running: number;
  readonly unknown: number;
  readonly open: number;
}

export const operations = Array.from({ length: 8 }, (_, at) => `shop.operation-${at}`);
/** What a booking answers: 192 bytes, as in the comparisons of `measure -- operations`. */
export const outcome = `[{"booking":1,"seat":2,"at":3,"note":4},"b-4711",17,"2026-11-29T00:00:00.000Z","${"x".repeat(110)}"]`;

/** They lie in 31 days, so that those of the first are past their keep. */
const spread = "31 days";
const batch = 100_000;

/** Rows as the ledger's own statements leave them. In partitions each key has a row of its own. */
export async function loadPostgres(client: Client, schema: string, load: Load, partitioned: boolean): Promise<void> {
  const table = (name: string) => `"${schema}".reprise_${name}`;
  const columns = `created_at, keep_until, ended_at, lease_until, name, key, id, attempt, print_v, print, state, refused,
    operation, identity, principal, caller_key, owner, outcome`;
  const own =
    "key, id, attempt, 1, print, 'd', n % 50 = 0, operation, identity, principal, caller_key, 'web-1-4711-ab12', $4";
  for (let from = 0; from < load.rows; from += batch) {
    await client.query({
      text: `with r as materialized (select n, at, gen_random_uuid() as name, gen_random_uuid() as key,
          case when n % 10 = 0 then gen_random_uuid() end as id, case when n % 10 = 0 then gen_random_uuid() end as attempt,
          decode(md5(n::text) || md5((-n)::text), 'hex') as print, 'shop.operation-' || n % ${operations.length} as operation,
          'order-' || n as identity, 'user-' || n % 100000 as principal, gen_random_uuid()::text as caller_key
        from (select n, now() - interval '${spread}' + n * interval '${spread}' / $3::int as at
          from generate_series($1::int, $2::int) n) t),
      e as (insert into ${table("effect")} (started_at, settle_at, pinned_at, id, token, kind, state, name, answer)
        select at, at + interval '25 s', at + interval '80 ms', id, 1, 'e', 'p', 'charge', '{"id":"ch_3MmlLrLkdIwHu7ix0snN0B15"}'
        from r where id is not null)${
          partitioned
            ? `, k as (insert into ${table("work")} (created_at, keep_until, name, key, bound, state)
        select at, 'infinity', key, key, name, 'k' from r)`
            : ""
        }
      insert into ${table("work")} (${columns})
      select at, at + interval '30 days', at + interval '90 ms', case when id is not null then at + interval '30 s' end, name,
        ${partitioned ? own.replace("key", "null") : own} from r`,
      values: [from + 1, Math.min(from + batch, load.rows), load.rows, outcome],
    });
  }
  await client.query(liveWork(table, load));
  await client.query(`vacuum analyze ${table("work")}`);
  await client.query(`vacuum analyze ${table("effect")}`);
}

/** Nobody has completed these; a tenth of them began weeks ago. */
function liveWork(table: (name: string) => string, { running, unknown, open }: Load): string {
  const insert = (state: string, count: number, more: string) => `
    with r as (insert into ${table("work")} (created_at, keep_until, lease_until, ended_at, name, id, attempt, print_v, print,
      state, operation, identity, principal, owner, effect, not_before, input)
    select at, at + interval '30 days', now() + interval '20 s', null, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
      1, decode(md5(n::text) || md5((-n)::text), 'hex'), '${state}', 'shop.operation-' || n % ${operations.length},
      '${state}-' || n, 'user-' || n, 'web-1-4711-ab12', ${more}
    from (select n, now() - case when n % 10 = 0 then interval '20 days' else n * interval '10 ms' end as at
      from generate_series(1, ${count}) n) t returning id, created_at)
    insert into ${table("effect")} (started_at, settle_at, id, token, kind, state, name)
    select created_at, created_at + interval '25 s', id, 1, 'e', 's', 'charge' from r`;
  return [
    insert("r", running, "null, null, case when n % 2 = 0 then '{}' end"),
    insert("u", unknown, "'charge', null, null"),
    insert("o", open, "null, now(), '{}'"),
  ].join(";");
}
