import type { WorkId } from "../../base/names.ts";
import type { RecentQuery, RunHistory, RunState, RunSummary } from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { attemptOf, bytes, effectsOf, id16, runColumns, runOf } from "./records.ts";

const letters: { readonly [S in RunState]: string } = { open: "o", running: "r", unknown: "u", done: "d" };
const live: readonly RunState[] = ["open", "running", "unknown"];
const all: readonly RunState[] = [...live, "done"];

/**
 * Newest first. Each shape of the question has an index that gives its order, so that none reads the whole ledger: without
 * an operation the newest of each state; of live work, which is little, by state; else by operation.
 */
export async function recentRuns(connection: Connection, query: RecentQuery): Promise<readonly RunSummary[]> {
  const { operation, state, limit } = query;
  const order = "order by created_at desc, name desc limit ?";
  const byState = (one: RunState): string =>
    `(select ${runColumns}, name from reprise_work force index (reprise_work_state)
      where state = '${letters[one]}'${operation === undefined ? "" : " and operation = ?"} ${order})`;
  const states = state === undefined ? all : [state];
  const byOperation = operation !== undefined && !(state !== undefined && live.includes(state));
  const text = byOperation
    ? `select ${runColumns}, name from reprise_work force index (reprise_work_operation)
       where operation = ? and state ${state === undefined ? "<> 'k'" : `= '${letters[state]}'`} ${order}`
    : `${states.map(byState).join(" union all ")} ${order}`;
  const one = operation === undefined ? [limit] : [bytes(operation), limit];
  const params = byOperation ? one : [...states.flatMap(() => one), limit];
  const { rows } = await connection.query(text, params);
  return rows.map(runOf);
}

/** In one snapshot for all three. */
export async function runHistory(connection: Connection, id: WorkId): Promise<RunHistory | null> {
  const { rows } = await connection.query(`select ${runColumns} from reprise_work where id = ?`, [id16(id)]);
  const [row] = rows;
  if (row === undefined) return null;
  const effects = await effectsOf(connection, id);
  const attempts = await connection.query("select * from reprise_attempt where id = ? order by number", [id16(id)]);
  return { run: runOf(row), effects, attempts: attempts.rows.map(attemptOf) };
}
