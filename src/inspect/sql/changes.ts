import { readUpdate } from "./statements.ts";
import { clause, isSign, isWord, sameTable, type TableName, type Tokens } from "./tables.ts";

/** A column that an UPDATE sets. */
export interface Change {
  /** In lower case, to be compared. */
  readonly column: string;
  readonly text: string;
  /** Whether it is set from what the row holds, as a counter is. */
  readonly readsItself: boolean;
}

/** What an UPDATE of the table sets, in its order; `undefined`: it is none. */
export function changesIn(tokens: Tokens, table: TableName): readonly Change[] | undefined {
  const updated = readUpdate(tokens);
  if (updated === undefined || !sameTable(updated, table)) return undefined;
  const set = clause(tokens, "set");
  const changes: Change[] = [];
  for (const one of assignmentsIn(set)) {
    const equals = one.findIndex((token) => isSign(token, "="));
    const named = one[equals - 1];
    if (named === undefined || (named.kind !== "word" && named.kind !== "name")) continue;
    const column = named.text.toLowerCase();
    const given = one.slice(equals + 1);
    const readsItself = given.some(
      ({ kind, text }) => (kind === "word" || kind === "name") && text.toLowerCase() === column,
    );
    changes.push({ column, text: named.spelt ?? named.text, readsItself });
  }
  return changes;
}

/** `a = 1` and `b = f(2, 3)`, up to what follows the SET. */
function assignmentsIn(set: Tokens): readonly Tokens[] {
  const found: Tokens[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= set.length; at += 1) {
    const token = set[at];
    if (isSign(token, "(")) depth += 1;
    else if (isSign(token, ")")) depth -= 1;
    if (depth > 0 && token !== undefined) continue;
    const ends = token === undefined || isSign(token, ";") || isWord(token, "where", "from", "returning", "output");
    if (!ends && !isSign(token, ",")) continue;
    found.push(set.slice(from, at));
    if (ends) break;
    from = at + 1;
  }
  return found;
}
