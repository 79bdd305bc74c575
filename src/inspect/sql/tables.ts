import { holeMark, type Token } from "./tokens.ts";

/** A table as a statement names it. */
export interface TableName {
  /** As it is written, fit to be printed. */
  readonly text: string;
  readonly schema: string | undefined;
  readonly name: string;
  /** Whether only this session sees it, so that nobody comes between. */
  readonly isPrivate: boolean;
}

export type Tokens = readonly Token[];

const notNames = new Set([
  ...[
    "select",
    "where",
    "set",
    "values",
    "on",
    "using",
    "lateral",
    "only",
    "unnest",
    "as",
    "from",
    "join",
    "left",
    "right",
  ],
  ...[
    "inner",
    "outer",
    "cross",
    "full",
    "natural",
    "order",
    "group",
    "having",
    "limit",
    "union",
    "except",
    "intersect",
  ],
  ...["into", "and", "or", "not", "for", "when", "then", "if", "exists", "returning", "is", "null", "dual", "default"],
]);

export function isWord(token: Token | undefined, ...words: readonly string[]): boolean {
  return token?.kind === "word" && words.includes(token.text);
}

export function isSign(token: Token | undefined, text: string): boolean {
  return token?.kind === "sign" && token.text === text;
}

/** The parenthesis that closes the one at `open`; the last token where none does. */
export function closing(tokens: Tokens, open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    if (isSign(tokens[at], "(")) depth += 1;
    else if (isSign(tokens[at], ")")) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return tokens.length - 1;
}

export interface ReadName {
  readonly table: TableName;
  /** The token after it. */
  readonly next: number;
}

/** `schema.table`, quoted or not, with what a program puts in. */
export function readName(tokens: Tokens, at: number): ReadName | undefined {
  const parts: string[] = [];
  let text = "";
  let next = at;
  let isVariable = false;
  for (;;) {
    const first = tokens[next];
    if (first === undefined || !isPart(first)) return undefined;
    if (first.kind === "word" && parts.length === 0 && notNames.has(first.text)) return undefined;
    let part = "";
    let end = first.start;
    // `prefix_${name}` is one name
    while (next < tokens.length) {
      const token = tokens[next];
      if (token === undefined || !isPart(token) || token.start !== end) break;
      part += token.text.toLowerCase();
      text += written(token);
      isVariable ||= token.kind === "variable";
      end = token.end;
      next += 1;
    }
    parts.push(part);
    if (!isSign(tokens[next], ".")) break;
    next += 1;
    // `database..table`
    while (isSign(tokens[next], ".")) {
      next += 1;
      text += ".";
    }
    text += ".";
  }
  const name = parts.at(-1) ?? "";
  const schema = parts.at(-2);
  return { table: { text, name, schema, isPrivate: isVariable || name.startsWith("#") }, next };
}

function isPart({ kind }: Token): boolean {
  return kind === "word" || kind === "name" || kind === "hole" || kind === "variable";
}

const hidden = `\${…}`;

/** What a program computes may hold a value: only a path of names is told. */
function written(token: Token): string {
  switch (token.kind) {
    case "hole":
      return /^(?:\$\{)?[\w$.]{1,60}\}?$/.test(token.text) ? token.text : hidden;
    default:
      return token.text.includes(holeMark) ? hidden : (token.spelt ?? token.text);
  }
}

export interface Columns {
  /** In lower case, to be compared; empty: unknown. */
  readonly columns: readonly string[];
  /** As they are spelt. */
  readonly spelling: ReadonlyMap<string, string>;
}

/** The names in `(a, "B")`, without the parentheses. */
export function readColumns(tokens: Tokens): Columns {
  const names = tokens.filter(({ kind }) => kind === "word" || kind === "name");
  const spelling = new Map(names.map((token) => [token.text.toLowerCase(), written(token)]));
  return { columns: [...spelling.keys()], spelling };
}

export function sameTable(one: TableName, other: TableName): boolean {
  if (one.name !== other.name) return false;
  return one.schema === undefined || other.schema === undefined || one.schema === other.schema;
}

/** Every table that is read between the tokens: after FROM and JOIN, and after the commas of a FROM. */
export function tablesRead(tokens: Tokens): readonly ReadName[] {
  const found: ReadName[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    if (!isWord(tokens[at], "from", "join", "using", "apply")) continue;
    // `is distinct from`, `extract(epoch from …)` and `delete from` name no table that is read
    if (isWord(tokens[at - 1], "distinct", "delete", "epoch", "year", "month", "day", "hour", "both", "leading"))
      continue;
    for (let next = at + 1; ; ) {
      while (isWord(tokens[next], "only", "lateral")) next += 1;
      const read = readName(tokens, next);
      if (read === undefined) break;
      // a function that returns rows
      if (!isSign(tokens[read.next], "(") || isWord(tokens[read.next + 1], "nolock", "updlock", "holdlock"))
        found.push(read);
      next = read.next;
      if (isWord(tokens[next], "as")) next += 1;
      if (tokens[next]?.kind === "name" || (tokens[next]?.kind === "word" && !notNames.has(tokens[next]?.text ?? "")))
        next += 1;
      if (!isSign(tokens[next], ",") || isWord(tokens[at], "join", "apply")) break;
      next += 1;
    }
  }
  return found;
}

/** The columns of `table` that the tokens compare for equality: `k = …`, `t.k = …`, `k in (…)`. */
export function comparedColumns(tokens: Tokens, known?: readonly string[]): readonly string[] {
  const columns: string[] = [];
  tokens.forEach((token, at) => {
    if (token.kind !== "word" && token.kind !== "name") return;
    const after = tokens[at + 1];
    const isCompared =
      (isSign(after, "=") && !isSign(tokens[at - 1], ":")) ||
      (isWord(after, "in") && isSign(tokens[at + 2], "(")) ||
      // `x = t.k`
      (isSign(tokens[at - 3], "=") && isSign(tokens[at - 1], "."));
    const name = token.text.toLowerCase();
    if (!isCompared || columns.includes(name)) return;
    if (known !== undefined && known.length > 0 && !known.includes(name)) return;
    columns.push(name);
  });
  return columns;
}

/** Parts of a condition between its ANDs and ORs, without the parentheses around them. */
export function partsOf(condition: Tokens): readonly Tokens[] {
  let tokens = condition;
  while (isSign(tokens[0], "(") && closing(tokens, 0) === tokens.length - 1 && tokens.length > 2)
    tokens = tokens.slice(1, -1);
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (isSign(token, "(")) depth += 1;
    else if (isSign(token, ")")) depth -= 1;
    if (depth === 0 && isWord(token, "and", "or")) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  if (parts.length === 1) return [tokens];
  return parts.filter((part) => part.length > 0);
}

/** The tokens from the first such word outside of parentheses on; none: nothing. */
export function clause(tokens: Tokens, ...words: readonly string[]): Tokens {
  const at = placeOf(tokens, ...words);
  return at === -1 ? [] : tokens.slice(at + 1);
}

export function placeOf(tokens: Tokens, ...words: readonly string[]): number {
  let depth = 0;
  return tokens.findIndex((token) => {
    if (isSign(token, "(")) depth += 1;
    else if (isSign(token, ")")) depth -= 1;
    return depth === 0 && isWord(token, ...words);
  });
}
