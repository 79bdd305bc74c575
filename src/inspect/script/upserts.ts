import type { Fault } from "../finding.ts";
import { isHandled } from "./guards.ts";
import { membersOf } from "./keys.ts";
import { chainAround, closingOf, type Script, textAt } from "./structure.ts";

/**
 * Prisma's upsert is one statement of the database only where it asks by one unique key and writes nothing nested; else it
 * looks first. Any other upsert, and one that cannot be read, is left alone.
 */
export function upsert(script: Script, at: number): Fault | undefined {
  const open = at + 1;
  if (textAt(script, at - 1) !== "." || textAt(script, open) !== "(" || textAt(script, open + 1) !== "{")
    return undefined;
  const members = new Map<string, number>();
  for (const name of ["where", "create", "update", "include"]) {
    for (let place = open + 2; place < closingOf(script, open); place += 1) {
      if (script.around[place] === open + 1 && textAt(script, place) === name && textAt(script, place + 1) === ":")
        members.set(name, place + 2);
    }
  }
  const where = members.get("where");
  const create = members.get("create");
  const update = members.get("update");
  if (where === undefined || create === undefined || update === undefined || textAt(script, where) !== "{")
    return undefined;
  const keys = membersOf(script, where).filter((name) => !["AND", "OR", "NOT"].includes(name));
  const isNested = [create, update].some((brace) => {
    if (textAt(script, brace) !== "{") return false;
    for (let place = brace + 1; place < closingOf(script, brace); place += 1) {
      const isWrite = ["create", "connectOrCreate", "createMany", "upsert", "connect"].includes(textAt(script, place));
      if (
        isWrite &&
        textAt(script, place + 1) === ":" &&
        textAt(script, place - 1) === "{" &&
        script.around[place] !== brace
      )
        return true;
    }
    return false;
  });
  if (keys.length < 2 && !isNested) return undefined;
  if (isHandled(script, at)) return undefined;
  const chain = chainAround(script, at);
  const start = script.tokens[chain.from]?.start ?? 0;
  const model = textAt(script, at - 2);
  const because = isNested ? "writes other models too" : "asks by several keys";
  return {
    rule: "upsert-not-native",
    at: start,
    from: start,
    why: `An upsert that ${because} is no statement of the database: Prisma looks first, and of two runs at once one fails with P2002.`,
    instead: `await prisma.${model}.upsert({ where: { <one unique key> }, create: { … }, update: { … } }); // nested writes apart, or catch P2002 and repeat`,
  };
}
