import { type ScriptToken, scanScript } from "./tokens.ts";

/** A program's tokens with what opens and closes, so that one can ask what stands around a token. */
export interface Script {
  readonly text: string;
  /** The text with blanks for comments. */
  readonly code: string;
  readonly tokens: readonly ScriptToken[];
  readonly comments: readonly { readonly start: number; readonly end: number }[];
  /** Of each bracket its partner; -1: none. */
  readonly partner: Int32Array;
  /** Of each token the innermost bracket that is open before it; -1: none. */
  readonly around: Int32Array;
}

const opens: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

export function readScript(text: string): Script {
  const { tokens, comments } = scanScript(text);
  const partner = new Int32Array(tokens.length).fill(-1);
  const around = new Int32Array(tokens.length).fill(-1);
  const open: number[] = [];
  tokens.forEach((token, at) => {
    around[at] = open.at(-1) ?? -1;
    if (token.kind !== "sign") return;
    if (opens[token.text] !== undefined) open.push(at);
    else if (token.text === ")" || token.text === "]" || token.text === "}") {
      const last = open.at(-1);
      if (last === undefined || opens[tokens[last]?.text ?? ""] !== token.text) return;
      open.pop();
      partner[at] = last;
      partner[last] = at;
      around[at] = open.at(-1) ?? -1;
    }
  });
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end } of [...comments].sort((one, other) => one.start - other.start)) {
    if (start < at) continue;
    pieces.push(text.slice(at, start), " ".repeat(end - start));
    at = end;
  }
  pieces.push(text.slice(at));
  return { text, code: pieces.join(""), tokens, comments, partner, around };
}

export function textAt({ tokens }: Script, at: number): string {
  const token = tokens[at];
  return token === undefined || token.kind === "string" || token.kind === "template" ? "" : token.text;
}

/** What closes the bracket at `open`; the last token where nothing does. */
export function closingOf({ partner, tokens }: Script, open: number): number {
  const to = partner[open] ?? -1;
  return to > open ? to : tokens.length - 1;
}

/** A block, or the whole: from the bracket that opens it to the one that closes it. */
export interface Region {
  readonly from: number;
  readonly to: number;
}

/** The innermost braces around a token. */
export function blockAround(script: Script, at: number): Region {
  let open = script.around[at] ?? -1;
  while (open !== -1 && textAt(script, open) !== "{") open = script.around[open] ?? -1;
  return open === -1 ? { from: -1, to: script.tokens.length } : { from: open, to: closingOf(script, open) };
}

/**
 * The function around a token; with a callback also what it was given to, for that may lock, or answer what the callback
 * throws.
 */
export function functionAround(script: Script, at: number): Region {
  let region = blockAround(script, at);
  let call: Region | undefined;
  for (let turns = 0; turns < 60 && region.from !== -1; turns += 1) {
    const kind = kindOf(script, region.from);
    if (kind === "function") return region;
    if (kind === "callback" && isTestOrSuite(script, region.from)) return region;
    if (kind === "class") return region;
    if (kind === "callback") {
      const open = script.around[region.from] ?? -1;
      call = { from: open, to: closingOf(script, open) };
    }
    region = blockAround(script, region.from);
  }
  return region.from === -1 ? (call ?? region) : region;
}

function kindOf(script: Script, brace: number): "function" | "callback" | "class" | "block" {
  const before = textAt(script, brace - 1);
  if (before === "=>") return isArgument(script, brace) ? "callback" : "function";
  let close = brace - 1;
  // a declared type of what is returned
  if (before !== ")") {
    for (let back = brace - 1; back > brace - 40 && back > 0; back -= 1) {
      const text = textAt(script, back);
      if (text === ":" && textAt(script, back - 1) === ")") {
        close = back - 1;
        break;
      }
      if (text === "class" || text === "interface" || text === "namespace") return "class";
      if (text === ";" || text === "=" || text === "=>") return "block";
      if ((text === "}" || text === ")" || text === "]") && (script.partner[back] ?? -1) >= 0)
        back = script.partner[back] ?? back;
    }
    if (close === brace - 1) return "block";
  }
  const open = script.partner[close] ?? -1;
  if (open < 0) return "block";
  if (["if", "for", "while", "switch", "catch", "with", "await"].includes(textAt(script, open - 1))) return "block";
  const isExpression = textAt(script, open - 1) === "function" || textAt(script, open - 2) === "function";
  return isExpression && isArgument(script, brace) ? "callback" : "function";
}

function isArgument(script: Script, brace: number): boolean {
  const open = script.around[brace] ?? -1;
  return textAt(script, open) === "(" && script.tokens[open - 1]?.kind === "name";
}

function isTestOrSuite(script: Script, brace: number): boolean {
  const open = script.around[brace] ?? -1;
  return ["it", "test", "describe", "forEach", "map", "before", "beforeEach"].includes(textAt(script, open - 1));
}

/** One link of a chain: `users`, `findOne(…)`. */
export interface Link {
  readonly name: string;
  readonly at: number;
  /** The bracket that opens what it is called with; -1: it is not called. */
  readonly open: number;
}

export interface Chain {
  readonly links: readonly Link[];
  readonly from: number;
  /** Its last token. */
  readonly to: number;
  readonly isAwaited: boolean;
}

/** The whole chain of names and calls that the name at `at` stands in. */
export function chainAround(script: Script, at: number): Chain {
  let from = at;
  for (;;) {
    const dot = textAt(script, from - 1);
    if (dot !== "." && dot !== "?.") break;
    let before = from - 2;
    while (
      before > 0 &&
      (textAt(script, before) === ")" || textAt(script, before) === "]" || textAt(script, before) === "!")
    ) {
      const open = textAt(script, before) === "!" ? before : (script.partner[before] ?? -1);
      if (open < 0) break;
      before = open - 1;
    }
    if (script.tokens[before]?.kind !== "name") {
      // `(await x).y`
      from = before + 1;
      break;
    }
    from = before;
  }
  const links: Link[] = [];
  let to = from;
  for (let next = from; next < script.tokens.length; ) {
    const token = script.tokens[next];
    if (token?.kind !== "name") break;
    let after = next + 1;
    // `find<User>(…)`
    if (textAt(script, after) === "<") after = passTypes(script, after);
    const isCalled = textAt(script, after) === "(";
    links.push({ name: token.text, at: next, open: isCalled ? after : -1 });
    to = isCalled ? closingOf(script, after) : next;
    while (
      textAt(script, to + 1) === "[" ||
      textAt(script, to + 1) === "!" ||
      (isCalled && textAt(script, to + 1) === "(")
    ) {
      to = textAt(script, to + 1) === "!" ? to + 1 : closingOf(script, to + 1);
    }
    const dot = textAt(script, to + 1);
    if (dot !== "." && dot !== "?.") break;
    next = to + 2;
  }
  const before = textAt(script, from - 1) === "(" ? textAt(script, from - 2) : textAt(script, from - 1);
  return { links, from, to, isAwaited: before === "await" || before === "yield" };
}

function passTypes(script: Script, open: number): number {
  let depth = 0;
  for (let at = open; at < open + 40; at += 1) {
    const text = textAt(script, at);
    if (text === "<") depth += 1;
    else if (text === ">") {
      depth -= 1;
      if (depth === 0) return textAt(script, at + 1) === "(" ? at + 1 : open;
    } else if (text === ";" || text === "" || text === "&&" || text === "||") return open;
  }
  return open;
}
