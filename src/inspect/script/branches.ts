import type { Says } from "./answers.ts";
import { closingOf, type Region, type Script, textAt } from "./structure.ts";

/** Of the `if` whose condition opens at `open`: the branch without, or what follows where the other one leaves. */
export function branches(script: Script, open: number, says: Says, scopeEnd: number): readonly Region[] {
  const then = branchAt(script, closingOf(script, open) + 1);
  const hasElse = textAt(script, then.to + 1) === "else";
  const otherwise = hasElse ? branchAt(script, then.to + 2) : undefined;
  const end = otherwise?.to ?? then.to;
  if (says === "absent") {
    const rest = otherwise !== undefined && leaves(script, otherwise) ? [{ from: end + 1, to: scopeEnd }] : [];
    return [then, ...rest];
  }
  const rest = leaves(script, then) ? [{ from: end + 1, to: scopeEnd }] : [];
  return otherwise === undefined ? rest : [otherwise, ...rest];
}

function branchAt(script: Script, at: number): Region {
  if (textAt(script, at) === "{") return { from: at, to: closingOf(script, at) };
  return { from: at, to: endOfStatement(script, at) };
}

function leaves(script: Script, { from, to }: Region): boolean {
  const isBlock = textAt(script, from) === "{";
  for (let at = from; at <= to; at += 1) {
    const isOwn = isBlock ? script.around[at] === from : at === from;
    if (isOwn && ["throw", "return", "continue", "break"].includes(textAt(script, at))) {
      // not where it is a condition's: `if (x) return`
      if (!isBlock || (textAt(script, at - 1) !== ")" && textAt(script, at - 1) !== "else")) return true;
    }
  }
  return false;
}

export function colonOf(script: Script, question: number): number {
  let depth = 0;
  for (let at = question + 1; at < script.tokens.length; at += 1) {
    const text = textAt(script, at);
    if (text === "(" || text === "[" || text === "{") at = closingOf(script, at);
    else if (text === "?") depth += 1;
    else if (text === ":") {
      if (depth === 0) return at;
      depth -= 1;
    } else if (text === ";" || text === "}" || text === ")") return at;
  }
  return script.tokens.length;
}

const goesOn = /^(?:[.,=+\-*/%&|^<>?:([{]|=>|&&|\|\||\?\?|\?\.|===?|!==?|<=|>=|await|new|return|throw|typeof|in|of)$/;

/** Its semicolon, what closes around it, or the end of a line that does not go on. */
export function endOfStatement(script: Script, from: number): number {
  const { tokens, text } = script;
  for (let at = from; at < tokens.length; at += 1) {
    const now = textAt(script, at);
    if (now === ";") return at;
    if (now === ")" || now === "]" || now === "}") return at - 1;
    if (now === "(" || now === "[" || now === "{") {
      const close = closingOf(script, at);
      if (close <= at) return at;
      at = close;
    }
    const next = tokens[at + 1];
    if (next === undefined) return at;
    const isBroken = text.slice(tokens[at]?.end ?? 0, next.start).includes("\n");
    if (
      isBroken &&
      !goesOn.test(textAt(script, at)) &&
      !/^(?:[.,=+*/%&|^<>?:)]|&&|\|\||\?\?|\?\.|===?|!==?)/.test(textAt(script, at + 1))
    ) {
      return at;
    }
  }
  return tokens.length;
}
