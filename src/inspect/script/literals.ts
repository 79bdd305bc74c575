import { holeMark } from "../sql/tokens.ts";
import { type Script, textAt } from "./structure.ts";
import type { ScriptToken } from "./tokens.ts";

/** A statement that stands in a program as a string, or as several with a plus between them. */
export interface Literal {
  /** The first and the last token of it. */
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  /** The statement, character by character in its place from `start` on: with blanks for quotes and the like. */
  readonly text: string;
  /** What it was made of. */
  readonly source: string;
}

const statement = new RegExp(
  [
    String.raw`^(?:\s|--[^\n]*\n|\()*(?:insert\s+(?:into|ignore|or|low_priority|delayed|high_priority)\b|replace\s+into\b`,
    String.raw`merge\s+(?:into\s+)?\S+[^;]*?\busing\b|delete\s+from\b|with\s+(?:recursive\s+)?\S+\s*(?:\(|as\b)|select\b[^;]*?\bfrom\b`,
    String.raw`select\s+(?:exists|pg_|get_lock|not\s+exists)|update\s+\S+(?:\s+\w+)?\s+set\b|begin\b|declare\s|if\s+(?:not\s+)?exists\s*\(`,
    String.raw`create\s+(?:or\s+(?:replace|alter)\s+)?(?:\S+\s+)?(?:procedure|function|trigger|proc)\b|do\s+\$|lock\s+table|start\s+transaction`,
    String.raw`set\s+(?:session\s+)?transaction)`,
  ].join("|"),
  "i",
);
/** What is only said. */
const speakers = new Set([
  ...[
    "log",
    "info",
    "warn",
    "error",
    "debug",
    "trace",
    "describe",
    "it",
    "test",
    "Error",
    "TypeError",
    "RangeError",
    "expect",
  ],
  ...["toBe", "toEqual", "toContain", "toMatch", "equal", "deepEqual", "strictEqual"],
]);

export function readLiterals(script: Script): readonly Literal[] {
  const found: Literal[] = [];
  const { tokens } = script;
  for (let at = 0; at < tokens.length; at += 1) {
    const first = tokens[at];
    if (first === undefined || !isLiteral(first)) continue;
    const operands = [first];
    // a template ends after what it puts in
    let end = first.end;
    let to = lastOf(tokens, at);
    // `"insert …" + " where …"`; what is put between is not read, only where it stands
    while (textAt(script, to + 1) === "+") {
      const next = operand(script, to + 2);
      if (next === undefined) break;
      const last = tokens[to + 2];
      if (last !== undefined) operands.push(last);
      end = Math.max(last?.end ?? end, tokens[next]?.end ?? end);
      to = next;
    }
    const literal = { from: at, to, start: first.start, end };
    at = to;
    if (isSaid(script, literal.from)) continue;
    // most strings are none: only what may be one is copied
    if (!statement.test(script.text.slice(first.start + 1, Math.min(end, first.start + 4_000)))) continue;
    const source = script.text.slice(literal.start, literal.end);
    found.push({ ...literal, text: asStatement(script, literal, operands), source });
  }
  return found;
}

function isLiteral({ kind }: ScriptToken): boolean {
  return kind === "string" || kind === "template";
}

/** A template's inner tokens follow it. */
function lastOf(tokens: readonly ScriptToken[], at: number): number {
  const end = tokens[at]?.end ?? 0;
  let to = at;
  while ((tokens[to + 1]?.start ?? end) < end) to += 1;
  return to;
}

function operand(script: Script, at: number): number | undefined {
  const token = script.tokens[at];
  if (token === undefined) return undefined;
  if (isLiteral(token)) return lastOf(script.tokens, at);
  if (token.kind !== "name") return undefined;
  let to = at;
  while (textAt(script, to + 1) === "." && script.tokens[to + 2]?.kind === "name") to += 2;
  return textAt(script, to + 1) === "+" ? to : undefined;
}

function isSaid(script: Script, from: number): boolean {
  if (textAt(script, from - 1) !== "(") return false;
  return speakers.has(textAt(script, from - 2));
}

function asStatement(
  { text, tokens }: Script,
  { from, to, start, end }: Omit<Literal, "text" | "source">,
  operands: readonly ScriptToken[],
): string {
  const pieces: string[] = [];
  let at = start;
  const blank = (upTo: number) => {
    if (upTo > at) pieces.push(text.slice(at, upTo).replace(/[^\n]/g, " "));
    at = Math.max(at, upTo);
  };
  const put = (upTo: number) => {
    if (upTo > at) pieces.push(holeMark.repeat(upTo - at));
    at = Math.max(at, upTo);
  };
  const copy = (upTo: number) => {
    if (upTo > at) pieces.push(unescaped(text.slice(at, upTo)));
    at = Math.max(at, upTo);
  };
  for (let place = from; place <= to; place += 1) {
    const token = tokens[place];
    if (token === undefined || token.start < at) continue;
    if (isLiteral(token)) {
      blank(token.start + 1);
      const last = Math.max(
        at,
        text[token.end - 1] === text[token.start] && token.end - token.start > 1 ? token.end - 1 : token.end,
      );
      for (const hole of token.holes) {
        copy(hole.start);
        put(hole.end);
      }
      copy(last);
      blank(token.end);
    } else if (token.kind === "name" || token.text === ".") {
      const isOperand = operands.length > 1;
      if (token.text !== "." && !isOperand) blank(token.end);
      else {
        if (token.text !== ".") blank(token.start);
        put(token.end);
      }
    }
  }
  blank(end);
  return pieces.join("");
}

/** Each escape as what it stands for and a blank, so that everything stays in its place. */
function unescaped(text: string): string {
  return text.replace(/\\([\s\S])/g, (_, character: string) => {
    if (character === "'" || character === '"' || character === "`" || character === "$") return `${character} `;
    return character === "\n" ? " \n" : "  ";
  });
}
