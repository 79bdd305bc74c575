import { closingOf, type Region, type Script, textAt } from "./structure.ts";

/** What a look's answer is called, and whether the name says yes where there is nothing. */
export type Names = ReadonlyMap<string, boolean>;
export type Says = "absent" | "present";

export interface Atom {
  readonly to: number;
  readonly isNegated: boolean;
}

/** A name of the answer, with `.length`, `.rows`, `[0]` and the like after it: what tells whether there is anything. */
export function known(script: Script, names: Names, at: number): Atom | undefined {
  const isNegated = names.get(textAt(script, at));
  if (isNegated === undefined || script.tokens[at]?.kind !== "name" || textAt(script, at - 1) === ".") return undefined;
  let to = at;
  for (;;) {
    const next = textAt(script, to + 1);
    if (next === "[") {
      const close = closingOf(script, to + 1);
      if (close !== to + 3 || script.tokens[to + 2]?.kind !== "number") return undefined;
      to = close;
    } else if ((next === "." || next === "?.") && tells.has(textAt(script, to + 2))) to += 2;
    else if (next === "?." && textAt(script, to + 2) === "[") to += 1;
    else if (next === "." || next === "?." || next === "(") return undefined;
    else return { to, isNegated };
  }
}

const tells = new Set(
  "length rows rowCount count affectedRows changes changedRows exists total n cnt c num data recordset rowsAffected numUpdatedRows affected affectedCount matchedCount modifiedCount".split(
    " ",
  ),
);

/** What a condition says of the answer, as far as that is sure. */
export function sayOf(
  script: Script,
  from: number,
  to: number,
  atom: (at: number) => Atom | undefined,
): Says | undefined {
  const parts: Region[] = [];
  let hasAnd = false;
  let start = from;
  for (let at = from; at < to; at += 1) {
    const text = textAt(script, at);
    if (text === "(" || text === "[" || text === "{") {
      const close = closingOf(script, at);
      at = close < to ? close : at;
    } else if (text === "&&" || text === "||") {
      if (text === "&&") hasAnd = true;
      parts.push({ from: start, to: at });
      start = at + 1;
    }
  }
  parts.push({ from: start, to });
  const said = parts.map((part) => sayOfPart(script, part, atom));
  if (said.includes("absent")) return "absent";
  if (!said.includes("present")) return undefined;
  // `if (there && there.id !== id) throw` passes on where there is one
  return hasAnd && said.some((one) => one !== "present") ? undefined : "present";
}

function sayOfPart(script: Script, { from, to }: Region, atom: (at: number) => Atom | undefined): Says | undefined {
  let at = from;
  let isNot = false;
  while (at < to) {
    const text = textAt(script, at);
    if (text === "!") isNot = !isNot;
    else if (!["(", "await", "Boolean", "Number", "parseInt"].includes(text)) break;
    at += 1;
  }
  const found = atom(at);
  if (found === undefined || found.to >= to) return undefined;
  let end = found.to + 1;
  while (end < to && [")", "!"].includes(textAt(script, end))) end += 1;
  // `(await query(…)).rows.length`
  while ((textAt(script, end) === "." || textAt(script, end) === "?.") && tells.has(textAt(script, end + 1))) end += 2;
  if (textAt(script, end) === "[" && script.tokens[end + 1]?.kind === "number") end += 3;
  while (end < to && textAt(script, end) === ")") end += 1;
  const compared = end >= to || [";", ","].includes(textAt(script, end)) ? "something" : tailOf(script, end);
  if (compared === undefined) return undefined;
  const isAbsent = ((compared === "nothing") !== isNot) !== found.isNegated;
  return isAbsent ? "absent" : "present";
}

export function tailOf(script: Script, at: number): "nothing" | "something" | undefined {
  const text = `${textAt(script, at)} ${textAt(script, at + 1)}`;
  if (/^(?:===? (?:0|0n|null|undefined|false)|< (?:1|1n)|<= (?:0|0n))$/.test(text)) return "nothing";
  if (/^(?:!==? (?:0|0n|null|undefined|false)|> (?:0|0n)|>= (?:1|1n)|===? (?:1|true))$/.test(text)) return "something";
  return undefined;
}
