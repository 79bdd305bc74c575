import type { Name, WorkId } from "../../base/names.ts";
import type {
  RecentQuery,
  RunHistory,
  RunSummary,
  Standing,
  SuccessesPage,
  SuccessesQuery,
  Twice,
  TwiceQuery,
} from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { attemptsOf, effectsOf, rowsOf, runSummary, standingOf, type WorkRow } from "./records.ts";

/** Of an operation's works the newest so many are looked at for a second success. */
const newestWorks = 1_000;

const letters = { open: "o", running: "r", unknown: "u", done: "d" } as const;

/** Newest first. Each shape of the question has an order that an index gives, so that none reads the whole ledger. */
export function recentRuns(connection: Connection, query: RecentQuery): readonly RunSummary[] {
  const { operation, state, limit } = query;
  const live = state !== undefined && state !== "done";
  const wanted = ["state <> 'k'"];
  const params: (string | number)[] = [];
  if (operation !== undefined) {
    // the plus: live work is found by its own index, not among all works of the operation
    wanted.push(live ? "+operation = ?" : "operation = ?");
    params.push(operation);
  }
  if (state !== undefined) wanted.push(`state = '${letters[state]}'`);
  if (live) wanted.push("state in ('o', 'r', 'u')");
  const order = live || operation !== undefined ? "created_at desc, rowid desc" : "rowid desc";
  const sql = `select * from reprise_work where ${wanted.join(" and ")} order by ${order} limit ?`;
  const runs = connection.all(sql, [...params, limit]).map(runSummary);
  // database work is written when it ends, after what it asked for
  return order === "rowid desc" ? runs.toSorted((a, b) => b.createdAt - a.createdAt) : runs;
}

export function runHistory(connection: Connection, now: number, id: WorkId): RunHistory | null {
  // one snapshot for all three
  connection.exec("begin");
  try {
    const row = connection.get("select * from reprise_work where id = ? or name = ? and id is null and state <> 'k'", [
      id,
      id,
    ]);
    if (row === undefined) return null;
    return { run: runSummary(row), effects: effectsOf(connection, id, now), attempts: attemptsOf(connection, id) };
  } finally {
    connection.exec("rollback");
  }
}

/** By the id alone: that of database work is its name, which others could work out. */
export function workStanding(connection: Connection, id: WorkId): Standing | null {
  const [work] = rowsOf<WorkRow>(connection.all("select * from reprise_work where id = ?", [id]));
  return work === undefined ? null : standingOf(work);
}

/** Each success beside the one before it with the same intent. */
export function succeededTwice(connection: Connection, query: TwiceQuery): readonly Twice[] {
  const { operation, withinMs, intent, limit } = query;
  // the plus: one intent's few works are found by its index, not by the operation's
  const [works, params] =
    intent === undefined ? ["operation = ?", [operation]] : ["+operation = ? and intent = ?", [operation, intent]];
  const pairs = connection.all(
    `select first, second from (
       select name as second, lag(name) over same as first, created_at, place, lag(created_at) over same as began
       from (
         select rowid as place, name, state, refused, intent, created_at from reprise_work where ${works}
         order by created_at desc, rowid desc limit ?)
       where state = 'd' and refused = 0 and intent is not null
       window same as (partition by intent order by created_at, place))
     where created_at - began <= ? order by created_at desc, place desc limit ?`,
    [...params, newestWorks, withinMs, limit],
  );
  const row = (name: Name) => connection.get("select * from reprise_work where name = ?", [name]);
  return rowsOf<Twice["names"]>(pairs).flatMap(({ first: former, second: latter }) => {
    const names = { first: former, second: latter };
    const [first, second] = [row(former), row(latter)];
    // swept between the two statements
    if (first === undefined || second === undefined) return [];
    return [{ first: runSummary(first), second: runSummary(second), names }];
  });
}

/** A place is an instant and the number of the row that was written then. */
export function keptSuccesses(connection: Connection, { operation, after, limit }: SuccessesQuery): SuccessesPage {
  const [began = "", row = ""] = (after ?? "0 0").split(" ");
  const rows = connection.all(
    `select *, rowid as place from reprise_work where operation = ? and (created_at, rowid) > (?, ?)
     order by created_at, rowid limit ?`,
    [operation, Number(began), Number(row), limit],
  );
  const last = rows.length < limit ? undefined : rows.at(-1);
  return {
    successes: rows
      .map((one) => ({ run: runSummary(one), intent: one["intent"] as Name | null }))
      .filter(({ run }) => run.refused === false),
    next: last === undefined ? null : `${String(last["created_at"])} ${String(last["place"])}`,
  };
}
