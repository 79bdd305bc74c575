import type { Clock } from "../../base/clock.ts";
import { RepriseError } from "../../base/errors.ts";
import { newAttemptId, type WorkId } from "../../base/names.ts";
import { pause } from "../../base/promise.ts";
import type { Intervention, Note } from "../../contract/ledger.ts";
import type { Database } from "./database.ts";
import type { Connection } from "./driver.ts";
import { openEffect, reopen, reopenIfAnswered, whereWork } from "./effects.ts";
import { finishWork } from "./endings.ts";
import { bytes, id16, noteAttempt, clock as storeClock, type Work, workColumns, workOf } from "./records.ts";
import { unlessLocked } from "./server.ts";

/** Claims and pins hold a row for milliseconds; a user's transaction may for long, and a person is told so. */
const patienceMs = 2_000;
const longestPauseMs = 25;

/**
 * What a person decides. Every wait is a pause without a lock: an owner's transaction that holds the fence and comes to need
 * the row would be rolled back for it.
 */
export async function intervene(
  database: Database,
  ledger: string,
  clock: Clock,
  id: WorkId,
  intervention: Intervention,
  note: Note,
): Promise<boolean> {
  const begun = clock.monotonic();
  for (;;) {
    const carriedOut = await database.write("intervene", async (connection) => {
      const work = await lockWork(connection, id);
      return work === "locked" || work === undefined ? work : carryOut(connection, work, intervention, note);
    });
    if (carriedOut !== "locked") return carriedOut ?? false;
    const afterMs = Math.round(clock.monotonic() - begun);
    if (afterMs >= patienceMs) throw new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs });
    await pause(clock, Math.random() * longestPauseMs);
  }
}

/** By its name, so that the row alone is locked, and not the fence beside it. `locked`: somebody holds it. */
async function lockWork(connection: Connection, id: WorkId): Promise<Work | "locked" | undefined> {
  const where = await whereWork(connection, id);
  if (where === undefined) return undefined;
  const locking = `select ${workColumns} from reprise_work where name = ? and id = ? for update`;
  const found = await unlessLocked(connection, locking, where);
  return found === "locked" ? found : found.rows.map(workOf)[0];
}

/** Nothing was written where it answers false, or `locked`: an owner's transaction is open. */
async function carryOut(
  connection: Connection,
  work: Work,
  intervention: Intervention,
  { who, why }: Note,
): Promise<boolean | "locked"> {
  const decided = { ...work, owner: bytes(who) };
  if (intervention.does === "release") {
    if (work.state !== "r" || work.token !== intervention.token) return false;
    // with another attempt's id nothing that the owner still writes carries the fence
    const released = await unlessLocked(
      connection,
      `update reprise_work set state = 'o', attempt = ?, not_before = null, lease_until = ${storeClock} where name = ?`,
      [id16(newAttemptId()), id16(work.name)],
    );
    if (released === "locked") return released;
    await noteAttempt(connection, decided, "revoked", why);
    return true;
  }
  if (intervention.does === "cancel") {
    if (!(work.state === "o" || work.state === "r") || !work.keepsInput || work.isCancelled) return false;
    // nothing that a fence is in changes: an owner's transaction goes on beside it
    await connection.query(`update reprise_work set cancelled_at = ${storeClock}, not_before = null where name = ?`, [
      id16(work.name),
    ]);
    await noteAttempt(connection, decided, "cancelled", why);
    return true;
  }
  if (work.state !== "u") return false;
  switch (intervention.does) {
    case "settle":
      await noteAttempt(connection, decided, "settled", why);
      return finishWork(connection, work, intervention, intervention.keepMs, work.now);
    case "answer": {
      const { count } = await connection.query(
        `update reprise_effect set state = 'p', answer = ?, pinned_at = ${storeClock} ${openEffect}`,
        [bytes(intervention.answer), id16(work.id), bytes(intervention.effect)],
      );
      if (count === 0) return false;
      await noteAttempt(connection, decided, "answered", why);
      await reopenIfAnswered(connection, work);
      return true;
    }
    case "forget": {
      const { count } = await connection.query(`delete from reprise_effect ${openEffect}`, [
        id16(work.id),
        bytes(intervention.effect),
      ]);
      if (count === 0) return false;
      await noteAttempt(connection, decided, "forgotten", why);
      await reopenIfAnswered(connection, work);
      return true;
    }
    case "reopen":
      await noteAttempt(connection, decided, "reopened", why);
      await reopen(connection, work);
      return true;
  }
}
