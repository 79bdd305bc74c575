import type { Dialect, Fault } from "../finding.ts";
import { type Node, readBlocks } from "./blocks.ts";
import { assigned, holdsRange, learn, lookAt } from "./conditions.ts";
import { guardOf, handlesDuplicates, locksRows } from "./guards.ts";
import { branchOf, emptyState, join, type State } from "./state.ts";
import { readDelete, readInsert, readMerge, readUpdate, type Split, splitWith } from "./statements.ts";
import { isWord, type TableName, type Tokens } from "./tables.ts";
import type { Token } from "./tokens.ts";
import { judgeInsert, judgeMerge } from "./writes.ts";

/** Faults of a script, or of a piece of one. `source` is what `text` was made of. */
export function findSqlFaults(
  tokens: readonly Token[],
  dialect: Dialect,
  text: string,
  source = text,
): readonly Fault[] {
  const walker = new Walker(dialect, source);
  walker.unit(readBlocks(tokens, dialect, text, source));
  return walker.faults;
}

/** Goes through a script as it would run, and judges what it writes by what it knows there. */
class Walker {
  readonly faults: Fault[] = [];
  readonly #dialect: Dialect;
  readonly #source: string;
  readonly #temporaries = new Set<string>();
  /** Statements that were told of: a loop's or a handler's body may be met twice. */
  readonly #told = new Set<number>();

  constructor(dialect: Dialect, source: string) {
    this.#dialect = dialect;
    this.#source = source;
  }

  unit(nodes: readonly Node[]): void {
    const state = emptyState();
    if (handlesDuplicates(nodes, this.#source)) state.guards.push({ exceptFor: undefined, endsWithCommit: false });
    this.#walk(nodes, state);
  }

  #walk(nodes: readonly Node[], state: State): void {
    const known = state.absent.length;
    for (const node of nodes) {
      if (node.is === "unit") this.unit(node.nodes);
      else if (node.is === "if") this.#branch(node, state);
      else if (node.tokens.length > 0) this.#statement(node.tokens, state);
    }
    state.absent.length = known;
  }

  #branch({ condition, met, otherwise }: Node & { readonly is: "if" }, state: State): void {
    const guard = guardOf(condition, this.#dialect);
    if (guard !== undefined) state.guards.push(guard);
    const learnt = learn(condition, state);
    const looks = (says: "absent" | "present", other: readonly Node[]) =>
      learnt.filter((one) => one.says === says).map(({ look }) => ({ ...look, otherwise: statementsIn(other) }));
    const ifMet = branchOf(state, looks("absent", otherwise));
    const ifNot = branchOf(state, looks("present", met));
    this.#walk(met, ifMet);
    this.#walk(otherwise, ifNot);
    join(state, ifMet, ifNot);
    if (leaves(met)) state.absent.push(...looks("present", met));
    else if (leaves(otherwise)) state.absent.push(...looks("absent", otherwise));
  }

  #statement(tokens: Tokens, state: State): void {
    const guard = guardOf(tokens, this.#dialect);
    if (guard !== undefined) state.guards.push(guard);
    const [first] = tokens;
    const temporary = temporaryTable(tokens);
    if (temporary !== undefined) this.#temporaries.add(temporary);
    if (isWord(first, "commit", "rollback") || (isWord(first, "begin", "start") && guard === undefined)) {
      if (!isWord(first, "begin", "start")) state.guards = state.guards.filter(({ endsWithCommit }) => !endsWithCommit);
      state.locks = [];
      return;
    }
    state.missing = setWhereMissing(tokens) ?? state.missing;
    // of a cursor's end it then speaks, not of a look
    if (isWord(first, "fetch") && state.missing !== undefined) state.variables.delete(state.missing);
    const split = splitWith(tokens);
    for (const { tokens: main } of split.named) this.#write({ main, named: split.named }, state);
    this.#write(split, state);
    const given = assigned(tokens, state.last);
    for (const name of given?.names ?? []) if (given !== undefined) state.variables.set(name, given.look);
    const look = isWord(first, "select", "perform", "with") ? lookAt(tokens, "select") : undefined;
    if (look === undefined) return;
    state.last = look;
    if (this.#dialect !== "mysql") return;
    if (state.missing !== undefined) state.variables.set(state.missing, { ...look, isNegated: true });
    if (locksRows(tokens)) state.locks.push(look);
  }

  #write({ main, named }: Split, state: State): void {
    const [first] = main;
    if (first === undefined) return;
    const insert = readInsert(main);
    if (insert !== undefined) {
      if (!this.#isPrivate(insert.table)) this.#tell(judgeInsert(insert, named, state, this.#dialect, this.#source));
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
    if (updated !== undefined) {
      const tables = [updated];
      state.last = { at: first.start, by: "update", tables, tokens: main, isNegated: false, holds: holdsRange(main) };
      return;
    }
    const merge = readMerge(main);
    if (merge !== undefined && !this.#isPrivate(merge.table)) this.#tell(judgeMerge(merge, state, this.#dialect));
  }

  #isPrivate(table: TableName): boolean {
    return table.isPrivate || this.#temporaries.has(table.name);
  }

  #tell(fault: Fault | undefined): void {
    if (fault === undefined || this.#told.has(fault.at)) return;
    this.#told.add(fault.at);
    this.faults.push(fault);
  }
}

/** The name in `create temporary table if not exists t`. */
function temporaryTable(tokens: Tokens): string | undefined {
  if (!isWord(tokens[0], "create", "declare")) return undefined;
  const isTemporary = tokens.slice(1, 5).some((token) => isWord(token, "temp", "temporary"));
  const word = tokens.findIndex((token, at) => at < 8 && isWord(token, "table"));
  if (!isTemporary || word === -1) return undefined;
  return tokens[word + (isWord(tokens[word + 1], "if") ? 4 : 1)]?.text.toLowerCase();
}

/** The name in `declare continue handler for not found set name = true`. */
function setWhereMissing(tokens: Tokens): string | undefined {
  const handler = tokens.findIndex((token, at) => at < 3 && isWord(token, "handler"));
  if (!isWord(tokens[0], "declare") || handler === -1) return undefined;
  const isMissing = isWord(tokens[handler + 2], "not") && isWord(tokens[handler + 3], "found");
  const set = tokens.findIndex((token) => isWord(token, "set"));
  return isMissing && set !== -1 ? tokens[set + 1]?.text.toLowerCase() : undefined;
}

/** Those that stand in the branch itself. */
function statementsIn(nodes: readonly Node[]): readonly Tokens[] {
  return nodes.flatMap((node) => {
    if (node.is === "unit") return statementsIn(node.nodes);
    return node.is === "if" ? [] : [node.tokens];
  });
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
