import { known, type Names, sayOf, tailOf } from "./answers.ts";
import { branches, colonOf, endOfStatement } from "./branches.ts";
import type { Event } from "./events.ts";
import { blockAround, closingOf, type Region, type Script, textAt } from "./structure.ts";

/** Where the program is once a look has found nothing: the places in which a write would insert what was not there. */
export function regionsWithout(script: Script, look: Event): readonly Region[] {
  const { from, to } = look.chain;
  const inline = inCondition(script, look);
  if (inline !== undefined) return inline;
  const start = beforeAwait(script, from);
  const after = afterParentheses(script, start, to);
  const next = textAt(script, after.to + 1);
  // `(await find()) ?? (await create())`
  if (next === "??" || next === "||") return [{ from: after.to + 2, to: endOfStatement(script, after.to + 2) }];
  const bound = binding(script, start, after.to);
  if (bound === undefined) return [];
  const end = endOfStatement(script, after.to + 1);
  const scope = scopeOf(script, bound.at, [...bound.names.keys()]);
  const last = Math.min(scope.to, end + farthest);
  return outcomes(script, derived(script, bound.names, end, last), end, last);
}

/** How many tokens after a look its answer is followed: some four hundred lines. A whole program in one block is not read anew for each. */
const farthest = 4_000;

const keywords = new Set(["await", "return", "yield", "throw", "case", "typeof", "void", "in", "of"]);

function beforeAwait(script: Script, from: number): number {
  let start = from;
  while (["(", "await", "yield"].includes(textAt(script, start - 1))) {
    if (
      textAt(script, start - 1) === "(" &&
      script.tokens[start - 2]?.kind === "name" &&
      !keywords.has(textAt(script, start - 2))
    )
      break;
    start -= 1;
  }
  return start;
}

/** The expression that begins at `start` with the parentheses around what was awaited. */
function afterParentheses(script: Script, start: number, to: number): Region {
  let end = to;
  for (let at = start; at < to; at += 1) {
    const closing = textAt(script, at) === "(" ? closingOf(script, at) : -1;
    if (closing > to && closing < to + 6) {
      end = Math.max(end, closing);
    }
  }
  return { from: start, to: end };
}

/** `if (!(await exists(…))) …` */
function inCondition(script: Script, { chain }: Event): readonly Region[] | undefined {
  let open = script.around[chain.from] ?? -1;
  for (let turns = 0; turns < 6 && open !== -1; turns += 1) {
    if (textAt(script, open) !== "(") return undefined;
    if (textAt(script, open - 1) === "if") {
      const says = sayOf(script, open + 1, closingOf(script, open), (at) =>
        at === chain.from ? { to: chain.to, isNegated: false } : undefined,
      );
      return says === undefined ? [] : branches(script, open, says, blockAround(script, open).to);
    }
    open = script.around[open] ?? -1;
  }
  return undefined;
}

function binding(
  script: Script,
  start: number,
  to: number,
): { readonly names: Names; readonly at: number } | undefined {
  let equals = start - 1;
  let flips = false;
  while (textAt(script, equals) === "!" || textAt(script, equals) === "(") {
    if (textAt(script, equals) === "!") flips = !flips;
    equals -= 1;
  }
  if (textAt(script, equals) !== "=") return undefined;
  const tail = tailOf(script, to + 1);
  if (tail === "nothing") flips = !flips;
  const names = new Map<string, boolean>();
  const close = textAt(script, equals - 1);
  if (close === "}" || close === "]") {
    const open = script.partner[equals - 1] ?? -1;
    if (open < 0) return undefined;
    for (let at = open + 1; at < equals - 1; at += 1) {
      if (script.tokens[at]?.kind === "name" && textAt(script, at + 1) !== ":") names.set(textAt(script, at), flips);
    }
    return { names, at: open };
  }
  // past a declared type, back to the name
  for (let back = equals - 1; back > equals - 30 && back >= 0; back -= 1) {
    const before = textAt(script, back - 1);
    if (script.tokens[back]?.kind === "name" && ["const", "let", "var"].includes(before)) {
      return { names: new Map([[textAt(script, back), flips]]), at: back };
    }
    if ([";", "{", "}", "(", ")"].includes(textAt(script, back))) break;
  }
  if (script.tokens[equals - 1]?.kind !== "name" || textAt(script, equals - 2) === ".") return undefined;
  return { names: new Map([[textAt(script, equals - 1), flips]]), at: equals - 1 };
}

/** The block that a name belongs to: where it is declared, else the one it is assigned in. */
function scopeOf(script: Script, at: number, names: readonly string[]): Region {
  const own = blockAround(script, at);
  if (["const", "let", "var"].includes(textAt(script, at - 1))) return own;
  for (let back = at - 1; back > Math.max(0, at - 2_000); back -= 1) {
    if (!names.includes(textAt(script, back)) || !["let", "var"].includes(textAt(script, back - 1))) continue;
    const block = blockAround(script, back);
    if (block.from <= own.from && block.to >= own.to) return block;
  }
  return own;
}

/** `const user = rows[0]`, `const isNew = !user` */
function derived(script: Script, names: Names, from: number, to: number): Names {
  const all = new Map(names);
  for (let at = from; at < to && all.size < 12; at += 1) {
    if (
      textAt(script, at) !== "=" ||
      !["const", "let"].includes(textAt(script, at - 2)) ||
      script.tokens[at - 1]?.kind !== "name"
    )
      continue;
    const says = sayOf(script, at + 1, endOfStatement(script, at + 1), (place) => known(script, all, place));
    const name = textAt(script, at - 1);
    if (says !== undefined && !all.has(name)) all.set(name, says === "absent");
  }
  return all;
}

/** The places that an answer's names lead to. */
function outcomes(script: Script, names: Names, from: number, to: number): readonly Region[] {
  const regions: Region[] = [];
  for (let at = from; at < to; at += 1) {
    if (textAt(script, at) === "if" && textAt(script, at + 1) === "(") {
      const says = sayOf(script, at + 2, closingOf(script, at + 1), (place) => known(script, names, place));
      if (says !== undefined) regions.push(...branches(script, at + 1, says, Math.min(to, blockAround(script, at).to)));
      continue;
    }
    const found = known(script, names, at);
    if (found === undefined) continue;
    const isNot = textAt(script, at - 1) === "!";
    const isAbsent = isNot !== found.isNegated;
    const tail = tailOf(script, found.to + 1);
    const next = tail === undefined ? found.to + 1 : found.to + 3;
    const saysAbsent = tail === "nothing" ? !isAbsent : isAbsent;
    const operator = textAt(script, next);
    if (operator === "?") {
      const colon = colonOf(script, next);
      const end = endOfStatement(script, colon + 1);
      regions.push(saysAbsent ? { from: next + 1, to: colon } : { from: colon + 1, to: end });
    } else if ((operator === "??" || operator === "||") && !saysAbsent) {
      regions.push({ from: next + 1, to: endOfStatement(script, next + 1) });
    } else if (operator === "&&" && saysAbsent) regions.push({ from: next + 1, to: endOfStatement(script, next + 1) });
  }
  return regions;
}
