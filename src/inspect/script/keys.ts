import { type Chain, closingOf, type Script, textAt } from "./structure.ts";

const byMembers = new Set(["where", "findOneBy", "findBy", "existsBy", "countBy", "exists"]);

/** The names in `where: { a, b: … }`, `findOneBy({ a })`, `.where({ a })`, `.where("a", …)`. */
export function keyOf(script: Script, { links, to }: Chain): readonly string[] {
  for (const { name, open } of links) {
    if (open === -1) continue;
    let brace = -1;
    const first = script.tokens[open + 1];
    if (name === "where" && first?.kind === "string") return namesIn(script.text.slice(first.start + 1, first.end - 1));
    if (name === "where" && textAt(script, open + 1) === "eq" && textAt(script, open + 4) === ".")
      return [textAt(script, open + 5)];
    for (let at = open; at < to && brace === -1 && at < open + 80; at += 1) {
      if (textAt(script, at) === "where" && textAt(script, at + 1) === ":" && textAt(script, at + 2) === "{")
        brace = at + 2;
    }
    if (brace === -1 && byMembers.has(name) && textAt(script, open + 1) === "{") brace = open + 1;
    if (brace === -1) continue;
    const keys: string[] = [];
    for (let at = brace + 1; at < closingOf(script, brace); at += 1) {
      if (script.around[at] !== brace || script.tokens[at]?.kind !== "name") continue;
      if (["{", ","].includes(textAt(script, at - 1))) keys.push(textAt(script, at));
    }
    return keys.slice(0, 4);
  }
  return [];
}

/** `"mail"`, `"u.mail = :mail"` */
function namesIn(condition: string): readonly string[] {
  const compared = [...condition.matchAll(/([A-Za-z_]\w*)\s*=/g)].map((found) => found[1] ?? "");
  return /^\w+$/.test(condition) ? [condition] : compared;
}

/** What a call that finds or creates asks by. */
export function keysOf(script: Script, open: number): readonly string[] {
  for (let at = open; at < closingOf(script, open); at += 1) {
    if (textAt(script, at) === "where" && textAt(script, at + 2) === "{") return membersOf(script, at + 2);
  }
  return textAt(script, open + 1) === "{" ? membersOf(script, open + 1) : [];
}

/** The names of an object's members. */
export function membersOf(script: Script, brace: number): readonly string[] {
  const names: string[] = [];
  for (let at = brace + 1; at < closingOf(script, brace); at += 1) {
    const isMember =
      script.around[at] === brace && script.tokens[at]?.kind === "name" && ["{", ","].includes(textAt(script, at - 1));
    if (isMember) names.push(textAt(script, at));
  }
  return names;
}
