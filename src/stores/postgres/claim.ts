import { type Name, newWorkId } from "../../base/names.ts";
import type {
  Claim,
  ClaimRequest,
  Fence,
  FindRequest,
  Mismatch,
  Progress,
  Running,
  Won,
  WorkRequest,
} from "../../contract/ledger.ts";
import { effectsOf } from "./effects.ts";
import { insertKey, insertParams, insertWork } from "./insert.ts";
import { judge, type LookedWork, look, stored, unboundedRetryMs } from "./look.ts";
import { epochMs, interval, isCancelled, numberOf, workIdIn } from "./rows.ts";
import { type PostgresServer, type Step, step } from "./server.ts";

/** Such locks are the whole database's: another ledger in another schema has the same names, and other work. */
export const lockOf = (name: string) => `${name}::bigint # '@work'::regclass::oid::bigint`;

/**
 * Whether nobody's open transaction is at these names, and until this one's end none begins: such a transaction holds both
 * alone, and whoever inserted a name beside it would wait for its end. Those that insert by themselves do not shut each
 * other out.
 */
const unheld = (...names: readonly string[]) =>
  names.map((name) => `(${name}::bigint is null or pg_try_advisory_xact_lock_shared(${lockOf(name)}))`).join(" and ");

/** Of the names that `insertParams` are followed by. */
export const namesUnheld = unheld("$17", "$18");

const claim = insertWork("r", "", namesUnheld);

/** A further key lives as long as its work, so the work must live as long as this key's promise. `$6`: the key's number. */
const bindKey = `with w as (update @work set keep_until = greatest(keep_until, clock_timestamp() + ${interval("$5")})
    where name = $1::uuid and print = decode($3, 'hex') and print_v = $4::int
      and (state <> 'd' or keep_until > clock_timestamp() or parent is not null) returning 1)
  ${insertKey(`w where ${unheld("$6")}`)}`;

/** In a transaction that goes on, work that is not done is left to its owner's heartbeats, and is kept from its end on. */
const bindKeyBeside = `with w as (select 1 from @work where name = $1::uuid and print = decode($3, 'hex') and print_v = $4::int
    and state <> 'd' for key share)
  ${insertKey("w")}`;

const askUnheld = `select case when ${unheld("$1", "$2")} then 1 else 0 end as unheld,
  ${epochMs("clock_timestamp()")} as now`;

/**
 * What stands in the way and is past its keep: the work, the key's other work, a key whose work is gone. That a row is a
 * key's is asked by its state: asked whether it is bound, the server may read the index of all that are.
 */
const clearWay = {
  whole: clearing("select coalesce(bound, name) from @work where key = $2::uuid"),
  partitioned: clearing("select bound from @work where name = $2::uuid and state = 'k'"),
};
function clearing(keysWork: string): string {
  return `with d as (delete from @work where name = any(array(select $1::uuid union ${keysWork}))
    and state = 'd' and keep_until <= clock_timestamp() and parent is null returning name, id),
  e as (delete from @effect where id = any(array(select id from d))),
  a as (delete from @attempt where id = any(array(select id from d))),
  k as (delete from @work where bound is not null and bound = any(array(select name from d)))
  delete from @work p where name = $2::uuid and state = 'k'
    and not exists (select 1 from @work t where t.name = p.bound and t.name not in (select name from d))`;
}

/** Locked first, so that nobody waits: who finds it locked is told that it runs. The owner before is noted down. */
const takeWork = `with old as (select name, state, owner, token from @work where name = $1::uuid for update skip locked),
  w as (update @work w set attempt = $2::uuid, token = w.token + 1, resumes = w.resumes + $5::int, state = 'r',
      lease_until = clock_timestamp() + ${interval("$6")}, not_before = null, input = coalesce(w.input, $7), owner = $8
    from old where w.name = $1::uuid and w.print = decode($3, 'hex') and w.print_v = $4::int
      and (w.state = 'o' and coalesce(w.not_before, '-infinity') <= clock_timestamp()
        or w.state = 'r' and w.lease_until <= clock_timestamp())
    returning w.id, w.token, w.resumes, w.cancelled_at, old.state as before, old.owner as former, old.token as formertoken),
  n as (insert into @attempt (at, id, token, what, owner)
    select clock_timestamp(), id, formertoken, 'taken-over', former from w where before = 'r')
  select id, token, resumes, before, case when cancelled_at is null then 0 else 1 end as cancelled from w`;

const renewLease = `update @work set lease_until = clock_timestamp() + ${interval("$4")},
    progress_done = coalesce($5::float8, progress_done),
    progress_total = case when $5::float8 is null then progress_total else $6::float8 end
  where name = $1::uuid and attempt = $2::uuid and id = $3::uuid and state = 'r'
  returning case when cancelled_at is null then 0 else 1 end as cancelled`;

function bind({ name, print, keepMs }: WorkRequest, key: Name): Step {
  return step(bindKey, name, key, print.hash, print.version, keepMs, lockNumber(key));
}

/** In a transaction that goes on and holds the key. */
export function bindHeld({ name, print, keepMs }: WorkRequest, key: Name, { state }: LookedWork): Step {
  if (state === "d") return step(bindKey, name, key, print.hash, print.version, keepMs, lockNumber(key));
  return step(bindKeyBeside, name, key, print.hash, print.version);
}

export function clear({ name, key }: FindRequest): Step {
  return step(clearWay, name, key);
}

/** 64 bits of a name, signed. */
function lockNumber(name: Name): string {
  return BigInt.asIntN(64, BigInt(`0x${name.slice(0, 16)}`)).toString();
}

/** The numbers that an open transaction locks for both names. */
export function lockNumbers({ name, key }: FindRequest): readonly [name: string, key: string | null] {
  return [lockNumber(name), key === null ? null : lockNumber(key)];
}

/** What stands in the way of an insert, the key bound to it. `free`: nothing does any more. */
export type Met = { readonly is: "free" } | { readonly is: "found"; readonly work: LookedWork } | Mismatch | Running;

export async function meet(server: PostgresServer, doing: string, request: WorkRequest): Promise<Met> {
  const ask = ({ text, params }: Step) => server.once(doing, text, ...params);
  const freeUnlessHeld = async (): Promise<Met> => {
    const [row] = (await ask(step(askUnheld, ...lockNumbers(request)))).rows;
    if (numberOf(row?.["unheld"]) === 1) return { is: "free" };
    return { is: "running", since: numberOf(row?.["now"]), retryAfterMs: unboundedRetryMs };
  };
  const verdict = judge((await ask(look(request))).rows, request);
  switch (verdict.is) {
    case "free":
      // let go meanwhile, or written by a transaction that is still open
      return freeUnlessHeld();
    case "mismatch":
      return verdict;
    case "clear":
      await ask(clear(request));
      return { is: "free" };
    case "found": {
      const { work, unbound } = verdict;
      if (!unbound || request.key === null) return { is: "found", work };
      // else released, swept, or bound by another claim meanwhile
      return (await ask(bind(request, request.key))).count === 1 ? { is: "found", work } : freeUnlessHeld();
    }
  }
}

export async function claimWork(server: PostgresServer, request: ClaimRequest): Promise<Claim> {
  const { name, attempt } = request;
  for (;;) {
    const id = newWorkId();
    const params = insertParams(request, id, attempt, request.leaseMs, request.input);
    const inserted = await server.once("claim", claim, ...params, ...lockNumbers(request));
    if (inserted.count > 0) {
      const fence = { name, id, attempt };
      return { is: "won", fence, token: 1, resumes: 0, tookOver: false, cancelled: false, effects: [] };
    }
    const met = await meet(server, "claim", request);
    if (met.is === "free") continue;
    if (met.is !== "found") return met;
    const answer = stored(met.work, attempt) ?? (await take(server, request, met.work));
    if (answer !== undefined) return answer;
  }
}

/** `undefined`: it is no longer what was looked at. */
async function take(server: PostgresServer, request: ClaimRequest, work: LookedWork): Promise<Claim | undefined> {
  const fence = { name: work.name, id: work.id, attempt: request.attempt };
  if (work.state === "r" && work.attempt === request.attempt) {
    // the first answer was lost
    const renewed = await renew(server, fence, request.leaseMs, null);
    if (renewed === "fenced") return undefined;
    const effects = await effectsOf(server, work.id);
    const { token, resumes } = work;
    return { is: "won", fence, token, resumes, tookOver: false, cancelled: renewed === "cancelled", effects };
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
    cancelled: isCancelled(row),
    effects,
  };
  return { ...won, fence: { ...fence, id } };
}

export async function renew(
  server: PostgresServer,
  { name, attempt, id }: Fence,
  leaseMs: number,
  progress: Progress | null,
): Promise<"renewed" | "cancelled" | "fenced"> {
  const far = [progress?.done ?? null, progress?.total ?? null] as const;
  const [row] = (await server.once("renew", renewLease, name, attempt, id, leaseMs, ...far)).rows;
  if (row === undefined) return "fenced";
  return isCancelled(row) ? "cancelled" : "renewed";
}
