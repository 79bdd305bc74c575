import type { Name, WorkId } from "../../base/names.ts";
import type {
  RecentQuery,
  RunHistory,
  RunState,
  RunSummary,
  Standing,
  SuccessesPage,
  SuccessesQuery,
  Twice,
  TwiceQuery,
} from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import {
  attemptOf,
  byId,
  bytes,
  effectsOf,
  hexOf,
  id16,
  instant,
  micros,
  progressOf,
  runColumns,
  runOf,
  textOf,
  textOrNull,
} from "./records.ts";

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
  const { rows } = await connection.query(byId(runColumns), [id16(id), id16(id)]);
  const [row] = rows;
  if (row === undefined) return null;
  const effects = await effectsOf(connection, id);
  const attempts = await connection.query("select * from reprise_attempt where id = ? order by number", [id16(id)]);
  return { run: runOf(row), effects, attempts: attempts.rows.map(attemptOf) };
}

/** By the id alone: that of database work is its name, which others could work out. */
export async function standingOf(connection: Connection, id: WorkId): Promise<Standing | null> {
  const columns =
    "operation, state, outcome, effect, created_at, ended_at, cancelled_at, progress_done, progress_total";
  const { rows } = await connection.query(`select ${columns} from reprise_work where id = ?`, [id16(id)]);
  const [row] = rows;
  if (row === undefined) return null;
  const operation = textOf(row["operation"]);
  const createdAt = instant(row["created_at"]);
  const since = instant(row["ended_at"] ?? row["created_at"]);
  const state = textOf(row["state"]);
  switch (state) {
    case "d": {
      const outcome = textOrNull(row["outcome"]);
      // the work of a transaction has committed it by itself
      if (outcome === null) return { operation, is: "unknown", effect: "(commit)", since };
      return { operation, is: "done", outcome, at: since };
    }
    case "u":
      return { operation, is: "unknown", effect: textOrNull(row["effect"]) ?? "", since };
    default: {
      const cancelled = row["cancelled_at"] !== null;
      return { operation, is: "going", since: createdAt, running: state === "r", cancelled, progress: progressOf(row) };
    }
  }
}

/** Among so many of the newest works second successes are looked for. */
const newestLookedAt = 500;

/** The newest works of the operation, or with the intent, of which each looks for the success before it by its intent. */
export async function succeededTwice(connection: Connection, query: TwiceQuery): Promise<readonly Twice[]> {
  const { operation, withinMs, limit, intent } = query;
  const newest =
    intent === undefined ? (["operation", bytes(operation)] as const) : (["intent", id16(intent)] as const);
  const { rows: pairs } = await connection.query(
    `select name as second, (select name from reprise_work f force index (reprise_work_intent)
         where f.intent = s.intent and f.created_at between s.created_at - ? and s.created_at
           and (f.created_at < s.created_at or f.name < s.name)
           and f.state = 'd' and f.refused = 0 and f.operation = s.operation
         order by f.created_at desc, f.name desc limit 1) as first
     from (select name, intent, created_at, state, refused, operation from reprise_work force index (reprise_work_${newest[0]})
       where ${newest[0]} = ? order by created_at desc, name desc limit ${newestLookedAt}) s
     where intent is not null and state = 'd' and refused = 0 and operation = ?
     having first is not null order by created_at desc, name desc limit ?`,
    [micros(withinMs), newest[1], bytes(operation), limit],
  );
  if (pairs.length === 0) return [];
  const names = pairs.flatMap((pair) => [pair["first"] as Uint8Array, pair["second"] as Uint8Array]);
  const { rows } = await connection.query(
    `select ${runColumns}, name from reprise_work where name in (${names.map(() => "?").join(", ")})`,
    names,
  );
  const runs = new Map(rows.map((row) => [hexOf(row["name"]), runOf(row)]));
  return pairs.flatMap((pair) => {
    const names = { first: hexOf(pair["first"]) as Name, second: hexOf(pair["second"]) as Name };
    const [first, second] = [runs.get(names.first), runs.get(names.second)];
    return first === undefined || second === undefined ? [] : [{ first, second, names }];
  });
}

/** A place is an instant, in microseconds, and the name of the work that began then. */
export async function keptSuccesses(connection: Connection, query: SuccessesQuery): Promise<SuccessesPage> {
  const { operation, limit } = query;
  const [began = "", name = ""] = (query.after ?? `0 ${"0".repeat(32)}`).split(" ");
  const { rows } = await connection.query(
    `select ${runColumns}, name, intent, created_at as began from reprise_work force index (reprise_work_operation)
     where operation = ? and created_at >= ? and (created_at > ? or name > ?) order by created_at, name limit ?`,
    [bytes(operation), Number(began), Number(began), id16(name as Name), limit],
  );
  const last = rows.length < limit ? undefined : rows.at(-1);
  return {
    successes: rows
      .map((row) => ({ run: runOf(row), intent: row["intent"] === null ? null : (hexOf(row["intent"]) as Name) }))
      .filter(({ run }) => run.refused === false),
    next: last === undefined ? null : `${String(last["began"])} ${hexOf(last["name"])}`,
  };
}
