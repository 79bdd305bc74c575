import { type Name, newWorkId } from "../../base/names.ts";
import type { Claim, ClaimRequest, Fence, FindRequest, Won, WorkRequest } from "../../contract/ledger.ts";
import { effectsOf } from "./effects.ts";
import { judge, type LookedWork, look, stored, unboundedRetryMs } from "./look.ts";
import { interval, numberOf, workIdIn } from "./rows.ts";
import { type PostgresServer, type Step, step } from "./server.ts";

/** A claim keeps so much more than asked, so that completion seldom has to move the index. */
const keepAhead = 1.01;

export const keyColumns = "created_at, keep_until, name, key, bound, state";
/** The row of a key that stands not in its work's, as `keyColumns`. */
export function keyRow(now: string, key: string, work: string): string {
  return `${now}, 'infinity', ${key}::uuid, ${key}::uuid, ${work}::uuid, 'k'`;
}

/**
 * Both names in one row: a mismatch neither claims nor binds. In partitions each has a row of its own, and both are written
 * or neither: where another claim came in between it raises, and is repeated.
 */
const claim = {
  whole: `insert into @work (created_at, keep_until, lease_until, name, key, id, attempt, resumes, print, print_v, state,
    operation, identity, principal, caller_key, owner, input)
  select t.now, t.now + ${interval("$14")} * ${keepAhead}, t.now + ${interval("$13")}, $1::uuid, $2::uuid, $3::uuid, $4::uuid,
    0, decode($5, 'hex'), $6::int, 'r', $7, $8, $9, $10, $11, $12
  from (select clock_timestamp() as now) t on conflict do nothing`,
  partitioned: `with t as (select clock_timestamp() as now
    where not exists (select 1 from @work where name = $1::uuid or name = $2::uuid))
  insert into @work (created_at, keep_until, name, key, bound, state, lease_until, id, attempt, print, print_v,
    operation, identity, principal, caller_key, owner, input)
  select t.now, t.now + ${interval("$14")} * ${keepAhead}, $1::uuid, null::uuid, null::uuid, 'r'::"char",
    t.now + ${interval("$13")}, $3::uuid, $4::uuid, decode($5, 'hex'), $6::int, $7, $8, $9, $10, $11, $12 from t
  union all select ${keyRow("t.now", "$2", "$1")}, ${Array.from({ length: 11 }, () => "null").join(", ")}
  from t where $2::uuid is not null`,
};

/** A further key lives as long as its work, so the work must live as long as this key's promise. */
const bindKey = `with w as (update @work set keep_until = greatest(keep_until, clock_timestamp() + ${interval("$5")})
    where name = $1::uuid and print = decode($3, 'hex') and print_v = $4::int
      and (state <> 'd' or keep_until > clock_timestamp()) returning 1)
  insert into @work (${keyColumns}) select ${keyRow("clock_timestamp()", "$2", "$1")} from w on conflict do nothing`;

/** What stands in the way and is past its keep: the work, the key's other work, a key whose work is gone. */
const clearWay = {
  whole: clearing("select coalesce(bound, name) from @work where key = $2::uuid"),
  partitioned: clearing("select bound from @work where name = $2::uuid and bound is not null"),
};
function clearing(keysWork: string): string {
  return `with d as (delete from @work where name = any(array(select $1::uuid union ${keysWork}))
    and state = 'd' and keep_until <= clock_timestamp() returning name, id),
  e as (delete from @effect where id = any(array(select id from d))),
  a as (delete from @attempt where id = any(array(select id from d))),
  k as (delete from @work where bound is not null and bound = any(array(select name from d)))
  delete from @work p where name = $2::uuid and bound is not null
    and not exists (select 1 from @work t where t.name = p.bound and t.name not in (select name from d))`;
}

/** Locked first, so that nobody waits: who finds it locked is told that it runs. The owner before is noted down. */
const takeWork = `with old as (select name, state, owner, token from @work where name = $1::uuid for update skip locked),
  w as (update @work w set attempt = $2::uuid, token = w.token + 1, resumes = w.resumes + $5::int, state = 'r',
      lease_until = clock_timestamp() + ${interval("$6")}, not_before = null, input = coalesce(w.input, $7), owner = $8
    from old where w.name = $1::uuid and w.print = decode($3, 'hex') and w.print_v = $4::int
      and (w.state = 'o' and coalesce(w.not_before, '-infinity') <= clock_timestamp()
        or w.state = 'r' and w.lease_until <= clock_timestamp())
    returning w.id, w.token, w.resumes, old.state as before, old.owner as former, old.token as formertoken),
  n as (insert into @attempt (at, id, token, what, owner)
    select clock_timestamp(), id, formertoken, 'taken-over', former from w where before = 'r')
  select id, token, resumes, before from w`;

const renewLease = `update @work set lease_until = clock_timestamp() + ${interval("$4")}
  where name = $1::uuid and attempt = $2::uuid and id = $3::uuid and state = 'r'`;

export function bind(request: WorkRequest, key: Name): Step {
  return step(bindKey, request.name, key, request.print.hash, request.print.version, request.keepMs);
}

export function clear({ name, key }: FindRequest): Step {
  return step(clearWay, name, key);
}

/** Text that a person reads: what PostgreSQL cannot keep is shown as such. */
export function shown(text: string): string {
  return text.replaceAll("\0", "\ufffd");
}

export async function claimWork(server: PostgresServer, request: ClaimRequest): Promise<Claim> {
  const { name, key, attempt, print, about } = request;
  for (;;) {
    const id = newWorkId();
    const inserted = await server.once(
      "claim",
      claim,
      ...[name, key, id, attempt, print.hash, print.version, about.operation, shown(about.identity)],
      ...[shown(about.principal), about.key === null ? null : shown(about.key), about.owner, request.input],
      ...[request.leaseMs, request.keepMs],
    );
    if (inserted.count > 0) {
      return { is: "won", fence: { name, id, attempt }, token: 1, resumes: 0, tookOver: false, effects: [] };
    }
    const looked = look(request);
    const verdict = judge((await server.once("claim", looked.text, ...looked.params)).rows, request);
    switch (verdict.is) {
      case "free":
        continue;
      case "mismatch":
        return verdict;
      case "clear": {
        const way = clear(request);
        await server.once("claim", way.text, ...way.params);
        continue;
      }
    }
    if (verdict.unbound && key !== null) {
      const binding = bind(request, key);
      // released, swept, or bound by another claim meanwhile
      if ((await server.once("claim", binding.text, ...binding.params)).count === 0) continue;
    }
    const answer = stored(verdict.work, attempt) ?? (await take(server, request, verdict.work));
    if (answer !== undefined) return answer;
  }
}

/** `undefined`: it is no longer what was looked at. */
async function take(server: PostgresServer, request: ClaimRequest, work: LookedWork): Promise<Claim | undefined> {
  const fence = { name: work.name, id: work.id, attempt: request.attempt };
  if (work.state === "r" && work.attempt === request.attempt) {
    // the first answer was lost
    if (!(await renew(server, fence, request.leaseMs))) return undefined;
    const effects = await effectsOf(server, work.id);
    return { is: "won", fence, token: work.token, resumes: work.resumes, tookOver: false, effects };
  }
  const { rows } = await server.once(
    "claim",
    takeWork,
    ...[work.name, request.attempt, request.print.hash, request.print.version, request.resuming ? 1 : 0],
    ...[request.leaseMs, request.input, request.about.owner],
  );
  const [row] = rows;
  // another attempt, or the transaction of its owner, holds it
  if (row === undefined) return { is: "running", since: work.createdAt, retryAfterMs: unboundedRetryMs };
  const id = workIdIn(row["id"]);
  const effects = await effectsOf(server, id);
  const won: Omit<Won, "fence"> = {
    is: "won",
    token: numberOf(row["token"]),
    resumes: numberOf(row["resumes"]),
    tookOver: row["before"] === "r",
    effects,
  };
  return { ...won, fence: { ...fence, id } };
}

export async function renew(server: PostgresServer, fence: Fence, leaseMs: number): Promise<boolean> {
  return (await server.once("renew", renewLease, fence.name, fence.attempt, fence.id, leaseMs)).count === 1;
}
