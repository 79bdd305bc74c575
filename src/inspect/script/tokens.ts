import type { Comment } from "../sql/tokens.ts";

/** A token of TypeScript or JavaScript. */
export interface ScriptToken {
  readonly kind: "name" | "string" | "template" | "pattern" | "number" | "sign";
  /** Of a string or a template nothing: its place tells. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Of a template: what is put in, with its `${` and `}`. */
  readonly holes: readonly Comment[];
}

export interface ScannedScript {
  readonly tokens: readonly ScriptToken[];
  readonly comments: readonly Comment[];
}

const none: readonly Comment[] = [];
const deepest = 40;
const nameRest = /[\p{L}\p{N}_$\u200c\u200d]*/uy;
const numeral = /\d[\w.]*/y;
const longSigns = [
  "===",
  "!==",
  "...",
  "??=",
  "||=",
  "&&=",
  "=>",
  "==",
  "!=",
  "<=",
  ">=",
  "&&",
  "||",
  "??",
  "?.",
  "++",
  "--",
];
/** After these an expression begins, so that a slash begins a pattern. */
const beforeExpression = new Set([
  ...[
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "delete",
    "void",
    "throw",
    "new",
    "else",
    "do",
    "await",
    "yield",
    "instanceof",
  ],
]);

/** What a template puts in follows the template, as tokens of its own. */
export function scanScript(text: string, start = 0, end = text.length, depth = 0): ScannedScript {
  const tokens: ScriptToken[] = [];
  const comments: Comment[] = [];
  let at = start;
  const push = (kind: ScriptToken["kind"], to: number, value: string, holes = none) => {
    tokens.push({ kind, text: value, start: at, end: Math.min(to, end), holes });
    at = Math.min(to, end);
  };
  while (at < end) {
    const character = text[at] ?? "";
    const next = text[at + 1] ?? "";
    if (/\s/.test(character)) at += 1;
    else if (character === "/" && (next === "/" || next === "*")) {
      const closing = next === "/" ? text.indexOf("\n", at) : text.indexOf("*/", at + 2);
      const to = closing === -1 ? end : Math.min(end, next === "/" ? closing : closing + 2);
      comments.push({ start: at, end: to });
      at = to;
    } else if (character === "#" && next === "!" && at === 0) {
      const line = text.indexOf("\n");
      at = line === -1 ? end : line;
    } else if (character === '"' || character === "'") push("string", stringEnd(text, at, end, character), character);
    else if (character === "`") {
      const holes: Comment[] = [];
      const to = templateEnd(text, at, end, holes, depth);
      push("template", to, "`", holes);
      for (const hole of holes) {
        if (depth >= deepest) break;
        const inner = scanScript(text, hole.start + 2, Math.max(hole.start + 2, hole.end - 1), depth + 1);
        tokens.push(...inner.tokens);
        comments.push(...inner.comments);
      }
    } else if (character === "/" && beginsPattern(tokens.at(-1))) {
      const to = patternEnd(text, at, end);
      if (to === undefined) push("sign", at + 1, "/");
      else push("pattern", to, "/");
    } else if (/[\p{L}_$]/u.test(character)) {
      nameRest.lastIndex = at;
      const to = at + Math.max(1, nameRest.exec(text)?.[0].length ?? 1);
      push("name", to, text.slice(at, to));
    } else if (/\d/.test(character)) {
      numeral.lastIndex = at;
      const number = numeral.exec(text)?.[0] ?? character;
      push("number", at + number.length, number);
    } else {
      const sign = longSigns.find((one) => text.startsWith(one, at)) ?? character;
      push("sign", at + sign.length, sign);
    }
  }
  return { tokens, comments };
}

function beginsPattern(before: ScriptToken | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === "name") return beforeExpression.has(before.text);
  return before.kind === "sign" && ![")", "]", "}"].includes(before.text);
}

function stringEnd(text: string, at: number, end: number, quote: string): number {
  for (let to = at + 1; to < end; to += 1) {
    if (text[to] === "\\") to += 1;
    else if (text[to] === quote) return to + 1;
    // not closed, as an apostrophe in JSX is not
    else if (text[to] === "\n") return to;
  }
  return end;
}

function patternEnd(text: string, at: number, end: number): number | undefined {
  let isClass = false;
  for (let to = at + 1; to < end; to += 1) {
    const character = text[to];
    if (character === "\n") return undefined;
    if (character === "\\") to += 1;
    else if (character === "[") isClass = true;
    else if (character === "]") isClass = false;
    else if (character === "/" && !isClass) {
      to += 1;
      while (to < end && /[a-z]/.test(text[to] ?? "")) to += 1;
      return to;
    }
  }
  return undefined;
}

function templateEnd(text: string, at: number, end: number, holes: Comment[], depth: number): number {
  let to = at + 1;
  while (to < end) {
    if (text[to] === "\\") to += 2;
    else if (text[to] === "`") return to + 1;
    else if (text[to] === "$" && text[to + 1] === "{") {
      const start = to;
      to = holeEnd(text, to + 2, end, depth);
      holes.push({ start, end: to });
    } else to += 1;
  }
  return end;
}

function holeEnd(text: string, at: number, end: number, depth: number): number {
  let open = 1;
  let to = at;
  while (to < end) {
    const character = text[to] ?? "";
    if (character === "`" && depth < deepest) to = templateEnd(text, to, end, [], depth + 1);
    else if (character === '"' || character === "'") to = stringEnd(text, to, end, character);
    else if (character === "/" && text[to + 1] === "*") {
      const closing = text.indexOf("*/", to + 2);
      to = closing === -1 ? end : closing + 2;
    } else {
      if (character === "{") open += 1;
      else if (character === "}") open -= 1;
      to += 1;
      if (open === 0) return Math.min(to, end);
    }
  }
  return end;
}
