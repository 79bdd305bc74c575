import type { Dialect } from "../finding.ts";

/**
 * `word`: unquoted, keywords too; `name`: quoted; `variable`: `@v`, `$1`, `:v`; `hole`: what a program puts in;
 * `batch`: GO; `body`: a dollar-quoted string, which may be a program.
 */
export type TokenKind = "word" | "name" | "string" | "number" | "variable" | "hole" | "sign" | "batch" | "body";

export interface Token {
  readonly kind: TokenKind;
  /** Of a word in lower case, of a name without its quotes, of a string the quotes only: its value is of no concern. */
  readonly text: string;
  /** Of a word and a name, as it is spelt, with its quotes. */
  readonly spelt?: string;
  readonly start: number;
  readonly end: number;
}

export interface Comment {
  readonly start: number;
  readonly end: number;
}

export interface Scanned {
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
}

/** Stands for each character of what a program puts into a statement, whose text the offset finds. */
export const holeMark = "\uE000";

const wordStart = /[\p{L}_\u0080-\u{10FFFF}]/u;
const wordRest = /[\p{L}\p{N}_$#@\u0080-\u{10FFFF}]*/uy;
const blank = /\s+/y;
const numeral = /\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+/iy;
const dollarTag = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const goLine = /GO(?:[ \t]+\d+)?[ \t]*(?=\r?\n|$)/iy;
const delimiterLine = /DELIMITER[ \t]+(\S+)[^\n]*/iy;

/**
 * Reads `text` from `start` to `end`; offsets are those of `text`. Whatever is not closed ends where the text does. `source` is
 * what the text was made of, character by character, and tells what stands in its holes.
 */
export function scanSql(text: string, dialect: Dialect, start = 0, end = text.length, source = text): Scanned {
  const tokens: Token[] = [];
  const comments: Comment[] = [];
  let at = start;
  let delimiter: string | undefined;

  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    return found === undefined || found.length === 0 ? undefined : found.slice(0, end - at);
  };
  const push = (kind: TokenKind, to: number, value: string) => {
    const place = { start: at, end: to };
    const isName = kind === "word" || kind === "name";
    tokens.push(isName ? { kind, text: value, spelt: text.slice(at, to), ...place } : { kind, text: value, ...place });
    at = to;
  };
  const comment = (to: number) => {
    comments.push({ start: at, end: to });
    at = to;
  };
  const lineEnd = () => {
    const found = text.indexOf("\n", at);
    return found === -1 || found > end ? end : found;
  };

  while (at < end) {
    const character = text[at] ?? "";
    const next = at + 1 < end ? (text[at + 1] ?? "") : "";
    const space = match(blank);
    if (space !== undefined) {
      at += space.length;
    } else if (character === "-" && next === "-" && isLineComment(text, at, dialect)) {
      comment(lineEnd());
    } else if (character === "#" && dialect === "mysql") {
      comment(lineEnd());
    } else if (character === "/" && next === "*") {
      // to MySQL `/*! … */` is no comment: what stands in it runs
      if (dialect === "mysql" && text[at + 2] === "!") at += /^\/\*!\d*/.exec(text.slice(at, at + 12))?.[0].length ?? 3;
      else comment(commentEnd(text, at, end, dialect === "postgres" || dialect === "tsql"));
    } else if (character === "*" && next === "/" && dialect === "mysql") {
      at += 2;
    } else if (delimiter !== undefined && text.startsWith(delimiter, at)) {
      push("sign", Math.min(end, at + delimiter.length), ";");
    } else if (character === holeMark) {
      let to = at;
      while (to < end && text[to] === holeMark) to += 1;
      push("hole", to, source.slice(at, to));
    } else if (character === "'") {
      push("string", stringEnd(text, at, end, "'", dialect === "mysql"), "''");
    } else if (character === '"') {
      const to = stringEnd(text, at, end, '"', dialect === "mysql");
      // MySQL, unless told otherwise, takes it for a string
      if (dialect === "mysql") push("string", to, "''");
      else push("name", to, inside(text, at, to, '"'));
    } else if (character === "`" && (dialect === "mysql" || dialect === "sqlite")) {
      const to = stringEnd(text, at, end, "`", false);
      push("name", to, inside(text, at, to, "`"));
    } else if (character === "[" && (dialect === "tsql" || dialect === "sqlite")) {
      const to = stringEnd(text, at, end, "]", false);
      push("name", to, inside(text, at, to, "]"));
    } else if (character === "$" && dialect === "postgres") {
      const tag = match(dollarTag);
      if (tag !== undefined) {
        const closing = text.indexOf(tag, at + tag.length);
        push("body", closing === -1 || closing + tag.length > end ? end : closing + tag.length, tag);
      } else push("variable", after(text, at + 1, end), "$");
    } else if ((character === "@" || character === ":" || character === "$") && /[\p{L}\p{N}_@]/u.test(next)) {
      const to = after(text, at + 1, end);
      push("variable", to, text.slice(at, to).toLowerCase());
    } else if (character === "#" && /[\p{L}_#]/u.test(next)) {
      const to = after(text, at + 1, end);
      push("word", to, text.slice(at, to).toLowerCase());
    } else if (wordStart.test(character)) {
      const to = after(text, at, end);
      const word = text.slice(at, to).toLowerCase();
      const quote = text[to];
      if (quote === "'" && to < end && isPrefix(word, dialect)) {
        const escapes = dialect === "mysql" || (word === "e" && dialect === "postgres");
        push("string", stringEnd(text, to, end, "'", escapes), "''");
      } else if (word === "go" && dialect === "tsql" && isLineStart(text, at) && match(goLine) !== undefined) {
        push("batch", lineEnd(), "go");
      } else if (word === "delimiter" && isLineStart(text, at)) {
        const line = match(delimiterLine);
        const wanted = line === undefined ? undefined : /\S+/.exec(line.slice(9).trimStart())?.[0];
        if (wanted === undefined) push("word", to, word);
        else {
          delimiter = wanted === ";" ? undefined : wanted;
          at += line?.length ?? 0;
        }
      } else push("word", to, word);
    } else {
      const number = match(numeral);
      if (number !== undefined) push("number", at + number.length, number);
      else push("sign", at + 1, character);
    }
  }
  return { tokens, comments };

  function after(whole: string, from: number, to: number): number {
    wordRest.lastIndex = from;
    const rest = wordRest.exec(whole)?.[0] ?? "";
    return Math.min(
      to,
      Math.max(from + 1, from + (rest.indexOf(holeMark) === -1 ? rest.length : rest.indexOf(holeMark))),
    );
  }
}

function isLineComment(text: string, at: number, dialect: Dialect): boolean {
  return dialect !== "mysql" || /\s/.test(text[at + 2] ?? " ");
}

function isLineStart(text: string, at: number): boolean {
  const before = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return before.trim() === "";
}

function isPrefix(word: string, dialect: Dialect): boolean {
  if (word === "n" || word === "x" || word === "b") return true;
  return dialect === "postgres" && (word === "e" || word === "u&");
}

function commentEnd(text: string, at: number, end: number, nests: boolean): number {
  let depth = 1;
  let to = at + 2;
  while (to < end) {
    if (text[to] === "*" && text[to + 1] === "/") {
      to += 2;
      depth -= 1;
      if (depth === 0) return Math.min(end, to);
    } else if (nests && text[to] === "/" && text[to + 1] === "*") {
      to += 2;
      depth += 1;
    } else to += 1;
  }
  return end;
}

/** A doubled quote is one of the string's own. */
function stringEnd(text: string, at: number, end: number, quote: string, escapes: boolean): number {
  for (let to = at + 1; to < end; to += 1) {
    if (escapes && text[to] === "\\") to += 1;
    else if (text[to] === quote) {
      if (text[to + 1] === quote && to + 1 < end) to += 1;
      else return to + 1;
    }
  }
  return end;
}

function inside(text: string, at: number, to: number, quote: string): string {
  const closed = to - at > 1 && text[to - 1] === quote;
  return text.slice(at + 1, closed ? to - 1 : to).replaceAll(quote + quote, quote);
}
