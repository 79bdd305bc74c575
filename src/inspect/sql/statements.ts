import {
  type Columns,
  closing,
  isSign,
  isWord,
  placeOf,
  readColumns,
  readName,
  type TableName,
  type Tokens,
} from "./tables.ts";

const noColumns: Columns = { columns: [], spelling: new Map() };

/** What a statement writes, as far as it matters whether it may run again. */
/** Without columns: all, in their order. */
export interface Insert extends Columns {
  readonly at: number;
  readonly table: TableName;
  /** What the rows come from. */
  readonly source: Tokens;
  /** `ignore`, `replace`, or nothing of the kind. */
  readonly manner: "plain" | "ignore" | "replace";
  /** Whether the statement itself says what becomes of a row that is there. */
  readonly isGuarded: boolean;
}

export interface Removal {
  readonly at: number;
  readonly table: TableName;
  /** Empty: all rows. */
  readonly where: Tokens;
}

/** A statement without its WITH, and what that names. */
export interface Split {
  readonly main: Tokens;
  readonly named: readonly { readonly name: string; readonly tokens: Tokens }[];
}

export function splitWith(tokens: Tokens): Split {
  if (!isWord(tokens[0], "with")) return { main: tokens, named: [] };
  const named: { name: string; tokens: Tokens }[] = [];
  let at = isWord(tokens[1], "recursive") ? 2 : 1;
  for (;;) {
    const name = tokens[at];
    if (name === undefined) break;
    at += 1;
    if (isSign(tokens[at], "(")) at = closing(tokens, at) + 1;
    if (!isWord(tokens[at], "as")) break;
    at += 1;
    while (isWord(tokens[at], "not", "materialized")) at += 1;
    if (!isSign(tokens[at], "(")) break;
    const to = closing(tokens, at);
    named.push({ name: name.text.toLowerCase(), tokens: tokens.slice(at + 1, to) });
    at = to + 1;
    if (!isSign(tokens[at], ",")) break;
    at += 1;
  }
  return { main: tokens.slice(at), named };
}

const sourceWords =
  "values value select set default with exec execute output overriding table partition returning on merge".split(" ");

export function readInsert(tokens: Tokens): Insert | undefined {
  const [first] = tokens;
  if (first === undefined) return undefined;
  if (isWord(first, "load") && isWord(tokens[1], "data", "xml")) return readLoad(tokens, first.start);
  if (!isWord(first, "insert", "replace")) return undefined;
  let manner: Insert["manner"] = first.text === "replace" ? "replace" : "plain";
  let at = 1;
  for (; at < 8; at += 1) {
    if (isWord(tokens[at], "ignore")) manner = "ignore";
    else if (isWord(tokens[at], "or")) {
      at += 1;
      if (isWord(tokens[at], "ignore")) manner = "ignore";
      else if (isWord(tokens[at], "replace")) manner = "replace";
    } else if (isWord(tokens[at], "top")) {
      if (isSign(tokens[at + 1], "(")) at = closing(tokens, at + 1);
    } else if (!isWord(tokens[at], "low_priority", "high_priority", "delayed", "into", "percent")) break;
  }
  const read = readName(tokens, at);
  if (read === undefined) return undefined;
  at = read.next;
  if (isWord(tokens[at], "as")) at += 2;
  else if (
    tokens[at]?.kind === "word" &&
    isSign(tokens[at + 1], "(") &&
    !isWord(tokens[at], "values", "value", "with", "select", "set", "output", "exec")
  )
    at += 1;
  let named = noColumns;
  if (isWord(tokens[at], "with") && isSign(tokens[at + 1], "(")) at = closing(tokens, at + 1) + 1;
  if (isSign(tokens[at], "(") && !isWord(tokens[at + 1], "select", "with", "values")) {
    const to = closing(tokens, at);
    named = readColumns(tokens.slice(at + 1, to));
    at = to + 1;
  }
  const source = tokens.slice(at);
  // a sentence may begin so: "INSERT IGNORE into orders loses rows"
  if (source[0]?.kind === "word" && !isWord(source[0], ...sourceWords)) return undefined;
  // `replace(a, b, c)` is a function, and `replace` alone many things
  if (
    first.text === "replace" &&
    !isWord(source[0], "values", "value", "select", "set", "with") &&
    !isSign(source[0], "(")
  ) {
    return undefined;
  }
  return { at: first.start, table: read.table, ...named, source, manner, isGuarded: sayWhatIfThere(source) };
}

/** MySQL's `load data infile '…' ignore into table t` */
function readLoad(tokens: Tokens, at: number): Insert | undefined {
  const into = tokens.findIndex((token, place) => isWord(token, "into") && isWord(tokens[place + 1], "table"));
  const read = into === -1 ? undefined : readName(tokens, into + 2);
  if (read === undefined) return undefined;
  const said = tokens[into - 1];
  const manner = isWord(said, "ignore") ? "ignore" : isWord(said, "replace") ? "replace" : "plain";
  return { at, table: read.table, ...noColumns, source: tokens.slice(read.next), manner, isGuarded: false };
}

function sayWhatIfThere(source: Tokens): boolean {
  return source.some(
    (token, at) =>
      isWord(token, "on") &&
      (isWord(source[at + 1], "conflict") || (isWord(source[at + 1], "duplicate") && isWord(source[at + 2], "key"))),
  );
}

export function readDelete(tokens: Tokens): Removal | undefined {
  const [first] = tokens;
  if (first === undefined || !isWord(first, "delete")) return undefined;
  let at = 1;
  while (isWord(tokens[at], "low_priority", "quick", "ignore", "top") || isSign(tokens[at], "(")) {
    at = isSign(tokens[at], "(") ? closing(tokens, at) + 1 : at + 1;
  }
  if (isWord(tokens[at], "from")) at += 1;
  if (isWord(tokens[at], "only")) at += 1;
  const read = readName(tokens, at);
  if (read === undefined) return undefined;
  const where = placeOf(tokens, "where");
  const end = placeOf(tokens, "returning", "option");
  const condition = where === -1 ? [] : tokens.slice(where + 1, end > where ? end : undefined);
  return { at: first.start, table: aliased(tokens, read.table), where: condition };
}

/** `delete f from fact f` names the table only after FROM. */
function aliased(tokens: Tokens, table: TableName): TableName {
  for (let at = 2; at < tokens.length; at += 1) {
    if (!isWord(tokens[at], "from", "join") && !isSign(tokens[at], ",")) continue;
    const read = readName(tokens, at + 1);
    if (read === undefined) continue;
    const alias = isWord(tokens[read.next], "as") ? tokens[read.next + 1] : tokens[read.next];
    if (alias !== undefined && alias.text.toLowerCase() === table.name && alias.kind !== "sign") return read.table;
  }
  return table;
}

export function readUpdate(tokens: Tokens): TableName | undefined {
  if (!isWord(tokens[0], "update")) return undefined;
  let at = 1;
  while (isWord(tokens[at], "only", "low_priority", "ignore")) at += 1;
  const read = readName(tokens, at);
  return read === undefined ? undefined : aliased(tokens, read.table);
}

export interface Merge extends Columns {
  readonly at: number;
  readonly table: TableName;
  readonly on: Tokens;
  readonly hasHint: boolean;
  /** Whether it updates what it finds. */
  readonly updates: boolean;
}

/** A MERGE that inserts what it does not find. */
export function readMerge(tokens: Tokens): Merge | undefined {
  const [first] = tokens;
  if (first === undefined || !isWord(first, "merge")) return undefined;
  let at = 1;
  if (isWord(tokens[at], "top") && isSign(tokens[at + 1], "(")) at = closing(tokens, at + 1) + 1;
  while (isWord(tokens[at], "into", "only")) at += 1;
  const read = readName(tokens, at);
  const using = placeOf(tokens, "using");
  if (read === undefined || using === -1) return undefined;
  const insert = tokens.findIndex((token, place) => isWord(token, "insert") && isWord(tokens[place - 1], "then"));
  if (insert === -1) return undefined;
  const isNamed = isSign(tokens[insert + 1], "(");
  const when = placeOf(tokens, "when");
  const on = tokens.findIndex((token, place) => place > using && place < when && isWord(token, "on"));
  return {
    at: first.start,
    table: read.table,
    on: on === -1 ? [] : tokens.slice(on + 1, when),
    ...(isNamed ? readColumns(tokens.slice(insert + 2, closing(tokens, insert + 1))) : noColumns),
    hasHint: tokens.slice(read.next, using).some((token) => isWord(token, "holdlock", "serializable", "tablockx")),
    updates: tokens.some((token, place) => isWord(token, "update") && isWord(tokens[place - 1], "then")),
  };
}
