import type { Cursor } from "./cursor.ts";
import type { Token } from "./tokens.ts";

/** How far a statement goes. T-SQL puts nothing between statements: the next one's verb is what ends one. */

const verbs = [
  "insert update delete merge select with replace exec execute set declare print raiserror throw return truncate create alter",
  "drop commit rollback save begin if while goto break continue fetch open close deallocate grant deny revoke use else waitfor",
  "end call",
];
export const statementVerbs: ReadonlySet<string> = new Set(verbs.flatMap((line) => line.split(" ")));

const setOperators = new Set(["union", "all", "except", "intersect"]);
/** After these a verb names what is done, and does it not: `grant select on`, `instead of insert`. */
const namesWhatFollows = new Set(["on", "for", "after", "of", "instead", "begin", "or", "as"]);

/** The statement's tokens; the cursor is passed behind it, and behind its semicolon. */
export function passStatement(cursor: Cursor): readonly Token[] {
  const from = cursor.at;
  if (cursor.dialect === "tsql") toNextVerb(cursor);
  else cursor.toSemicolon();
  const tokens = cursor.tokens.slice(from, cursor.at);
  if (cursor.sign() === ";") cursor.at += 1;
  return tokens;
}

/** The condition of T-SQL's IF or WHILE, on whose word the cursor stands: until a statement begins. */
export function passCondition(cursor: Cursor): readonly Token[] {
  cursor.at += 1;
  const from = cursor.at;
  for (let open = 0; !cursor.isAtEnd; cursor.at += 1) {
    open += cursor.opening();
    const isVerb = statementVerbs.has(cursor.word()) && cursor.sign(1) !== "(";
    if (open <= 0 && (cursor.sign() === ";" || cursor.isBatch || isVerb)) break;
  }
  return cursor.tokens.slice(from, cursor.at);
}

function toNextVerb(cursor: Cursor): void {
  let verb = cursor.word();
  let hasSource = false;
  let hasSet = false;
  cursor.at += 1;
  for (let open = 0; !cursor.isAtEnd; cursor.at += 1) {
    open += cursor.opening();
    if (cursor.sign() === ";" || cursor.isBatch) return;
    if (open > 0) continue;
    const now = cursor.word();
    const before = cursor.word(-1);
    if (verb === "insert" && (now === "values" || now === "default")) hasSource = true;
    if (!statementVerbs.has(now) || verb === "grant" || verb === "revoke" || verb === "deny") continue;
    if (now === "end" || now === "else") {
      if (isInCase(cursor)) continue;
      return;
    }
    if (verb === "merge" && ["insert", "update", "delete", "set", "with"].includes(now)) continue;
    if (verb === "with" && ["select", "insert", "update", "delete", "merge"].includes(now)) {
      verb = now;
      continue;
    }
    if (verb === "insert" && !hasSource && ["select", "exec", "execute", "with", "merge"].includes(now)) {
      hasSource = now !== "with";
      continue;
    }
    if (verb === "update" && now === "set" && !hasSet) {
      hasSet = true;
      continue;
    }
    if (["with", "replace", "save", "use", "open", "close"].includes(now)) continue;
    if (now === "select" && setOperators.has(before)) continue;
    if (namesWhatFollows.has(before) || cursor.tokens[cursor.at - 1]?.text === ",") continue;
    if (cursor.sign(1) === "(" && now === "update") continue;
    if ((now === "fetch" || now === "set") && (verb === "select" || verb === "alter")) continue;
    return;
  }
}

/** Whether the `end`, or the `else`, on which the cursor stands is a case's of this statement. */
function isInCase({ tokens, at }: Cursor): boolean {
  let ends = 0;
  for (let back = at - 1; back >= 0 && at - back < 400; back -= 1) {
    const token = tokens[back];
    if (token === undefined || token.text === ";" || token.kind === "batch") break;
    if (token.kind !== "word") continue;
    if (token.text === "end") ends += 1;
    else if (token.text === "case" || token.text === "begin") {
      if (ends === 0) return token.text === "case";
      ends -= 1;
    }
  }
  return false;
}
