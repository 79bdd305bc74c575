import type { Dialect, Fault } from "../finding.ts";
import type { Event } from "./events.ts";
import { isHandled } from "./guards.ts";
import { insteadInProgram } from "./instead.ts";
import { keysOf } from "./keys.ts";
import { chainAround, type Script, textAt } from "./structure.ts";

export const findersThatCreate = new Set(["findOrCreate", "firstOrCreate", "findOneOrCreate", "updateOrCreate"]);

export function findOrCreate(script: Script, at: number, dialect: Dialect): Fault | undefined {
  if (textAt(script, at - 1) !== "." && textAt(script, at - 1) !== "?.") return undefined;
  const chain = chainAround(script, at);
  const link = chain.links.find((one) => one.at === at);
  if (link === undefined || link.open === -1) return undefined;
  const before = textAt(script, chain.from - 1);
  if (!chain.isAwaited && before !== "return" && before !== "=>" && !chain.links.some(({ name }) => name === "then"))
    return undefined;
  if (isHandled(script, at)) return undefined;
  const place = chain.links.indexOf(link);
  const model = chain.links[place - 1]?.name ?? "the table";
  const start = script.tokens[chain.from]?.start ?? 0;
  const isSequelize = /sequelize/i.test(script.text);
  const table = { models: [model], model, method: isSequelize ? "create" : "sql" };
  const event: Event = { ...table, is: "write", by: "select", chain, key: [], locks: false, mayUpdate: false };
  const keys = keysOf(script, link.open);
  return {
    rule: "find-or-create",
    at: start,
    from: start,
    why: `${textAt(script, at)} looks first: two runs at once both find no row of ${model}, and both insert, or one fails where something is unique.`,
    instead: insteadInProgram(event, event, keys, script, dialect),
  };
}
