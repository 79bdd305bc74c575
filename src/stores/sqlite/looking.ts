import type { WorkId } from "../../base/names.ts";
import type { RecentQuery, RunHistory, RunSummary } from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { attemptsOf, effectsOf, runSummary } from "./records.ts";

const letters = { open: "o", running: "r", unknown: "u", done: "d" } as const;

/** Newest first. Each shape of the question has an order that an index gives, so that none reads the whole ledger. */
export function recentRuns(connection: Connection, query: RecentQuery): readonly RunSummary[] {
  const { operation, state, limit } = query;
  const live = state !== undefined && state !== "done";
  const wanted = ["state <> 'k'"];
  const params: (string | number)[] = [];
  if (operation !== undefined) {
    // live work is little: by its operation's index all that was ever done of it would be read. A + keeps that out
    wanted.push(live ? "+operation = ?" : "operation = ?");
    params.push(operation);
  }
  if (state !== undefined) wanted.push(`state = '${letters[state]}'`);
  if (live) wanted.push("state in ('o', 'r', 'u')");
  const order = live || operation !== undefined ? "created_at desc, rowid desc" : "rowid desc";
  const sql = `select * from reprise_work where ${wanted.join(" and ")} order by ${order} limit ?`;
  return connection.all(sql, [...params, limit]).map(runSummary);
}

export function runHistory(connection: Connection, now: number, id: WorkId): RunHistory | null {
  // one snapshot for all three
  connection.exec("begin");
  try {
    const [row] = connection.all("select * from reprise_work where id = ?", [id]);
    if (row === undefined) return null;
    return { run: runSummary(row), effects: effectsOf(connection, id, now), attempts: attemptsOf(connection, id) };
  } finally {
    connection.exec("rollback");
  }
}
