import { closing, isSign, isWord, partsOf, sameTable, type TableName, type Tokens, tablesRead } from "./tables.ts";

/** What a script has learnt of tables: by a look, or by how many rows an update found. */
export interface Look {
  readonly at: number;
  readonly by: "select" | "update";
  readonly tables: readonly TableName[];
  readonly tokens: Tokens;
  /** Whether it says yes where there is nothing. */
  readonly isNegated: boolean;
  /** Of a branch: what is run where the look found something. */
  readonly otherwise?: readonly Tokens[];
  /** Whether the look itself keeps others from what it did not find. */
  readonly holds: boolean;
}

/** `absent`: the condition holds where the look found nothing. */
export interface Learnt {
  readonly look: Look;
  readonly says: "absent" | "present";
}

export interface Known {
  readonly variables: ReadonlyMap<string, Look>;
  /** What FOUND, ROW_COUNT() and @@ROWCOUNT speak of. */
  readonly last: Look | undefined;
}

/** Locks that also hold where nothing is: SQL Server takes them on the range. */
export function holdsRange(tokens: Tokens): boolean {
  return tokens.some((token) => isWord(token, "holdlock", "serializable", "tablockx", "tablock"));
}

export function lookAt(tokens: Tokens, by: Look["by"], isNegated = false): Look | undefined {
  const tables = tablesRead(tokens).map(({ table }) => table);
  const [first] = tokens;
  if (tables.length === 0 || first === undefined) return undefined;
  return { at: first.start, by, tables, tokens, isNegated, holds: holdsRange(tokens) };
}

export function learn(condition: Tokens, known: Known): readonly Learnt[] {
  return partsOf(condition).flatMap((part) => learnPart(part, known, false, 0));
}

function learnPart(tokens: Tokens, known: Known, isNot: boolean, depth: number): readonly Learnt[] {
  const [first, second] = tokens;
  if (first === undefined || depth > 8) return [];
  if (isWord(first, "not")) return learnPart(tokens.slice(1), known, !isNot, depth + 1);
  const told = (look: Look | undefined, isAbsent: boolean): readonly Learnt[] => {
    if (look === undefined) return [];
    return [{ look, says: (isAbsent !== isNot) !== look.isNegated ? "absent" : "present" }];
  };
  if (isWord(first, "exists") && isSign(second, "(")) {
    return told(lookAt(tokens.slice(2, closing(tokens, 1)), "select"), false);
  }
  if (isSign(first, "(")) {
    const to = closing(tokens, 0);
    const within = tokens.slice(1, to);
    if (isWord(within[0], "select", "with")) {
      const compared = comparison(tokens.slice(to + 1));
      return compared === undefined ? [] : told(lookAt(within, "select"), compared === "nothing");
    }
    if (to === tokens.length - 1) return partsOf(within).flatMap((part) => learnPart(part, known, isNot, depth + 1));
  }
  if (isWord(first, "found") && tokens.length === 1) return told(known.last, false);
  // a handler's: SELECT INTO STRICT, or a RAISE after a look, found nothing
  if (isWord(first, "no_data_found")) return told(known.last, true);
  // `0 = @n`
  if (tokens.length === 3 && first.kind === "number" && isSign(second, "=")) {
    return learnPart([...tokens.slice(2), ...tokens.slice(1, 2), first], known, isNot, depth + 1);
  }
  const counts = isWord(first, "row_count", "found_rows") || first.text === "@@rowcount" || isWord(first, "sql");
  const names = tokens.filter(({ text }) => known.variables.has(text.toLowerCase()));
  const look = counts
    ? known.last
    : names.length === 1
      ? known.variables.get(names[0]?.text.toLowerCase() ?? "")
      : undefined;
  if (look === undefined) return [];
  if (tokens.length === 1) return told(look, false);
  const name = names[0] === undefined ? -1 : tokens.indexOf(names[0]);
  // `row.id is null` speaks of the row
  const isField = !counts && isSign(tokens[name + 1], ".");
  const tail = tokens.slice(counts ? 1 : name + (isField ? 3 : 1));
  const compared = comparison(tail.slice(tail.findLastIndex((token) => isSign(token, ")")) + 1));
  return compared === undefined ? [] : told(look, compared === "nothing");
}

/** What a count, or a column, is compared with: nothing there, something there, or what tells neither. */
function comparison(tokens: Tokens): "nothing" | "something" | undefined {
  const text = tokens.map((token) => token.text).join(" ");
  if (/^(= 0|< 1|< = 0|is null|= false|is false|is not true)$/.test(text)) return "nothing";
  if (/^(> 0|> = 1|< > 0|! = 0|= 1|= true|is true|is not null)$/.test(text)) return "something";
  return undefined;
}

/** The variables that a statement assigns, and what they then speak of. */
export function assigned(
  tokens: Tokens,
  last: Look | undefined,
): { readonly names: readonly string[]; readonly look: Look } | undefined {
  const [first] = tokens;
  if (first === undefined) return undefined;
  // PL/pgSQL's first declaration, and MySQL's
  if (isWord(first, "declare") && tokens[1]?.kind === "word") return assigned(tokens.slice(1), last);
  const names: string[] = [];
  const isSelect = isWord(first, "select", "with");
  const into = tokens.findIndex((token) => isWord(token, "into"));
  if (isSelect && into !== -1 && !isWord(tokens[into + 1], "strict")) {
    for (let at = into + 1; at < tokens.length; at += 1) {
      const token = tokens[at];
      if (token === undefined || (token.kind !== "word" && token.kind !== "variable")) break;
      names.push(token.text.toLowerCase());
      // `into r.a`, `into a, b`
      if (!isSign(tokens[at + 1], ",")) break;
      at += 1;
    }
  } else if (isSelect || isWord(first, "set", "declare")) {
    tokens.forEach((token, at) => {
      if (token.kind !== "variable" && !(isWord(first, "set") && at === 1)) return;
      const next = tokens[at + 1];
      const isAssigned = isSign(next, "=") || (isSign(next, ":") && isSign(tokens[at + 2], "="));
      const isDeclared = isWord(first, "declare") && tokens.slice(at + 1, at + 6).some((one) => isSign(one, "="));
      if ((isAssigned || isDeclared) && names.length < 8 && at < 24) names.push(token.text.toLowerCase());
    });
  } else if (isWord(first, "get")) {
    const counted = tokens.findIndex((token) => isWord(token, "row_count"));
    const name = tokens.slice(0, counted).findLast((token) => token.kind === "word" || token.kind === "variable");
    if (counted !== -1 && name !== undefined && last !== undefined)
      return { names: [name.text.toLowerCase()], look: last };
  } else {
    const given = tokens.findIndex((token) => isSign(token, "=") || isWord(token, "default"));
    const isGiven = isWord(tokens[given], "default") || isSign(tokens[given - 1], ":");
    if (given > 1 && given < 8 && isGiven && first.kind === "word") names.push(first.text);
  }
  if (names.length === 0) return undefined;
  if (tokens.some((token) => isWord(token, "row_count") || token.text === "@@rowcount")) {
    return last === undefined ? undefined : { names, look: last };
  }
  const isNegated = tokens.some(
    (token, at) =>
      isWord(token, "not") &&
      isWord(tokens[at + 1], "exists") &&
      !tokens.slice(0, at).some((one) => isWord(one, "from")),
  );
  const look = lookAt(tokens, "select", isNegated);
  return look === undefined ? undefined : { names, look };
}

export function speaksOf(look: Look, table: TableName): boolean {
  return look.tables.some((one) => sameTable(one, table));
}
