import type { Dialect, Fault, Rule } from "../finding.ts";
import { absenceIn } from "./absences.ts";
import { type Change, changesIn } from "./changes.ts";
import { holdsRange, type Look, speaksOf } from "./conditions.ts";
import { isGuarded, locksRows } from "./guards.ts";
import { insteadOf } from "./instead.ts";
import { isOneRow, isSameRows } from "./removals.ts";
import type { State } from "./state.ts";
import type { Insert, Merge, Split } from "./statements.ts";
import { clause, comparedColumns, sameTable, type TableName, type Tokens } from "./tables.ts";

/** What is wrong with an insert, where `state` is what the script knows before it. `text`: where the tokens stand. */
export function judgeInsert(
  insert: Insert,
  named: Split["named"],
  state: State,
  dialect: Dialect,
  text: string,
): Fault | undefined {
  const { at, table, columns, spelling, manner } = insert;
  const fault = (
    rule: Rule,
    from: number,
    why: string,
    key: readonly string[],
    changes: readonly Change[] | "all" | "none" = "none",
  ): Fault => {
    return { rule, at, from, why, instead: insteadOf({ table, columns, spelling, key, changes }, dialect) };
  };
  const keyOf = ({ tokens }: Look) => comparedColumns(clause(tokens, "where"), columns);

  if (dialect === "mysql" || dialect === "sqlite") {
    if (manner === "ignore") return fault("insert-ignore", at, whyNotIgnore(table.text, dialect), []);
    if (manner === "replace") {
      const why = `It deletes the row of ${table.text} that is there and inserts another: columns it does not name are lost, children cascade, and a rerun of older data replaces newer.`;
      return fault("replace-deletes", at, why, [], "all");
    }
  }
  if (insert.isGuarded || isGuarded(state.guards, table)) return undefined;

  const absence = absenceOf(insert, named, dialect);
  if (absence !== undefined) {
    const why =
      dialect === "mysql"
        ? `Two runs at once both find no row in ${table.text}: they deadlock (1213), or both insert under READ COMMITTED.`
        : `Two runs at once both find no row in ${table.text}, and both insert: neither sees what the other has not committed.`;
    const updates = named.map(({ tokens }) => tokens);
    return fault("insert-where-not-exists", at, why, comparedColumns(absence, columns), changesOf(updates, table));
  }

  const look = state.absent.find((one) => speaksOf(one, table));
  if (look?.holds === true) return undefined;
  const lock =
    look === undefined
      ? state.locks.find((one) => speaksOf(one, table))
      : look.by === "select" && dialect === "mysql" && locksRows(look.tokens)
        ? look
        : undefined;
  if (lock !== undefined) {
    const why = `Where FOR UPDATE finds no row in ${table.text} it locks a gap that two runs may hold: both insert, and one fails with a deadlock (1213).`;
    return fault("lock-then-insert", lock.at, why, keyOf(lock));
  }
  if (look?.by === "update") {
    const why = `Two runs at once both update no row of ${table.text}, and both insert.`;
    return fault("update-then-insert", look.at, why, keyOf(look), changesIn(look.tokens, table) ?? "all");
  }
  if (look !== undefined) {
    const why = `Two runs at once both find no row in ${table.text}, and both insert.`;
    return fault("check-then-insert", look.at, why, keyOf(look), changesOf(look.otherwise ?? [], table));
  }

  const removal = state.removals.find((one) => sameTable(one.table, table) && isSameRows(one, insert, text));
  if (removal === undefined) return undefined;
  // a deletion is told once, however many rows are inserted one by one
  state.removals = state.removals.filter((one) => one !== removal);
  const why = `A rerun of older data deletes newer rows of ${table.text}, one that ends in between leaves none, and two at once delete the same rows and both insert.`;
  // what a whole day is deleted by is no key of its rows
  const key = isOneRow(insert) ? comparedColumns(removal.where, columns) : [];
  return fault("delete-then-insert", removal.at, why, key, "all");
}

/** What becomes of a row that is there: what the first UPDATE of the table does with it. */
function changesOf(statements: readonly Tokens[], table: TableName): readonly Change[] | "none" {
  return statements.map((tokens) => changesIn(tokens, table)).find((changes) => changes !== undefined) ?? "none";
}

function whyNotIgnore(table: string, dialect: "mysql" | "sqlite"): string {
  return dialect === "mysql"
    ? `INSERT IGNORE into ${table} swallows more than duplicates: a null, a value that is too long or a missing parent is changed or dropped without an error.`
    : `INSERT OR IGNORE into ${table} swallows more than duplicates: a row that breaks NOT NULL or CHECK is dropped without an error.`;
}

/** SQLite has one writer: there the whole statement is one step. */
function absenceOf(insert: Insert, named: Split["named"], dialect: Dialect): Tokens | undefined {
  return dialect === "sqlite" || holdsRange(insert.source) ? undefined : absenceIn(insert, named);
}

/** What is wrong with a MERGE that inserts; MySQL and SQLite have none. */
export function judgeMerge(
  { at, table, on, columns, spelling, hasHint, updates }: Merge,
  state: State,
  dialect: Dialect,
) {
  if ((dialect !== "tsql" && dialect !== "postgres") || hasHint || isGuarded(state.guards, table)) return undefined;
  const why =
    dialect === "tsql"
      ? `Two runs at once both find no row in ${table.text}, and the second fails with a duplicate key, or inserts a second row: MERGE without HOLDLOCK does not hold what it did not find.`
      : `Two runs at once both find no row in ${table.text}, and the second fails with 23505, or inserts a second row where nothing is unique: MERGE has no ON CONFLICT.`;
  const instead = insteadOf(
    { table, columns, spelling, key: comparedColumns(on, columns), changes: updates ? "all" : "none" },
    dialect,
  );
  return { rule: "merge-without-guard", at, from: at, why, instead } satisfies Fault;
}
