import { type AttemptId, type Name, newAttemptId, newWorkId, type WorkId } from "../../base/names.ts";
import type {
  Acceptance,
  AcceptRequest,
  Claim,
  ClaimRequest,
  FindRequest,
  Open,
  Won,
  WorkRequest,
} from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { enterWork, standingWork } from "./entry.ts";
import { effectsOf, noteAttempt, type WorkRow } from "./records.ts";

/** What a running answer tells when no lease bounds the wait. */
const unboundedRetryMs = 1_000;
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
  const beginning =
    lease === null
      ? ({ id, attempt, state: "d", leaseUntil: null, input: null } as const)
      : ({ id, attempt, state: "r", leaseUntil: now + lease.leaseMs, input: lease.input } as const);
  const found = enterWork(connection, now, request, beginning);
  if (found === undefined) {
    const fence = { name: request.name, id, attempt };
    return { is: "won", fence, token: 1, resumes: 0, tookOver: false, cancelled: false, effects: [] };
  }
  if ("is" in found) return found;
  return stored(found, now, attempt) ?? take(connection, now, request, lease, found, attempt);
}

/** Enters the work as nobody's yet, inside the caller's immediate transaction. */
export function acceptWork(connection: Connection, now: number, request: AcceptRequest): Acceptance {
  const { id, input } = request;
  const found = enterWork(connection, now, request, { id, attempt: null, state: "o", leaseUntil: now, input });
  if (found === undefined) return { is: "accepted", id, since: now, isNew: true };
  if ("is" in found) return found;
  const since = found.created_at;
  const isGoing = found.state === "o" || found.state === "r";
  if (isGoing && found.input !== null) return { is: "accepted", id: found.id, since, isNew: found.id === id };
  const running = { is: "running", since, retryAfterMs: unboundedRetryMs } as const;
  return isGoing ? running : (stored(found, now, undefined) ?? running);
}

/** What a claim would find. */
export function findWork(connection: Connection, now: number, request: FindRequest): Exclude<Claim, Won> | Open | null {
  const found = standingWork(connection, now, request);
  if (found === undefined) return null;
  if ("is" in found) return found;
  return stored(found, now, undefined) ?? { is: "open", since: found.created_at, retryAfterMs: 0 };
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
  const cancelled = work.cancelled === 1;
  if (work.state === "r" && work.attempt === attempt) {
    // the first answer was lost
    if (lease !== null) leaseUntil(connection, work.name, now + lease.leaseMs);
    return { is: "won", fence, token: work.token, resumes: work.resumes, tookOver: false, cancelled, effects };
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
  return { is: "won", fence, token: work.token + 1, resumes, tookOver, cancelled, effects };
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
