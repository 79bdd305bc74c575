import type { Dialect, Fault, Rule } from "../finding.ts";
import { type Node, readBlocks } from "./blocks.ts";
import { assigned, holdsRange, type Known, type Look, learn, lookAt, speaksOf } from "./conditions.ts";
import { type Guard, guardOf, handlesDuplicates, isGuarded, locksRows } from "./guards.ts";
import { insteadOf } from "./instead.ts";
import {
  type Insert,
  type Removal,
  readDelete,
  readInsert,
  readMerge,
  readUpdate,
  type Split,
  splitWith,
} from "./statements.ts";
import {
  clause,
  closing,
  comparedColumns,
  isSign,
  isWord,
  partsOf,
  sameTable,
  type TableName,
  type Tokens,
  tablesRead,
} from "./tables.ts";
import type { Token } from "./tokens.ts";

/** What is known where a statement stands. Branches work on copies. */
interface State {
  readonly variables: Map<string, Look>;
  last: Look | undefined;
  /** Looks that found nothing, if this is reached. */
  readonly absent: Look[];
  guards: Guard[];
  removals: Removal[];
  /** Looks with FOR UPDATE in this transaction. */
  locks: Look[];
}

/** Faults of a script, or of a piece of one. `source` is what `text` was made of. */
export function findSqlFaults(
  tokens: readonly Token[],
  dialect: Dialect,
  text: string,
  source = text,
): readonly Fault[] {
  const faults: Fault[] = [];
  const temporaries = new Set<string>();
  const seen = new Set<number>();
  unit(readBlocks(tokens, dialect, text, source));
  return faults;

  function unit(nodes: readonly Node[]): void {
    const state: State = { variables: new Map(), last: undefined, absent: [], guards: [], removals: [], locks: [] };
    if (handlesDuplicates(nodes, source)) state.guards.push({ exceptFor: undefined, endsWithCommit: false });
    walk(nodes, state);
  }

  function walk(nodes: readonly Node[], state: State): void {
    const known = state.absent.length;
    for (const node of nodes) {
      if (node.is === "unit") unit(node.nodes);
      else if (node.is === "if") branch(node, state);
      else if (node.tokens.length > 0) statement(node.tokens, state);
    }
    state.absent.length = known;
  }

  function branch({ condition, met, otherwise }: Node & { readonly is: "if" }, state: State): void {
    const guard = guardOf(condition, dialect);
    if (guard !== undefined) state.guards.push(guard);
    const learnt = learn(condition, state as Known);
    const looks = (says: "absent" | "present") => learnt.filter((one) => one.says === says).map(({ look }) => look);
    const inThen: State = { ...copy(state), absent: [...state.absent, ...looks("absent")] };
    const inElse: State = { ...copy(state), absent: [...state.absent, ...looks("present")] };
    walk(met, inThen);
    walk(otherwise, inElse);
    for (const [name, look] of [...inThen.variables, ...inElse.variables]) state.variables.set(name, look);
    state.removals = [...new Set([...inThen.removals, ...inElse.removals])];
    state.locks = [...new Set([...inThen.locks, ...inElse.locks])];
    if (leaves(met)) state.absent.push(...looks("present"));
    else if (leaves(otherwise)) state.absent.push(...looks("absent"));
  }

  function statement(tokens: Tokens, state: State): void {
    const guard = guardOf(tokens, dialect);
    if (guard !== undefined) state.guards.push(guard);
    const [first] = tokens;
    notePrivate(tokens);
    if (isWord(first, "commit", "rollback") || (isWord(first, "begin", "start") && guard === undefined)) {
      if (!isWord(first, "begin", "start")) state.guards = state.guards.filter(({ endsWithCommit }) => !endsWithCommit);
      state.locks = [];
      return;
    }
    const split = splitWith(tokens);
    for (const { tokens: named } of split.named) {
      if (isWord(named[0], "insert", "delete", "update", "merge")) writing({ main: named, named: split.named }, state);
    }
    writing(split, state);
    const given = assigned(tokens, state.last);
    if (given !== undefined) for (const name of given.names) state.variables.set(name, given.look);
    const seenNow = isWord(first, "select", "perform", "with") ? lookAt(tokens, "select") : undefined;
    if (seenNow !== undefined) {
      state.last = seenNow;
      if (dialect === "mysql" && locksRows(tokens)) state.locks.push(seenNow);
    }
  }

  function writing({ main, named }: Split, state: State): void {
    const insert = readInsert(main);
    if (insert !== undefined) {
      inserting(insert, named, state);
      state.last = undefined;
      return;
    }
    const removal = readDelete(main);
    if (removal !== undefined) {
      state.removals.push(removal);
      state.last = undefined;
      return;
    }
    const updated = readUpdate(main);
    const [first] = main;
    if (updated !== undefined && first !== undefined) {
      state.last = {
        at: first.start,
        by: "update",
        tables: [updated],
        tokens: main,
        isNegated: false,
        holds: holdsRange(main),
      };
      return;
    }
    const merge = readMerge(main);
    if (merge === undefined || (dialect !== "tsql" && dialect !== "postgres")) return;
    if (merge.hasHint || isPrivate(merge.table) || isGuarded(state.guards, merge.table)) return;
    const why =
      dialect === "tsql"
        ? `Two runs at once both find no row in ${merge.table.text}, and the second fails with a duplicate key, or inserts a second row: MERGE without HOLDLOCK does not hold what it did not find.`
        : `Two runs at once both find no row in ${merge.table.text}, and the second fails with 23505, or inserts a second row where nothing is unique: MERGE has no ON CONFLICT.`;
    const key = comparedColumns(merge.on, merge.columns);
    report(
      "merge-without-guard",
      merge.at,
      merge.at,
      why,
      insteadOf({ table: merge.table, columns: merge.columns, key }, dialect),
    );
  }

  function inserting(insert: Insert, named: Split["named"], state: State): void {
    const { table, columns } = insert;
    const wanted = (key: readonly string[]) => insteadOf({ table, columns, key }, dialect);
    if (isPrivate(table)) return;
    if (insert.manner === "ignore" && (dialect === "mysql" || dialect === "sqlite")) {
      const why =
        dialect === "mysql"
          ? `INSERT IGNORE into ${table.text} swallows more than duplicates: a null, a value that is too long or a missing parent is changed or dropped without an error.`
          : `INSERT OR IGNORE into ${table.text} swallows more than duplicates: a row that breaks NOT NULL or CHECK is dropped without an error.`;
      report("insert-ignore", insert.at, insert.at, why, wanted([]));
      return;
    }
    if (insert.manner === "replace" && (dialect === "mysql" || dialect === "sqlite")) {
      const why = `It deletes the row of ${table.text} that is there and inserts another: columns it does not name are lost, children cascade, and a rerun of older data replaces newer.`;
      report("replace-deletes", insert.at, insert.at, why, wanted([]));
      return;
    }
    if (insert.isGuarded) return;
    const without = notIn(insert, named);
    if (
      without !== undefined &&
      dialect !== "sqlite" &&
      !holdsRange(insert.source) &&
      !isGuarded(state.guards, table)
    ) {
      const why =
        dialect === "mysql"
          ? `Two runs at once both find no row in ${table.text}: they deadlock (1213), or both insert under READ COMMITTED.`
          : `Two runs at once both find no row in ${table.text}, and both insert: neither sees what the other has not committed.`;
      report("insert-where-not-exists", insert.at, insert.at, why, wanted(comparedColumns(without, columns)));
      return;
    }
    if (isGuarded(state.guards, table)) return;
    const look = state.absent.find((one) => speaksOf(one, table));
    if (look !== undefined && !look.holds) {
      const key = comparedColumns(clause(look.tokens, "where"), columns);
      if (look.by === "update") {
        const why = `Two runs at once both update no row of ${table.text}, and both insert.`;
        report("update-then-insert", insert.at, look.at, why, wanted(key));
      } else if (dialect === "mysql" && locksRows(look.tokens)) locked(insert, look, wanted(key));
      else {
        const why = `Two runs at once both find no row in ${table.text}, and both insert.`;
        report("check-then-insert", insert.at, look.at, why, wanted(key));
      }
      return;
    }
    const lock = state.locks.find((one) => speaksOf(one, table));
    if (lock !== undefined) {
      locked(insert, lock, wanted(comparedColumns(clause(lock.tokens, "where"), columns)));
      return;
    }
    const removal = state.removals.find((one) => sameTable(one.table, table) && isSameRows(one, insert));
    if (removal !== undefined) {
      // a deletion is told once, however many rows are inserted one by one
      state.removals = state.removals.filter((one) => one !== removal);
      const why = `A rerun of older data deletes newer rows of ${table.text}, one that ends in between leaves none, and two at once delete the same rows and both insert.`;
      report("delete-then-insert", insert.at, removal.at, why, wanted(comparedColumns(removal.where, columns)));
    }
  }

  function locked({ at, table }: Insert, look: Look, instead: string): void {
    const why = `Where FOR UPDATE finds no row in ${table.text} it locks a gap that two runs may hold: both insert, and one fails with a deadlock (1213).`;
    report("lock-then-insert", at, look.at, why, instead);
  }

  /** Where the rows of an insert are those that its own table does not have: the tokens that say so. */
  function notIn({ table, source }: Insert, named: Split["named"]): Tokens | undefined {
    const speaks = (tokens: Tokens): boolean =>
      tablesRead(tokens).some(({ table: read }) => {
        if (sameTable(read, table)) return true;
        const alias = named.find(({ name }) => read.schema === undefined && name === read.name);
        if (alias === undefined) return false;
        const updated = readUpdate(alias.tokens);
        return updated !== undefined
          ? sameTable(updated, table)
          : tablesRead(alias.tokens).some((one) => sameTable(one.table, table));
      });
    const places = [source, ...named.map(({ tokens }) => tokens)];
    for (const tokens of places) {
      for (let at = 0; at < tokens.length; at += 1) {
        if (isWord(tokens[at], "not") && isWord(tokens[at + 1], "exists", "in") && isSign(tokens[at + 2], "(")) {
          const within = tokens.slice(at + 3, closing(tokens, at + 2));
          const compared = tokens[at - 1];
          if (speaks(within))
            return isWord(tokens[at + 1], "in") && compared !== undefined ? [compared, ...equals] : within;
        }
        if (isWord(tokens[at], "except", "minus") && tokens === source) {
          const to = tokens.findIndex((token, place) => place > at && isSign(token, ")"));
          if (speaks(tokens.slice(at + 1, to === -1 ? undefined : to))) return tokens.slice(at + 1, at + 1);
        }
        const joined = isWord(tokens[at], "left") ? antiJoin(tokens, at, speaks) : undefined;
        if (joined !== undefined) return joined;
      }
    }
    return undefined;
  }

  /** `left join t on … where t.k is null` */
  function antiJoin(tokens: Tokens, left: number, speaks: (tokens: Tokens) => boolean): Tokens | undefined {
    const join = isWord(tokens[left + 1], "outer") ? left + 2 : left + 1;
    if (!isWord(tokens[join], "join")) return undefined;
    const on = tokens.findIndex((token, at) => at > join && isWord(token, "on", "using"));
    if (on === -1 || !speaks(tokens.slice(join, on))) return undefined;
    const alias = tokens[on - 1]?.text.toLowerCase();
    const isMissing = tokens.some(
      (token, at) =>
        at > on &&
        isWord(token, "is") &&
        isWord(tokens[at + 1], "null") &&
        isSign(tokens[at - 2], ".") &&
        tokens[at - 3]?.text.toLowerCase() === alias,
    );
    if (!isMissing) return undefined;
    const where = tokens.findIndex((token, at) => at > on && isWord(token, "where", "left", "join"));
    return tokens.slice(on + 1, where === -1 ? undefined : where);
  }

  function notePrivate(tokens: Tokens): void {
    if (!isWord(tokens[0], "create", "declare")) return;
    const temporary = tokens.slice(1, 5).findIndex((token) => isWord(token, "temp", "temporary"));
    const name = tokens.findIndex((token, at) => at < 8 && isWord(token, "table"));
    if (temporary === -1 || name === -1) return;
    const isOptional = isWord(tokens[name + 1], "if");
    const table = tokens[name + (isOptional ? 4 : 1)];
    if (table !== undefined) temporaries.add(table.text.toLowerCase());
  }

  function isPrivate(table: TableName): boolean {
    return table.isPrivate || temporaries.has(table.name);
  }

  function report(rule: Rule, at: number, from: number, why: string, instead: string): void {
    if (seen.has(at)) return;
    seen.add(at);
    faults.push({ rule, at, from, why, instead });
  }

  /** Whether what was deleted is what is inserted again, as far as that can be seen. */
  function isSameRows({ where }: Removal, insert: Insert): boolean {
    if (where.length === 0) return true;
    return partsOf(where).some((part) => {
      const columns = comparedColumns(part.slice(0, 12), insert.columns);
      const ranges = part.some((token) => isWord(token, "between"));
      if (ranges && insert.columns.includes(part[0]?.text.toLowerCase() ?? "")) return true;
      const lower = isLowerBound(part) && partsOf(where).some((other) => other !== part && isUpperBound(other));
      if (
        lower &&
        (insert.columns.length === 0 || part.some((token) => insert.columns.includes(token.text.toLowerCase())))
      )
        return true;
      const [column] = columns;
      return (
        column !== undefined &&
        !part.slice(0, 3).some((token) => isWord(token, "not")) &&
        !isOther(part, column, insert)
      );
    });
  }

  /** `delete … where id = 5` and `insert … values (6, …)` are other rows. */
  function isOther(part: Tokens, column: string, { columns, source: rows }: Insert): boolean {
    const equal = part.findIndex((token) => isSign(token, "="));
    const deleted = part[equal + 1];
    if (equal === -1 || deleted === undefined || !isLiteral(deleted) || !isWord(rows[0], "values", "value"))
      return false;
    const place = columns.indexOf(column);
    if (place === -1) return false;
    const given: Tokens[] = [];
    for (let at = 1; at < rows.length && isSign(rows[at], "("); ) {
      const to = closing(rows, at);
      const values: Token[][] = [[]];
      let depth = 0;
      for (const token of rows.slice(at + 1, to)) {
        depth += isSign(token, "(") ? 1 : isSign(token, ")") ? -1 : 0;
        if (depth === 0 && isSign(token, ",")) values.push([]);
        else values.at(-1)?.push(token);
      }
      given.push(values[place] ?? []);
      at = isSign(rows[to + 1], ",") ? to + 2 : rows.length;
    }
    return given.every((value) => {
      const [only] = value;
      return value.length === 1 && only !== undefined && isLiteral(only) && raw(only) !== raw(deleted);
    });
  }

  function raw(token: Token): string {
    return source.slice(token.start, token.end);
  }
}

const equals: Tokens = [{ kind: "sign", text: "=", start: 0, end: 0 }];

function isLiteral({ kind }: Token): boolean {
  return kind === "string" || kind === "number";
}

function isLowerBound(part: Tokens): boolean {
  return part.some((token) => isSign(token, ">"));
}

function isUpperBound(part: Tokens): boolean {
  return part.some((token) => isSign(token, "<"));
}

function copy(state: State): State {
  return {
    ...state,
    variables: new Map(state.variables),
    guards: [...state.guards],
    removals: [...state.removals],
    locks: [...state.locks],
  };
}

/** Whether nothing after it runs once these have. */
function leaves(nodes: readonly Node[]): boolean {
  return nodes.some((node) => {
    if (node.is === "if") return leaves(node.met) && node.otherwise.length > 0 && leaves(node.otherwise);
    if (node.is === "unit") return false;
    const [first, second] = node.tokens;
    if (isWord(first, "raise")) return !isWord(second, "notice", "info", "warning", "debug", "log");
    if (isWord(first, "exit", "continue", "leave", "iterate"))
      return !node.tokens.some((token) => isWord(token, "when"));
    return isWord(first, "return", "throw", "signal", "resignal", "goto", "break", "raiserror");
  });
}
