import type { Dialect } from "../finding.ts";
import type { Node } from "./blocks.ts";
import { isSign, isWord, sameTable, type TableName, type Tokens, tablesRead } from "./tables.ts";

/** What keeps two runs apart, or tells them of each other, so that a check before an insert is sound. */
export interface Guard {
  /** `undefined`: it guards every table. Else those whose rows are locked: a lock on rows says nothing of rows that are not there. */
  readonly exceptFor: readonly TableName[] | undefined;
  /** Whether a commit ends it. */
  readonly endsWithCommit: boolean;
}

const advisory = /^(?:pg_(?:try_)?advisory_(?:xact_)?lock|get_lock|sp_getapplock)$/;
const violations = new Set(["unique_violation", "1062", "1586", "2601", "2627"]);

export function guardOf(tokens: Tokens, dialect: Dialect): Guard | undefined {
  const [first] = tokens;
  if (first === undefined) return undefined;
  const has = (...words: readonly string[]) => tokens.some((token) => isWord(token, ...words));
  const lock = tokens.find((token) => token.kind === "word" && advisory.test(token.text));
  if (lock !== undefined) return { exceptFor: undefined, endsWithCommit: lock.text.includes("xact") };
  if (isWord(first, "lock")) return { exceptFor: undefined, endsWithCommit: dialect !== "mysql" };
  if (has("isolation") && has("serializable")) return { exceptFor: undefined, endsWithCommit: dialect !== "tsql" };
  if (dialect === "sqlite" && isWord(first, "begin") && has("immediate", "exclusive")) {
    return { exceptFor: undefined, endsWithCommit: true };
  }
  if (dialect === "tsql") {
    if (!has("updlock", "xlock", "holdlock", "serializable", "tablockx")) return undefined;
    if (has("holdlock", "serializable", "tablockx")) return { exceptFor: undefined, endsWithCommit: true };
  } else if (!locksRows(tokens)) return undefined;
  const exceptFor = tablesRead(tokens).map(({ table }) => table);
  return { exceptFor, endsWithCommit: true };
}

/** `for update`, `for no key update`, `for share`: not where it passes over what others hold. */
export function locksRows(tokens: Tokens): boolean {
  return tokens.some((token, at) => {
    if (!isWord(token, "for") || !isWord(tokens[at + 1], "update", "no", "share", "key")) return false;
    return !tokens.slice(at).some((later) => isWord(later, "skip", "nowait")) && !isSign(tokens[at + 1], "(");
  });
}

export function isGuarded(guards: readonly Guard[], table: TableName): boolean {
  return guards.some(({ exceptFor }) => exceptFor === undefined || !exceptFor.some((one) => sameTable(one, table)));
}

/** Whether a handler of the unit answers that a row is there already: then the insert itself is the check. */
export function handlesDuplicates(nodes: readonly Node[], source: string): boolean {
  return nodes.some((node) => {
    if (node.is === "unit") return false;
    if (node.is === "if") {
      return (
        speaks(node.condition, source) ||
        handlesDuplicates(node.met, source) ||
        handlesDuplicates(node.otherwise, source)
      );
    }
    const isHandler =
      isWord(node.tokens[0], "when", "declare", "if", "set", "select") ||
      node.tokens.some((token) => isWord(token, "error_number"));
    return isHandler && speaks(node.tokens, source);
  });
}

function speaks(tokens: Tokens, source: string): boolean {
  // a number is an error's only beside what handles errors
  const handles = tokens.some((token) => isWord(token, "handler", "error_number", "in") || token.text.startsWith("@"));
  return tokens.some((token) => {
    if (token.kind === "string") return /^'(?:23505|23000)'$/.test(source.slice(token.start, token.end));
    return (token.kind !== "number" || handles) && violations.has(token.text);
  });
}
