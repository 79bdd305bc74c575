import { type AttemptId, type Name, newAttemptId, newWorkId, type WorkId } from "../../base/names.ts";
import type { Claim, ClaimRequest, FindRequest, Open, Won, WorkRequest } from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { effectsOf, noteAttempt, rowsOf, type WorkRow } from "./records.ts";

/** What a running answer tells when no lease bounds the wait. */
const unboundedRetryMs = 1_000;
/** A claim keeps so much more than asked, so that completion seldom has to move the index. */
const keepAhead = 1.01;
const parkedByAtomic = "work with effects of its own was claimed as database work";

/** What external work is claimed with. */
type Lease = Pick<ClaimRequest, "attempt" | "leaseMs" | "input" | "resuming">;

/**
 * Claims the work for an attempt, inside the caller's immediate transaction: nothing interleaves. With a lease it is
 * running from now on; without one the caller finishes it in this same transaction, and the row is written as done
 * without an outcome, which nobody else can see.
 */
export function claimWork(connection: Connection, now: number, request: WorkRequest, lease: Lease | null): Claim {
  const attempt = lease?.attempt ?? newAttemptId();
  const id = newWorkId();
  for (;;) {
    if (insertWork(connection, now, request, lease, id, attempt)) {
      const fence = { name: request.name, id, attempt };
      return { is: "won", fence, token: 1, resumes: 0, tookOver: false, effects: [] };
    }
    const { work, owner, ownerAlive } = look(connection, request.name, request.key, now);
    if (owner !== undefined && owner !== request.name && ownerAlive) return { is: "mismatch", firstSeen: null };
    if (work === undefined || isExpired(work, now) || (owner !== undefined && owner !== request.name)) {
      clear(connection, now, request, owner);
      continue;
    }
    if (!samePrint(work, request)) return { is: "mismatch", firstSeen: work.created_at };
    if (request.key !== null && owner === undefined) bind(connection, now, request, request.key);
    return stored(work, now, attempt) ?? take(connection, now, request, lease, work, attempt);
  }
}

/** What a claim would find. */
export function findWork(connection: Connection, now: number, request: FindRequest): Exclude<Claim, Won> | Open | null {
  const { work, owner, ownerAlive } = look(connection, request.name, request.key, now);
  if (owner !== undefined && owner !== request.name && ownerAlive) return { is: "mismatch", firstSeen: null };
  if (work === undefined || isExpired(work, now)) return null;
  if (!samePrint(work, request)) return { is: "mismatch", firstSeen: work.created_at };
  const answer = stored(work, now, undefined);
  if (answer !== undefined) return answer;
  return { is: "open", since: work.created_at, retryAfterMs: 0 };
}

function insertWork(
  connection: Connection,
  now: number,
  request: WorkRequest,
  lease: Lease | null,
  id: WorkId,
  attempt: AttemptId,
): boolean {
  const { about, print } = request;
  const changed = connection.run(
    `insert into reprise_work (name, key, id, attempt, print, print_v, state, lease_until, keep_until, input,
       created_at, operation, identity, principal, caller_key, owner)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
    [
      request.name,
      request.key,
      id,
      attempt,
      print.hash,
      print.version,
      lease === null ? "d" : "r",
      lease === null ? null : now + lease.leaseMs,
      Math.ceil(now + request.keepMs * keepAhead),
      lease?.input ?? null,
      now,
      about.operation,
      about.identity,
      about.principal,
      about.key,
      about.owner,
    ],
  );
  return changed === 1;
}

interface Looked {
  readonly work: WorkRow | undefined;
  /** The work that the key belongs to; `undefined`: the key is free. */
  readonly owner: Name | undefined;
  readonly ownerAlive: boolean;
}

function look(connection: Connection, name: Name, key: Name | null, now: number): Looked {
  const rows = rowsOf<WorkRow & { readonly bound_alive: number }>(
    connection.all(
      `select w.*, exists (select 1 from reprise_work t where t.name = w.bound
         and (t.state <> 'd' or t.keep_until > ?)) as bound_alive
       from reprise_work w where w.name = ? or w.key = ?`,
      [now, name, key],
    ),
  );
  const work = rows.find((row) => row.name === name);
  const keyed = key === null ? undefined : rows.find((row) => row.key === key);
  if (keyed === undefined) return { work, owner: undefined, ownerAlive: false };
  const ownerAlive = keyed.bound === null ? !isExpired(keyed, now) : keyed.bound_alive === 1;
  return { work, owner: keyed.bound ?? keyed.name, ownerAlive };
}

function isExpired(work: WorkRow, now: number): boolean {
  return work.state === "d" && work.keep_until <= now;
}

function samePrint(work: WorkRow, request: FindRequest): boolean {
  return work.print === request.print.hash && work.print_v === request.print.version;
}

/** What is answered without running; `undefined`: the work can be taken. */
function stored(work: WorkRow, now: number, attempt: AttemptId | undefined): Exclude<Claim, Won> | undefined {
  const since = work.created_at;
  switch (work.state) {
    case "d":
      // without an outcome it is this very transaction's, still at work
      if (work.outcome === null) return { is: "running", since, retryAfterMs: unboundedRetryMs };
      return { is: "done", outcome: work.outcome, at: work.ended_at ?? since };
    case "u":
      return { is: "unknown", effect: work.effect ?? "", since: work.ended_at ?? since };
    case "r": {
      const leftMs = (work.lease_until ?? 0) - now;
      return leftMs > 0 && work.attempt !== attempt ? { is: "running", since, retryAfterMs: leftMs } : undefined;
    }
    default: {
      const leftMs = (work.not_before ?? 0) - now;
      return leftMs > 0 ? { is: "running", since, retryAfterMs: leftMs } : undefined;
    }
  }
}

/** A further key lives as long as its work, so the work must live as long as this key's promise. */
function bind(connection: Connection, now: number, request: WorkRequest, key: Name): void {
  connection.run("update reprise_work set keep_until = max(keep_until, ?) where name = ?", [
    now + request.keepMs,
    request.name,
  ]);
  connection.run("insert into reprise_work (name, key, bound, state, created_at) values (?, ?, ?, 'k', ?)", [
    key,
    key,
    request.name,
    now,
  ]);
}

function take(
  connection: Connection,
  now: number,
  request: WorkRequest,
  lease: Lease | null,
  work: WorkRow,
  attempt: AttemptId,
): Claim {
  const effects = effectsOf(connection, work.id, now);
  const fence = { name: work.name, id: work.id, attempt };
  if (work.state === "r" && work.attempt === attempt) {
    // the first answer was lost
    if (lease !== null) leaseUntil(connection, work.name, now + lease.leaseMs);
    return { is: "won", fence, token: work.token, resumes: work.resumes, tookOver: false, effects };
  }
  const tookOver = work.state === "r";
  const resumes = work.resumes + (lease?.resuming === true ? 1 : 0);
  if (tookOver) noteAttempt(connection, work.id, "taken-over", now, null);
  const [first] = effects;
  if (lease === null && first !== undefined) {
    // database work completes over no effect: what happened under an earlier declaration is a person's
    parkWork(connection, now, work.id, first.effect, parkedByAtomic);
    return { is: "unknown", effect: first.effect, since: now };
  }
  connection.run(
    `update reprise_work set attempt = ?, token = token + 1, resumes = ?, state = ?, lease_until = ?, not_before = null,
       input = coalesce(input, ?), owner = ? where name = ?`,
    [
      attempt,
      resumes,
      lease === null ? "d" : "r",
      lease === null ? null : now + lease.leaseMs,
      lease?.input ?? null,
      request.about.owner,
      work.name,
    ],
  );
  return { is: "won", fence, token: work.token + 1, resumes, tookOver, effects };
}

function leaseUntil(connection: Connection, name: Name, until: number): void {
  connection.run("update reprise_work set lease_until = ? where name = ?", [until, name]);
}

/** Sets work aside for a person, whatever state it is in; its past attempt is noted. */
export function parkWork(connection: Connection, now: number, id: WorkId, effect: string, why: string): void {
  noteAttempt(connection, id, "parked", now, why);
  connection.run("update reprise_work set state = 'u', effect = ?, why = ?, ended_at = ? where id = ?", [
    effect,
    why,
    now,
    id,
  ]);
}

/** Removes what stands in the way and is past its keep: the work, the key's other work, a key whose work is gone. */
function clear(connection: Connection, now: number, request: FindRequest, owner: Name | undefined): void {
  for (const name of new Set([request.name, owner ?? request.name])) {
    const [expired] = rowsOf<Pick<WorkRow, "id">>(
      connection.all("select id from reprise_work where name = ? and state = 'd' and keep_until <= ?", [name, now]),
    );
    if (expired !== undefined) deleteWork(connection, name, expired.id);
  }
  connection.run(
    `delete from reprise_work where name = ? and state = 'k'
       and not exists (select 1 from reprise_work t where t.name = reprise_work.bound)`,
    [request.key],
  );
}

/** Deletes work with everything that hangs on it. */
export function deleteWork(connection: Connection, name: Name, id: WorkId): void {
  connection.run("delete from reprise_effect where id = ?", [id]);
  connection.run("delete from reprise_attempt where id = ?", [id]);
  connection.run("delete from reprise_work where bound = ?", [name]);
  connection.run("delete from reprise_work where name = ?", [name]);
}
