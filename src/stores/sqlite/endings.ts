import type { WorkId } from "../../base/names.ts";
import type {
  AbandonedQuery,
  AbandonedWork,
  Completion,
  Fence,
  Finished,
  ParkAbandonedQuery,
  Parking,
  Release,
} from "../../contract/ledger.ts";
import { parkWork } from "./claim.ts";
import type { Connection } from "./driver.ts";
import { holds } from "./effects.ts";
import { deleteWork, isOver } from "./entry.ts";
import { noteAttempt, rowsOf, type WorkRow } from "./records.ts";

export function completeWork(
  connection: Connection,
  now: number,
  fence: Fence,
  completion: Completion,
): "done" | "fenced" | "effects-differ" {
  const obstacle = obstacleTo(connection, fence, completion.visited);
  if (obstacle !== undefined) return obstacle;
  finishWork(connection, now, fence.id, completion, completion.keepMs);
  return "done";
}

/** Why the work cannot be completed; `undefined`: it can, as long as this transaction holds it. */
export function obstacleTo(
  connection: Connection,
  fence: Fence,
  visited: readonly string[],
): "fenced" | "effects-differ" | undefined {
  if (!holds(connection, fence)) return "fenced";
  const [passedOver] = connection.all(
    `select 1 from reprise_effect where id = ?
       and (state = 's' or name not in (select value from json_each(?))) limit 1`,
    [fence.id, JSON.stringify(visited)],
  );
  return passedOver === undefined ? undefined : "effects-differ";
}

/** The outcome into the row that this transaction holds. The input was kept for a completer only. */
export function finishWork(
  connection: Connection,
  now: number,
  id: WorkId,
  finished: Pick<Finished<unknown>, "outcome" | "refused">,
  keepMs: number,
): void {
  connection.run(
    `update reprise_work set state = 'd', outcome = ?, refused = ?, ended_at = ?, keep_until = max(keep_until, ?),
       input = null, why = null where id = ?`,
    [finished.outcome, finished.refused ? 1 : 0, now, now + keepMs, id],
  );
}

export function releaseWork(
  connection: Connection,
  now: number,
  fence: Fence,
  release: Release,
): "released" | "open" | "fenced" {
  if (!holds(connection, fence)) return "fenced";
  // the ledger decides what happened, not the process's memory: a commit's answer may have been lost
  if (!release.keep && connection.all("select 1 from reprise_effect where id = ? limit 1", [fence.id]).length === 0) {
    deleteWork(connection, fence.name, fence.id);
    return "released";
  }
  noteAttempt(connection, fence.id, "released", now, release.error);
  connection.run("update reprise_work set state = 'o', not_before = ?, lease_until = ?, why = ? where id = ?", [
    now + release.notBeforeMs,
    now,
    release.error,
    fence.id,
  ]);
  return "open";
}

export function parkOwn(
  connection: Connection,
  now: number,
  fence: Fence,
  parking: Parking,
): "parked" | "answered" | "fenced" {
  if (!holds(connection, fence)) return "fenced";
  const { effect, why, unlessAnswered } = parking;
  const pinned = "select 1 from reprise_effect where id = ? and name = ? and state = 'p'";
  if (unlessAnswered && connection.all(pinned, [fence.id, effect]).length > 0) return "answered";
  parkWork(connection, now, fence.id, effect, why);
  return "parked";
}

export function abandonedWork(connection: Connection, now: number, query: AbandonedQuery): readonly AbandonedWork[] {
  const { operations, idleMs, limit, id } = query;
  const rows = connection.all(
    // the states as the partial index of live work lists them, and the plus: else all works of the operation are read
    `select id, name, operation, input, token, resumes from reprise_work
     where state in ('o', 'r', 'u') and state <> 'u' and input is not null
       and +operation in (select value from json_each(?)) and max(lease_until, coalesce(not_before, 0)) <= ?
       ${id === undefined ? "" : "and id = ?"} order by created_at, rowid limit ?`,
    [JSON.stringify(operations), now - idleMs, ...(id === undefined ? [] : [id]), limit],
  );
  return rowsOf<AbandonedWork>(rows);
}

export function parkStalledWork(
  connection: Connection,
  now: number,
  { id, token }: Pick<AbandonedWork, "id" | "token">,
  why: string,
): boolean {
  const still =
    "select 1 from reprise_work where id = ? and token = ? and (state = 'o' or state = 'r' and lease_until <= ?)";
  if (connection.all(still, [id, token, now]).length === 0) return false;
  parkWork(connection, now, id, "(resume)", why);
  return true;
}

export function parkAbandonedWork(connection: Connection, now: number, query: ParkAbandonedQuery): number {
  const rows = rowsOf<{ readonly id: WorkId; readonly started: string }>(
    connection.all(
      // as above
      `select id, (select min(name) from reprise_effect e where e.id = w.id and e.state = 's') as started
       from reprise_work w where state in ('o', 'r', 'u') and state <> 'u' and +operation = ?
         and max(lease_until, coalesce(not_before, 0)) <= ? and started is not null`,
      [query.operation, now - query.afterMs],
    ),
  );
  for (const { id, started } of rows) parkWork(connection, now, id, started, "abandoned");
  return rows.length;
}

export function sweepWork(connection: Connection, now: number, limit: number): number {
  const rows = rowsOf<Pick<WorkRow, "name" | "id">>(
    connection.all(`select name, id from reprise_work w where ${isOver("w")} order by keep_until limit ?`, [
      now,
      limit,
    ]),
  );
  for (const { name, id } of rows) deleteWork(connection, name, id);
  return rows.length;
}
