import { defaults } from "../../base/defaults.ts";
import { type AttemptId, newWorkId, type WorkId } from "../../base/names.ts";
import type { Acceptance, AcceptRequest, Claim, ClaimRequest, FindRequest, Open, Won } from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { enterWork, standingWork } from "./entry.ts";
import { effectsOf, idOf, noteAttempt, type WorkRow } from "./records.ts";
import { none, type Running, toldByRunning } from "./running.ts";

const { unboundedRetryMs } = defaults.ledger;

/** Claims external work for an attempt, inside the caller's immediate transaction: nothing interleaves. */
export function claimWork(connection: Connection, now: number, request: ClaimRequest): Claim {
  const { name, attempt, input, leaseMs } = request;
  const id = newWorkId();
  const found = enterWork(connection, now, request, { id, attempt, state: "r", leaseUntil: now + leaseMs, input });
  if (found === undefined) {
    const fence = { name, id, attempt };
    return { is: "won", fence, token: 1, resumes: 0, tookOver: false, cancelled: false, effects: [] };
  }
  if ("is" in found) return found;
  return stored(found, now, attempt) ?? take(connection, now, request, found);
}

/** Enters the work as nobody's yet, inside the caller's immediate transaction, which may be `at` database work. */
export function acceptWork(
  connection: Connection,
  now: number,
  request: AcceptRequest,
  at: Running = none,
): Acceptance {
  const { id, input } = request;
  const told = toldByRunning(at, request);
  if (told !== undefined) return told;
  const found = enterWork(connection, now, request, { id, attempt: null, state: "o", leaseUntil: now, input }, at);
  if (found === undefined) return { is: "accepted", id, since: now, isNew: true };
  if ("is" in found) return found;
  const since = found.created_at;
  const isGoing = found.state === "o" || found.state === "r";
  if (isGoing && found.input !== null) return { is: "accepted", id: idOf(found), since, isNew: found.id === id };
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
export function stored(work: WorkRow, now: number, attempt: AttemptId | undefined): Exclude<Claim, Won> | undefined {
  const since = work.created_at;
  switch (work.state) {
    case "d":
      return { is: "done", outcome: work.outcome ?? "", at: work.ended_at ?? since };
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

function take(connection: Connection, now: number, request: ClaimRequest, work: WorkRow): Claim {
  const { attempt, leaseMs, input, about, resuming } = request;
  const id = idOf(work);
  const effects = effectsOf(connection, id, now);
  const fence = { name: work.name, id, attempt };
  const cancelled = work.cancelled === 1;
  if (work.state === "r" && work.attempt === attempt) {
    // the first answer was lost
    connection.run("update reprise_work set lease_until = ? where name = ?", [now + leaseMs, work.name]);
    return { is: "won", fence, token: work.token, resumes: work.resumes, tookOver: false, cancelled, effects };
  }
  const tookOver = work.state === "r";
  const resumes = work.resumes + (resuming ? 1 : 0);
  if (tookOver) noteAttempt(connection, id, "taken-over", now, null);
  connection.run(
    `update reprise_work set attempt = ?, token = token + 1, resumes = ?, state = 'r', lease_until = ?, not_before = null,
       input = coalesce(input, ?), owner = ? where name = ?`,
    [attempt, resumes, now + leaseMs, input, about.owner, work.name],
  );
  return { is: "won", fence, token: work.token + 1, resumes, tookOver, cancelled, effects };
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
