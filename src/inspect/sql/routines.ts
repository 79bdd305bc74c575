import type { Cursor } from "./cursor.ts";
import { statementVerbs } from "./extent.ts";
import { scanSql, type Token } from "./tokens.ts";

/** Where the bodies of functions, procedures, triggers and DO begin: what a database keeps, and runs at some other time. */

const kinds = new Set(["procedure", "proc", "function", "trigger", "event"]);
const otherKinds = new Set(["table", "index", "view", "user", "role", "schema", "type"]);
/** What MySQL and SQLite have before a body that does not begin with BEGIN. */
const headerEnds = new Set(["row", "sql", "data", "deterministic", "do", "invoker", "definer"]);

/** Whether the CREATE or ALTER, on which the cursor stands, is a routine's. */
export function isRoutine(cursor: Cursor): boolean {
  for (let ahead = 1; ahead < 16; ahead += 1) {
    if (kinds.has(cursor.word(ahead))) return true;
    if (otherKinds.has(cursor.word(ahead))) return false;
    if (cursor.sign(ahead) === ";" || cursor.sign(ahead) === "(") return false;
  }
  return false;
}

/** How the body is written to which the cursor was moved: statements without a frame, as T-SQL's, or one, mostly a block. */
type Body = "statements" | "statement";

/** Moves to the body of the routine on whose CREATE the cursor stands; `undefined`: it has none. */
export function toBody(cursor: Cursor): Body | undefined {
  for (let open = 0; !cursor.isAtEnd; cursor.at += 1) {
    open += cursor.opening();
    if (cursor.sign() === ";" || cursor.isBatch) return undefined;
    if (open > 0) continue;
    const word = cursor.word();
    if (cursor.dialect === "tsql") {
      if (word !== "as" || ["execute", "exec"].includes(cursor.word(-1))) continue;
      cursor.at += 1;
      return "statements";
    }
    if (word === "begin") return "statement";
    const isAfterHeader = cursor.sign(-1) === ")" || headerEnds.has(cursor.word(-1));
    if (isAfterHeader && statementVerbs.has(word)) return "statement";
  }
  return undefined;
}

interface StoredBody {
  readonly tokens: readonly Token[];
  /** What the tokens were scanned from. */
  readonly text: string;
}

/** What PostgreSQL keeps as a string and runs as a program: the bodies in a CREATE FUNCTION or a DO. */
export function storedBodies(
  statement: readonly Token[],
  { dialect }: Cursor,
  text: string,
  source: string,
): readonly StoredBody[] {
  return statement.flatMap((token, place) => {
    const quote = token.kind === "body" ? token.text.length : token.kind === "string" ? 1 : 0;
    const isBody = statement[0]?.text === "do" || statement[place - 1]?.text === "as";
    if (quote === 0 || !isBody) return [];
    const from = token.start + (token.kind === "string" ? text.indexOf("'", token.start) - token.start + 1 : quote);
    const to = Math.max(from, token.end - quote);
    // a doubled quote is one: written as a quote and a blank, everything stays in its place
    const inner = token.kind === "body" ? text : text.slice(0, from) + text.slice(from, to).replaceAll("''", "' ");
    return [{ tokens: scanSql(inner, dialect, from, to, source).tokens, text: inner }];
  });
}
