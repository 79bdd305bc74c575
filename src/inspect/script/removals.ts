import { isOneRow, isSameRows } from "../sql/removals.ts";
import { comparedColumns } from "../sql/tables.ts";
import type { Event } from "./events.ts";
import { membersOf } from "./keys.ts";
import { blockAround, closingOf, type Region, type Script, textAt } from "./structure.ts";

/** The write that inserts again what `removal` deleted, after it in its block. `writesIn` tells those of its table. */
export function insertedAgain(
  script: Script,
  removal: Event,
  writesIn: (region: Region) => readonly Event[],
): Event | undefined {
  if (!removal.chain.isAwaited && !isInTransactionList(script, removal)) return undefined;
  const block = blockAround(script, removal.chain.from);
  const keys = deletedBy(script, removal);
  const again = writesIn({ from: removal.chain.to, to: block.to }).find((write) => {
    if (removal.removal !== undefined || write.insert !== undefined) {
      return removal.removal !== undefined && write.insert !== undefined
        ? isSameRows(removal.removal, write.insert, script.text)
        : false;
    }
    return keys !== undefined && (keys.length === 0 || keys.some((key) => mayHold(script, write, key)));
  });
  return again === undefined || leavesBetween(script, removal, again) ? undefined : again;
}

/** The key of what is deleted and inserted, where that is one row: what many are deleted by, such as a day, is no key of them. */
export function keyOfBoth(script: Script, removal: Event, { chain, insert, method }: Event): readonly string[] {
  if (insert !== undefined) return isOneRow(insert) ? (deletedBy(script, removal) ?? []) : [];
  const isMany = /^(?:createMany|bulkCreate|insertMany)$/.test(method);
  const isOne = chain.links.some(({ open }) => open !== -1 && textAt(script, open + 1) === "{");
  return isMany || !isOne ? [] : (deletedBy(script, removal) ?? []);
}

/** `prisma.$transaction([a.deleteMany(…), a.createMany(…)])` */
function isInTransactionList(script: Script, { chain }: Event): boolean {
  const list = script.around[chain.from] ?? -1;
  return (
    textAt(script, list) === "[" && textAt(script, list - 1) === "(" && textAt(script, list - 2) === "$transaction"
  );
}

function leavesBetween(script: Script, removal: Event, write: Event): boolean {
  const own = script.around[removal.chain.from];
  for (let at = removal.chain.to; at < write.chain.from - 2; at += 1) {
    if (script.around[at] === own && ["return", "throw"].includes(textAt(script, at)) && textAt(script, at - 1) === ";")
      return true;
  }
  return false;
}

/**
 * The columns that are compared for equality in what is deleted; empty: all rows are deleted; `undefined`: others are, such as
 * old ones, or nobody can tell.
 */
function deletedBy(script: Script, { chain, method, removal }: Event): readonly string[] | undefined {
  if (removal !== undefined) return comparedColumns(removal.where);
  let isLimited = false;
  for (const { name, open } of chain.links) {
    if (open === -1) continue;
    const close = closingOf(script, open);
    if (name === "where" || name === "andWhere") {
      isLimited = true;
      const key = keyInWhere(script, open, close);
      if (key !== undefined) return key;
    } else if (/^where|^filter|^in$|^eq$|^match$|^lt|^gt/.test(name)) isLimited = true;
    if (name !== method) continue;
    for (let at = open + 1; at < close; at += 1) {
      if (textAt(script, at) === "{" && (script.around[at] === open || textAt(script, at - 2) === "where")) {
        const isOptions = membersOf(script, at).includes("where");
        if (!isOptions) return equalIn(script, at);
      } else if (script.around[at] === open) isLimited ||= !isModel(script, open, at);
    }
  }
  return isLimited ? undefined : [];
}

/** `em.delete(User, …)`, `db.delete(users)`: the first argument is no condition where it names a table. */
function isModel(script: Script, open: number, at: number): boolean {
  const isPlain = script.tokens[at]?.kind === "name" && [",", ")"].includes(textAt(script, at + 1));
  return at === open + 1 ? isPlain && /^[A-Z]|s$/.test(textAt(script, at)) : textAt(script, at) === ",";
}

function keyInWhere(script: Script, open: number, close: number): readonly string[] | undefined {
  const first = script.tokens[open + 1];
  if (textAt(script, open + 1) === "{") return equalIn(script, open + 1);
  if (textAt(script, open + 1) === "eq" && textAt(script, open + 4) === ".") return [textAt(script, open + 5)];
  if (first?.kind !== "string" || textAt(script, open + 2) !== ",") return undefined;
  const name = script.text.slice(first.start + 1, first.end - 1);
  const second = script.tokens[open + 3];
  const hasOperator = second?.kind === "string" && textAt(script, open + 4) === "," && close > open + 5;
  const isEqual = !hasOperator || script.text.slice(second.start + 1, second.end - 1) === "=";
  return isEqual && /^\w+$/.test(name) ? [name] : undefined;
}

/** Of the object at `brace` the members that are values; `undefined` where one is a range or the like. */
function equalIn(script: Script, brace: number): readonly string[] | undefined {
  const names = membersOf(script, brace);
  for (let at = brace + 1; at < closingOf(script, brace); at += 1) {
    if (script.around[at] !== brace || textAt(script, at) !== ":") continue;
    const isObject = textAt(script, at + 1) === "{" && !["in", "equals", "$in"].includes(textAt(script, at + 2));
    const isOperator = /^(?:LessThan|MoreThan|Not|Between|Like|IsNull|Raw)/.test(textAt(script, at + 1));
    if (isObject || isOperator) return undefined;
  }
  return names.some((name) => ["AND", "OR", "NOT"].includes(name)) ? undefined : names;
}

/** Whether what is written may have the column: it names it, or comes from elsewhere. An identifier that is not named is a new one. */
function mayHold(script: Script, { chain }: Event, key: string): boolean {
  let isWritten = true;
  for (const { name, open } of chain.links) {
    if (open === -1 || !/^(?:create|insert|save|values|bulkCreate|insertGraph)/.test(name)) continue;
    const close = closingOf(script, open);
    const argument = textAt(script, open + 1) === "{" || textAt(script, open + 1) === "[";
    const data = textAt(script, open + 2) === "data" ? textAt(script, open + 4) : undefined;
    isWritten = argument && (data === undefined || data === "{" || data === "[");
    for (let at = open + 1; at < close; at += 1) {
      if (textAt(script, at) === key) return true;
      if (textAt(script, at) === "...") isWritten = false;
    }
  }
  return !isWritten && key !== "id";
}
