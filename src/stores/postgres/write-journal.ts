import type {
  Appended,
  AppendRequest,
  ClaimedWrite,
  ClaimWrites,
  WriteClaim,
  WriteEnd,
  WriteJournal,
  WriteStanding,
} from "../../contract/write-journal.ts";
import type { OwnRow } from "./driver.ts";
import { epochMs, interval, msUntil, numberOf, numberOrNull, textOf } from "./rows.ts";
import { type PostgresServer, type Step, step } from "./server.ts";

export function postgresWriteJournal(server: PostgresServer): WriteJournal {
  return {
    append: (request) => append(server, request),
    pending: async (queue, key) => {
      const [row] = (await server.once("pending write", pending, queue, key)).rows;
      return row === undefined ? null : { value: textOf(row["value"]), version: numberOf(row["version"]) };
    },
    claim: async ({ queue, attempt, leaseMs, limit }: ClaimWrites) =>
      (await server.once("claim writes", claim, queue, attempt, leaseMs, limit)).rows.map(claimedWrite),
    renew: async ({ queue, attempt }, leaseMs) =>
      (await server.once("renew writes", renew, queue, attempt, leaseMs)).count,
    settle: async (owner, ends) => {
      const steps = stepsOf(owner, ends);
      if (steps.length === 0) return 0;
      const answers = await server.together("settle writes", steps);
      return answers.reduce((ended, { count }) => ended + count, 0);
    },
    standing: (queue) => standingOf(server, queue),
    dead: async (queue, limit) =>
      (await server.once("dead writes", dead, queue, limit)).rows.map((row) => ({
        key: textOf(row["key"]),
        scope: textOf(row["scope"]),
        version: numberOf(row["version"]),
        attempts: numberOf(row["attempts"]),
        at: numberOf(row["at"]),
        error: textOf(row["error"]),
      })),
    requeue: async (queue, version) => (await server.once("requeue write", requeue, queue, version)).count === 1,
    discard: async (queue, version) => (await server.once("discard write", discard, queue, version)).count === 1,
    sweep: async (queue, keptMs, limit) => (await server.once("sweep writes", sweep, queue, keptMs, limit)).count,
  };
}

/**
 * Writers take turns at the store's last version: so versions rise in the order of the commits, and each sees how many keys
 * are pending. It is kept apart from the rows, which leave: a version must not return when the clock is set back.
 */
const takeVersions = `update @meta set value = (greatest(value::bigint,
    floor(extract(epoch from clock_timestamp()) * 1000000)::bigint) + $1::int)::text where name = 'writes'`;

/** Of `w`, a key's write. Asked for the state by name, the server may read the index of all that are pending instead. */
const pendingKey = "w.state <> 'd'";

/** One row a key: a newer write takes the older one's place in the order, and its claim stays. */
const appendWrites = `with given as (select j.place, j.write ->> 0 as key, j.write ->> 1 as scope, j.write ->> 2 as value,
      (select value::bigint from @meta where name = 'writes') - json_array_length($2::text::json) + j.place as version
    from json_array_elements($2::text::json) with ordinality as j(write, place)),
  before as (select count(*) as pending from @write where queue = $1 and state = 'p'),
  keys as (select key, min(place) as first, max(place) as last, min(version) as version from given group by key),
  told as (select k.*, exists (select 1 from @write w where w.queue = $1 and w.key = k.key and ${pendingKey}) as held
    from keys k),
  ranked as (select t.*, sum(case when held then 0 else 1 end) over (order by first) as rank from told t),
  let as (select r.* from ranked r, before b where held or b.pending + rank <= $3::bigint),
  written as (insert into @write as w (queue, key, scope, value, version, place, state)
    select $1, l.key, g.scope, g.value, g.version, l.version, 'p' from let l join given g on g.place = l.last order by l.key
    on conflict (queue, key) do update set scope = excluded.scope, value = excluded.value, version = excluded.version,
      attempts = 0, failed_at = null, error = null,
      place = case w.state when 'p' then w.place else excluded.place end,
      failures = case w.state when 'p' then w.failures else 0 end,
      not_before = case w.state when 'p' then w.not_before end,
      attempt = case w.state when 'p' then w.attempt end, lease_until = case w.state when 'p' then w.lease_until end,
      claimed = case w.state when 'p' then w.claimed end, dead_at = null, state = 'p')
  select case when l.key is null then null else g.version end as version,
    (select pending from before) + (select count(*) from let where not held) as pending
  from given g left join let l on l.key = g.key order by g.place`;

const countPending = "select count(*) as pending from @write where queue = $1 and state = 'p'";

async function append(server: PostgresServer, { queue, writes, most }: AppendRequest): Promise<Appended> {
  if (writes.length === 0) {
    return {
      versions: [],
      pending: numberOf((await server.once("append writes", countPending, queue)).rows[0]?.["pending"]),
    };
  }
  const given = JSON.stringify(writes.map(({ key, scope, value }) => [key, scope, value].map(wellFormed)));
  const [, answer] = await server.together("append writes", [
    step(takeVersions, writes.length),
    step(appendWrites, queue, given, Math.min(most, Number.MAX_SAFE_INTEGER)),
  ]);
  const rows = answer?.rows ?? [];
  return { versions: rows.map((row) => numberOrNull(row["version"])), pending: numberOf(rows[0]?.["pending"]) };
}

/** A lone surrogate is no Unicode, and one write must not make its whole batch fail. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

const pending = `select value, version from @write w where queue = $1 and key = $2 and ${pendingKey}`;

const claim = `with w as (update @write set attempt = $2::uuid, lease_until = clock_timestamp() + ${interval("$3")},
      claimed = version
    where ctid = any(array(select ctid from @write where queue = $1 and state = 'p'
        and coalesce(lease_until, '-infinity') <= clock_timestamp()
        and coalesce(not_before, '-infinity') <= clock_timestamp()
      order by place limit $4::int for update skip locked))
    returning *)
  select key, scope, value, version, attempts, failures, -(${msUntil("failed_at")}) as failing from w order by place`;

function claimedWrite(row: OwnRow): ClaimedWrite {
  return {
    key: textOf(row["key"]),
    scope: textOf(row["scope"]),
    value: textOf(row["value"]),
    version: numberOf(row["version"]),
    attempts: numberOf(row["attempts"]),
    failures: numberOf(row["failures"]),
    failingMs: numberOrNull(row["failing"]) ?? 0,
  };
}

/** What it holds is pending. Asked for that too, the server may read all that is. */
const renew = `update @write set lease_until = clock_timestamp() + ${interval("$3")}
  where attempt = $2::uuid and queue = $1`;

const unclaimed = "attempt = null, lease_until = null, claimed = null";
const given = `json_to_recordset($3::text::json) as e(key text, error text, pause float8, counts int)`;
const held = `queue = $1 and attempt = $2::uuid and w.key = e.key`;

const released = `update @write w set ${unclaimed} from ${given} where ${held}`;
/** A statement before the next, which sees what was written over while this one waited. */
const arrived = `delete from @write w using ${given} where ${held} and version = claimed`;
/** What was journalled after the claimed version has been waiting only since then. */
const passedOn = `update @write w set ${unclaimed}, place = version, failures = 0 from ${given} where ${held}`;
const failed = `update @write w set ${unclaimed}, failures = failures + 1,
    not_before = clock_timestamp() + ${interval("e.pause")},
    attempts = case when version = claimed then attempts + e.counts else attempts end,
    failed_at = case when version = claimed then coalesce(failed_at, clock_timestamp()) else failed_at end,
    error = case when version = claimed then e.error else w.error end
  from ${given} where ${held}`;
const died = `update @write w set ${unclaimed},
    state = case when version = claimed then 'd'::"char" else state end,
    attempts = case when version = claimed then attempts + 1 else attempts end,
    dead_at = case when version = claimed then clock_timestamp() end,
    error = case when version = claimed then e.error else w.error end,
    place = case when version = claimed then place else version end,
    failures = case when version = claimed then failures else 0 end,
    not_before = case when version = claimed then not_before end
  from ${given} where ${held}`;

function stepsOf({ queue, attempt }: WriteClaim, ends: readonly WriteEnd[]): readonly Step[] {
  // in one order for all: rows that two owners touch are not locked crosswise
  const sorted = ends.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const of = (is: WriteEnd["is"], ...texts: readonly string[]): readonly Step[] => {
    const mine = sorted.filter((end) => end.is === is);
    if (mine.length === 0) return [];
    const rows = mine.map((end) => ({
      key: end.key,
      ...("error" in end ? { error: end.error } : {}),
      ...(end.is === "failed" ? { pause: end.pauseMs, counts: end.counts ? 1 : 0 } : {}),
    }));
    return texts.map((text) => step(text, queue, attempt, JSON.stringify(rows)));
  };
  return [
    ...of("released", released),
    ...of("applied", arrived, passedOn),
    ...of("failed", failed),
    ...of("dead", died),
  ];
}

const standing = `select count(*) filter (where state = 'p') as pending, count(*) filter (where state = 'd') as dead,
    min(place) filter (where state = 'p') as oldest, max(version) filter (where state = 'p') as newest,
    min(extract(epoch from greatest(coalesce(lease_until, 'epoch'), coalesce(not_before, 'epoch')) - clock_timestamp()) * 1000)
      filter (where state = 'p') as due
  from @write where queue = $1`;

async function standingOf(server: PostgresServer, queue: string): Promise<WriteStanding> {
  const [row] = (await server.once("standing of writes", standing, queue)).rows;
  return {
    pending: numberOf(row?.["pending"]),
    dead: numberOf(row?.["dead"]),
    oldest: numberOrNull(row?.["oldest"]),
    newest: numberOrNull(row?.["newest"]),
    dueInMs: numberOrNull(row?.["due"]),
  };
}

const dead = `select key, scope, version, attempts, ${epochMs("dead_at")} as at, error from @write
  where queue = $1 and state = 'd' order by dead_at, version limit $2::int`;
const requeue = `update @write set state = 'p', place = version, attempts = 0, failures = 0, not_before = null, failed_at = null,
    dead_at = null, error = null where queue = $1 and state = 'd' and version = $2::bigint`;
const discard = "delete from @write where queue = $1 and state = 'd' and version = $2::bigint";
const sweep = `delete from @write where ctid = any(array(select ctid from @write
    where queue = $1 and state = 'd' and dead_at <= clock_timestamp() - ${interval("$2")}
    order by dead_at limit $3::int for update skip locked)) and state = 'd'`;
