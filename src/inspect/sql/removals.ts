import type { Insert, Removal } from "./statements.ts";
import { closing, comparedColumns, isSign, isWord, partsOf, type Tokens } from "./tables.ts";
import type { Token } from "./tokens.ts";

/** Whether what was deleted is what is inserted again, as far as that can be seen. `text`: where the tokens stand. */
export function isSameRows({ where }: Removal, insert: Insert, text: string): boolean {
  if (where.length === 0) return true;
  const parts = partsOf(where);
  // `day = … and expires_at < …` are only the old ones of that day
  const isAnyOf = where.some((token) => isWord(token, "or"));
  if (!isAnyOf && where.some(isLower) !== where.some(isUpper)) return false;
  return parts.some((part) => {
    if (part.some((token) => isWord(token, "between")) && insert.columns.includes(part[0]?.text.toLowerCase() ?? ""))
      return true;
    // a range has both ends: rows that are only old are not those that are inserted
    const isRange = part.some(isLower) && parts.some((other) => other !== part && other.some(isUpper));
    const isOfInsert = part.some((token) => insert.columns.includes(token.text.toLowerCase()));
    if (isRange && (insert.columns.length === 0 || isOfInsert)) return true;
    const [column] = comparedColumns(part.slice(0, 12), insert.columns);
    const isNegated = part.slice(0, 3).some((token) => isWord(token, "not"));
    return column !== undefined && !isNegated && !isOther(part, column, insert, text);
  });
}

/** `values (…)` once */
export function isOneRow({ source }: Insert): boolean {
  if (!isWord(source[0], "values", "value") || !isSign(source[1], "(")) return false;
  return !isSign(source[closing(source, 1) + 1], ",");
}

function isLower(token: Token): boolean {
  return isSign(token, ">");
}

function isUpper(token: Token): boolean {
  return isSign(token, "<");
}

/** `delete … where id = 5` and `insert … values (6, …)` are other rows. */
function isOther(part: Tokens, column: string, { columns, source: rows }: Insert, text: string): boolean {
  const equal = part.findIndex((token) => isSign(token, "="));
  const deleted = part[equal + 1];
  if (equal === -1 || deleted === undefined || !isLiteral(deleted) || !isWord(rows[0], "values", "value")) return false;
  const place = columns.indexOf(column);
  if (place === -1) return false;
  const raw = ({ start, end }: Token) => text.slice(start, end);
  return valuesAt(rows, place).every((value) => {
    const [only] = value;
    return value.length === 1 && only !== undefined && isLiteral(only) && raw(only) !== raw(deleted);
  });
}

/** Of `values (a, b), (c, d)` each row's value in one place. */
function valuesAt(rows: Tokens, place: number): readonly Tokens[] {
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
  return given;
}

function isLiteral({ kind }: Token): boolean {
  return kind === "string" || kind === "number";
}
