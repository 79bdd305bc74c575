import { type Insert, readUpdate, type Split } from "./statements.ts";
import { closing, isSign, isWord, sameTable, type Tokens, tablesRead } from "./tables.ts";

const equals: Tokens = [{ kind: "sign", text: "=", start: 0, end: 0 }];

/** Where the rows of an insert are those that its own table does not have: the tokens that compare them. */
export function absenceIn({ table, source }: Insert, named: Split["named"]): Tokens | undefined {
  const readsOwn = (tokens: Tokens): boolean =>
    tablesRead(tokens).some(({ table: read }) => {
      if (sameTable(read, table)) return true;
      const alias = named.find(({ name }) => read.schema === undefined && name === read.name);
      if (alias === undefined) return false;
      const updated = readUpdate(alias.tokens);
      return updated !== undefined
        ? sameTable(updated, table)
        : tablesRead(alias.tokens).some((one) => sameTable(one.table, table));
    });
  for (const tokens of [source, ...named.map((one) => one.tokens)]) {
    for (let at = 0; at < tokens.length; at += 1) {
      const compared =
        notAmong(tokens, at, readsOwn) ??
        (tokens === source ? withoutOwn(tokens, at, readsOwn) : undefined) ??
        antiJoin(tokens, at, readsOwn);
      if (compared !== undefined) return compared;
    }
  }
  return undefined;
}

type ReadsOwn = (tokens: Tokens) => boolean;

/** `not exists (…)`, `k not in (…)`, `k <> all (…)` */
function notAmong(tokens: Tokens, at: number, readsOwn: ReadsOwn): Tokens | undefined {
  const isNot = isWord(tokens[at], "not") && isWord(tokens[at + 1], "exists", "in");
  const isNone = isSign(tokens[at], ">") && isSign(tokens[at - 1], "<") && isWord(tokens[at + 1], "all");
  if (!(isNot || isNone) || !isSign(tokens[at + 2], "(")) return undefined;
  const within = tokens.slice(at + 3, closing(tokens, at + 2));
  if (!readsOwn(within)) return undefined;
  const compared = tokens[isNone ? at - 2 : at - 1];
  return !isWord(tokens[at + 1], "exists") && compared !== undefined ? [compared, ...equals] : within;
}

/** `except select … from t` */
function withoutOwn(tokens: Tokens, at: number, readsOwn: ReadsOwn): Tokens | undefined {
  if (!isWord(tokens[at], "except", "minus")) return undefined;
  const to = tokens.findIndex((token, place) => place > at && isSign(token, ")"));
  return readsOwn(tokens.slice(at + 1, to === -1 ? undefined : to)) ? [] : undefined;
}

/** `left join t on … where t.k is null` */
function antiJoin(tokens: Tokens, left: number, readsOwn: ReadsOwn): Tokens | undefined {
  if (!isWord(tokens[left], "left")) return undefined;
  const join = isWord(tokens[left + 1], "outer") ? left + 2 : left + 1;
  if (!isWord(tokens[join], "join")) return undefined;
  const on = tokens.findIndex((token, at) => at > join && isWord(token, "on", "using"));
  if (on === -1 || !readsOwn(tokens.slice(join, on))) return undefined;
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
