import { RepriseError } from "../../base/errors.ts";
import type { WorkId } from "../../base/names.ts";
import type { EffectStart, Fence, Pinned, Progress, Started, Transacted } from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { effectOf, fenced, noteAttempt } from "./records.ts";

/** The fence of the owner's transaction: while it is open, nobody can take the work over. */
export function holds(connection: Connection, fence: Fence): boolean {
  const rows = connection.all(`select 1 from reprise_work where ${fenced} and id = ?`, [
    fence.name,
    fence.attempt,
    fence.id,
  ]);
  return rows.length > 0;
}

export function renewLease(
  connection: Connection,
  now: number,
  fence: Fence,
  leaseMs: number,
  progress: Progress | null,
): "renewed" | "cancelled" | "fenced" {
  const [renewed] = connection.all(
    `update reprise_work set lease_until = ?, progress = coalesce(?, progress) where ${fenced} returning cancelled`,
    [now + leaseMs, progress === null ? null : JSON.stringify(progress), fence.name, fence.attempt],
  );
  if (renewed === undefined) return "fenced";
  return renewed["cancelled"] === 1 ? "cancelled" : "renewed";
}

export function startEffect(connection: Connection, now: number, fence: Fence, start: EffectStart): Started {
  if (!holds(connection, fence)) return { is: "fenced" };
  const changed = connection.run(
    `insert into reprise_effect (id, name, kind, state, started_at, settle_at, token)
     select id, ?, 'effect', 's', ?, ?, token from reprise_work where ${fenced} on conflict do nothing`,
    [start.effect, now, now + start.settleMs, fence.name, fence.attempt],
  );
  if (changed === 1) return { is: "started" };
  const record = effectOf(connection, fence.id, start.effect, now);
  return record === undefined ? { is: "fenced" } : { is: "present", record };
}

export function restartEffect(connection: Connection, now: number, fence: Fence, start: EffectStart): boolean {
  const changed = connection.run(
    `update reprise_effect set settle_at = max(settle_at, ?) where name = ? and state = 's'
       and id = (select id from reprise_work where ${fenced})`,
    [now + start.settleMs, start.effect, fence.name, fence.attempt],
  );
  return changed === 1;
}

export function pinEffect(connection: Connection, now: number, id: WorkId, effect: string, answer: string): Pinned {
  const changed = connection.run(
    "update reprise_effect set state = 'p', answer = ?, pinned_at = ? where id = ? and name = ? and state = 's'",
    [answer, now, id, effect],
  );
  if (changed === 1) {
    reopenIfAnswered(connection, now, id);
    return { is: "pinned" };
  }
  const record = effectOf(connection, id, effect, now);
  return record?.answer == null ? { is: "gone" } : { is: "present", answer: record.answer };
}

/** Parked work whose last open effect was pinned needs no person any more. */
export function reopenIfAnswered(connection: Connection, now: number, id: WorkId): void {
  const rows = connection.all("select 1 from reprise_work where id = ? and state = 'u'", [id]);
  if (rows.length === 0 || openEffects(connection, id) > 0) return;
  noteAttempt(connection, id, "reopened", now, null);
  reopen(connection, now, id);
}

export function reopen(connection: Connection, now: number, id: WorkId): void {
  connection.run(
    `update reprise_work set state = 'o', resumes = 0, not_before = null, lease_until = ?, ended_at = null, effect = null,
       why = null where id = ?`,
    [now, id],
  );
}

function openEffects(connection: Connection, id: WorkId): number {
  return connection.all("select 1 from reprise_effect where id = ? and state = 's'", [id]).length;
}

/** Fence first; then whether the transaction committed before. `undefined`: it is to be run now. */
export function transactionBefore(
  connection: Connection,
  now: number,
  fence: Fence,
  effect: string,
): Exclude<Transacted<never>, { is: "committed" }> | undefined {
  if (!holds(connection, fence)) return { is: "fenced" };
  const record = effectOf(connection, fence.id, effect, now);
  if (record === undefined) return undefined;
  if (record.answer !== null) return { is: "present", answer: record.answer };
  // an outside call under this name is unanswered: declared otherwise before
  const [work] = connection.all("select operation from reprise_work where id = ?", [fence.id]);
  throw new RepriseError("REPRISE_EFFECT_NAME_TWICE", { operation: String(work?.["operation"]), effect });
}

/** What a transaction did, written in its own commit. */
export function pinTransaction(
  connection: Connection,
  now: number,
  fence: Fence,
  effect: string,
  answer: string,
): void {
  connection.run(
    `insert into reprise_effect (id, name, kind, state, started_at, pinned_at, settle_at, token, answer)
     select id, ?, 'transaction', 'p', ?, ?, ?, token, ? from reprise_work where ${fenced}`,
    [effect, now, now, now, answer, fence.name, fence.attempt],
  );
}
