import { RepriseError } from "../../base/errors.ts";
import type { WorkId } from "../../base/names.ts";
import type { EffectRecord, EffectStart, Fence, Pinned, Progress, Started, Transacted } from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { fencedRow, fenceOf, share } from "./fence.ts";
import { bounded } from "./limits.ts";
import {
  bytes,
  clock,
  effectOf,
  id16,
  micros,
  noteAttempt,
  textOf,
  type Work,
  workColumns,
  workOf,
} from "./records.ts";

const longestName = 767;

export async function renewLease(
  connection: Connection,
  fence: Fence,
  leaseMs: number,
  progress: Progress | null,
): Promise<"renewed" | "cancelled" | "fenced"> {
  const far = progress === null ? [] : [progress.done, progress.total];
  const { count } = await connection.query(
    `update reprise_work set lease_until = ${clock} + ?${progress === null ? "" : ", progress_done = ?, progress_total = ?"}
     where name = ? and id = ? and attempt = ? and state = 'r'`,
    [micros(leaseMs), ...far, id16(fence.name), id16(fence.id), id16(fence.attempt)],
  );
  if (count !== 1) return "fenced";
  // a cancellation beside it is seen at the next renewal
  const { rows } = await connection.query("select cancelled_at from reprise_work where name = ?", [id16(fence.name)]);
  return rows[0]?.["cancelled_at"] == null ? "renewed" : "cancelled";
}

/** Each statement commits by itself: that the effect is present is believed of the insert, that it is absent of nothing. */
export async function startEffect(connection: Connection, fence: Fence, start: EffectStart): Promise<Started> {
  const name = bounded(start.effect, longestName, "effect");
  // without the lock a take-over that is not committed yet would not be seen
  const { count } = await connection.query(
    // reprise: sound, what `ignore` could cut is bounded, so that it swallows the duplicate alone
    `insert ignore into reprise_effect (id, name, kind, state, started_at, settle_at, token)
     select id, ?, 'effect', 's', ${clock}, ${clock} + ?, token ${fencedRow} lock in share mode`,
    [name, micros(start.settleMs), ...fenceOf(fence)],
  );
  if (count === 1) return { is: "started" };
  const { rows } = await connection.query(`select 1 as mine ${fencedRow}`, fenceOf(fence));
  const record = rows.length === 1 ? await readEffect(connection, fence.id, start.effect) : undefined;
  return record === undefined ? { is: "fenced" } : { is: "present", record };
}

async function readEffect(connection: Connection, id: WorkId, effect: string): Promise<EffectRecord | undefined> {
  const { rows } = await connection.query(
    `select *, ${clock} as now_at from reprise_effect where id = ? and name = ?`,
    [id16(id), bytes(effect)],
  );
  return rows.map(effectOf)[0];
}

export async function restartEffect(connection: Connection, fence: Fence, start: EffectStart): Promise<boolean> {
  if (!(await share(connection, fence))) return false;
  const { rows } = await connection.query(
    "select 1 as open from reprise_effect where id = ? and name = ? and state = 's' for update",
    [id16(fence.id), bytes(start.effect)],
  );
  if (rows.length === 0) return false;
  await connection.query(
    `update reprise_effect set settle_at = greatest(settle_at, ${clock} + ?) where id = ? and name = ?`,
    [micros(start.settleMs), id16(fence.id), bytes(start.effect)],
  );
  return true;
}

/** An effect whose answer is not there: by id and name. */
export const openEffect = "where id = ? and name = ? and state = 's'";

export async function pinEffect(connection: Connection, id: WorkId, effect: string, answer: string): Promise<Pinned> {
  const { count } = await connection.query(
    `update reprise_effect set state = 'p', answer = ?, pinned_at = ${clock} ${openEffect}`,
    [bytes(answer), id16(id), bytes(effect)],
  );
  if (count === 1) {
    await reopenPinned(connection, id);
    return { is: "pinned" };
  }
  const record = await readEffect(connection, id, effect);
  return record?.answer == null ? { is: "gone" } : { is: "present", answer: record.answer };
}

/**
 * The name and id that one piece of work is locked by: by its name, the row alone is locked, and an owner's transaction,
 * which holds the fence, is not waited for. `undefined`: it is gone.
 */
export async function whereWork(
  connection: Connection,
  id: WorkId,
): Promise<readonly [name: Uint8Array, id: Uint8Array] | undefined> {
  const { rows } = await connection.query("select name from reprise_work where id = ?", [id16(id)]);
  const [work] = rows;
  return work === undefined ? undefined : [work["name"] as Uint8Array, id16(id)];
}

async function reopenPinned(connection: Connection, id: WorkId): Promise<void> {
  const where = await whereWork(connection, id);
  if (where === undefined) return;
  const { rows } = await connection.query(
    `select ${workColumns} from reprise_work where name = ? and id = ? for update`,
    where,
  );
  const [work] = rows.map(workOf);
  if (work?.state === "u") await reopenIfAnswered(connection, work);
}

/** Parked work whose last open effect was pinned needs no person any more. The caller holds its row. */
export async function reopenIfAnswered(connection: Connection, parked: Work): Promise<void> {
  const open = await connection.query("select 1 as open from reprise_effect where id = ? and state = 's' limit 1", [
    id16(parked.id),
  ]);
  if (open.rows.length > 0) return;
  await noteAttempt(connection, parked, "reopened", null);
  await reopen(connection, parked);
}

/** The caller holds its row. */
export async function reopen(connection: Connection, parked: Work): Promise<void> {
  await connection.query(
    `update reprise_work set state = 'o', resumes = 0, not_before = null, lease_until = ${clock}, ended_at = null, effect = null,
       why = null where name = ?`,
    [id16(parked.name)],
  );
}

/** Fence first; then whether the transaction committed before. `undefined`: it is to be run now. */
export async function transactionBefore(
  connection: Connection,
  fence: Fence,
  effect: string,
): Promise<Exclude<Transacted<never>, { is: "committed" }> | undefined> {
  if (!(await share(connection, fence))) return { is: "fenced" };
  const record = await readEffect(connection, fence.id, effect);
  if (record === undefined) return undefined;
  if (record.answer !== null) return { is: "present", answer: record.answer };
  // an outside call under this name is unanswered: declared otherwise before
  const { rows } = await connection.query("select operation from reprise_work where id = ?", [id16(fence.id)]);
  const operation = textOf(rows[0]?.["operation"] ?? "");
  throw new RepriseError("REPRISE_EFFECT_NAME_TWICE", { operation, effect });
}

/**
 * What a transaction did, written in its own commit. A duplicate raises: the same transaction committed meanwhile, and this
 * one must not. False: the server rolled this one back, and the work did not let that error pass.
 */
export async function pinTransaction(
  connection: Connection,
  fence: Fence,
  effect: string,
  answer: string,
): Promise<boolean> {
  const { count } = await connection.query(
    `insert into reprise_effect (id, name, kind, state, started_at, pinned_at, settle_at, token, answer)
     select id, ?, 'transaction', 'p', ${clock}, ${clock}, ${clock}, token, ? ${fencedRow} lock in share mode`,
    [bounded(effect, longestName, "effect"), bytes(answer), ...fenceOf(fence)],
  );
  return count === 1;
}
