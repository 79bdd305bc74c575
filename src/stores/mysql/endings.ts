import type { WorkId } from "../../base/names.ts";
import type { Completion, Fence, Finished, Parking, Release } from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { hold } from "./fence.ts";
import { bytes, bytesOrNull, clock, effectsOf, id16, micros, noteAttempt, type Past, type Work } from "./records.ts";
import { unlessLocked } from "./server.ts";

export async function completeWork(
  connection: Connection,
  fence: Fence,
  completion: Completion,
): Promise<"done" | "fenced" | "effects-differ"> {
  const obstacle = await obstacleTo(connection, fence, completion.visited);
  if (obstacle !== undefined) return obstacle;
  await finishWork(connection, fence, completion, completion.keepMs, null);
  return "done";
}

/** Why the work cannot be completed; `undefined`: it can, as long as this transaction holds it. */
export async function obstacleTo(
  connection: Connection,
  fence: Fence,
  visited: readonly string[],
): Promise<"fenced" | "effects-differ" | undefined> {
  if ((await hold(connection, fence)) === undefined) return "fenced";
  // read after the fence, which no start is under way beside
  const effects = await effectsOf(connection, fence.id);
  const isPassedOver = effects.some(({ effect, state }) => state === "started" || !visited.includes(effect));
  return isPassedOver ? "effects-differ" : undefined;
}

/**
 * The outcome into the row that this transaction holds, and its commit where the connection can do both; `endedAt` in
 * microseconds, `null`: now. False: the row is gone, since the server rolled the transaction back and the work did not let
 * that error pass; then another's may stand there, which has another attempt.
 *
 * By its primary key: through the fence's index REPEATABLE READ locks the gaps beside the row too, and work that nobody
 * knows would be told that it runs.
 */
export async function finishWork(
  connection: Connection,
  fence: Pick<Fence, "name" | "attempt">,
  finished: Pick<Finished<unknown>, "outcome" | "refused">,
  keepMs: number,
  endedAt: number | null,
): Promise<boolean> {
  const text = `update reprise_work force index (primary) set state = 'd', outcome = ?, refused = ?, ended_at = coalesce(?, ${clock}),
       keep_until = greatest(keep_until, ${clock} + ?), input = null, why = null where name = ? and attempt = ?`;
  const { outcome, refused } = finished;
  const own = [id16(fence.name), id16(fence.attempt)];
  const params = [bytes(outcome), refused ? 1 : 0, endedAt, micros(keepMs), ...own];
  if (connection.commitWith === undefined) return (await connection.run(text, params)).count === 1;
  await connection.commitWith(text, params);
  return true;
}

export async function releaseWork(
  connection: Connection,
  fence: Fence,
  release: Release,
): Promise<"released" | "open" | "fenced"> {
  const held = await hold(connection, fence);
  if (held === undefined) return "fenced";
  // the ledger decides what happened, not the process's memory: a commit's answer may have been lost
  if (!release.keep && (await effectsOf(connection, fence.id)).length === 0) {
    await deleteWork(connection, [fence]);
    return "released";
  }
  await noteAttempt(connection, held, "released", release.error);
  await connection.query(
    `update reprise_work set state = 'o', not_before = ${clock} + ?, lease_until = ${clock}, why = ? where name = ?`,
    [micros(release.notBeforeMs), bytesOrNull(release.error), id16(fence.name)],
  );
  return "open";
}

export async function parkOwn(
  connection: Connection,
  fence: Fence,
  parking: Parking,
): Promise<"parked" | "answered" | "fenced"> {
  const held = await hold(connection, fence);
  if (held === undefined) return "fenced";
  const { effect, why, unlessAnswered } = parking;
  // an answer that comes after this look waits for the row, finds the work parked, and opens it again
  const effects = unlessAnswered ? await effectsOf(connection, fence.id) : [];
  if (effects.some((one) => one.effect === effect && one.state === "pinned")) return "answered";
  await parkWork(connection, held, effect, why);
  return "parked";
}

/**
 * Sets work aside for a person, whatever state it is in; its past attempt is noted. The caller holds its row. False: an
 * owner's transaction is open.
 */
export async function parkWork(connection: Connection, work: Past, effect: string, why: string): Promise<boolean> {
  const parked = await unlessLocked(
    connection,
    `update reprise_work set state = 'u', effect = ?, why = ?, ended_at = ${clock} where id = ?`,
    [bytes(effect), bytes(why), id16(work.id)],
  );
  if (parked === "locked") return false;
  await noteAttempt(connection, work, "parked", why);
  return true;
}

/** Deletes works with everything that hangs on them. The caller holds their rows. */
export async function deleteWork(connection: Connection, works: readonly Pick<Work, "name" | "id">[]): Promise<void> {
  if (works.length === 0) return;
  const marks = works.map(() => "?").join(", ");
  const ids = works.map(({ id }: { readonly id: WorkId }) => id16(id));
  const names = works.map(({ name }) => id16(name));
  await connection.query(`delete from reprise_effect where id in (${marks})`, ids);
  await connection.query(`delete from reprise_attempt where id in (${marks})`, ids);
  await connection.query(`delete from reprise_work where bound in (${marks})`, names);
  await connection.query(`delete from reprise_work where name in (${marks})`, names);
}
