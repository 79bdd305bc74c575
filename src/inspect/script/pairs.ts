import type { Dialect, Fault } from "../finding.ts";
import type { Event } from "./events.ts";
import { isHandled, isLockedBefore } from "./guards.ts";
import { insteadInProgram } from "./instead.ts";
import { regionsWithout } from "./outcomes.ts";
import { insertedAgain, keyOfBoth } from "./removals.ts";
import type { Region, Script } from "./structure.ts";

/** Faults of two calls: a look and the write that it leads to, a deletion and the write that follows it. */
export function faultsBetween(script: Script, events: readonly Event[], dialect: Dialect): readonly Fault[] {
  const faults: Fault[] = [];
  const writes = writesByModel(events);
  const locks = events.filter((event) => event.is === "look" && event.locks);
  const taken = new Set<Event>();
  const tell = (rule: Fault["rule"], first: Event, write: Event, why: string, key: readonly string[]) => {
    taken.add(write);
    const at = script.tokens[write.chain.from]?.start ?? 0;
    const from = script.tokens[first.chain.from]?.start ?? 0;
    faults.push({ rule, at, from, why, instead: insteadInProgram(first, write, key, script, dialect) });
  };
  for (const look of events) {
    if (look.is !== "look" || !look.chain.isAwaited || !look.models.some((model) => writes.has(model))) continue;
    const regions = regionsWithout(script, look);
    const write = regions
      .flatMap((region) => writesIn(writes, look.models, region).filter((one) => isInsertIn(one, region)))
      .find((one) => !taken.has(one));
    if (write === undefined || isHandled(script, write.chain.from) || isLockedBefore(locks, look, write, script))
      continue;
    const isUpdate = look.by === "update";
    const found = isUpdate ? "update no row of" : "find no row in";
    const why = `Two runs at once both ${found} ${write.model}, and both insert.`;
    tell(isUpdate ? "update-then-insert" : "check-then-insert", look, write, why, look.key);
  }
  for (const removal of events) {
    if (removal.is !== "removal" || !removal.models.some((model) => writes.has(model))) continue;
    const write = insertedAgain(script, removal, (region) => writesIn(writes, removal.models, region));
    if (write === undefined || taken.has(write) || isHandled(script, write.chain.from)) continue;
    const why = `A rerun of older data deletes newer rows of ${write.model}, one that ends in between leaves none, and two at once delete the same rows and both insert.`;
    tell("delete-then-insert", removal, write, why, keyOfBoth(script, removal, write));
  }
  return faults;
}

type Writes = ReadonlyMap<string, readonly Event[]>;

/** In the order of the program. */
function writesByModel(events: readonly Event[]): Writes {
  const writes = new Map<string, Event[]>();
  for (const event of events) {
    const [model] = event.models;
    if (event.is !== "write" || model === undefined) continue;
    const known = writes.get(model);
    if (known === undefined) writes.set(model, [event]);
    else known.push(event);
  }
  for (const one of writes.values()) one.sort((first, second) => first.chain.from - second.chain.from);
  return writes;
}

/** Without a bound, a long program without a function would be gone through once for each of its calls. */
const most = 64;

function writesIn(writes: Writes, models: readonly string[], { from, to }: Region): readonly Event[] {
  const found: Event[] = [];
  for (const model of models) {
    const all = writes.get(model) ?? [];
    let low = 0;
    for (let high = all.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((all[middle]?.chain.from ?? 0) < from) low = middle + 1;
      else high = middle;
    }
    for (const write of all.slice(low, low + most)) {
      if (write.chain.from > to) break;
      if (write.chain.to <= to) found.push(write);
    }
  }
  return found;
}

/** What may update as well is taken for an insert only in a branch of its own. */
function isInsertIn({ mayUpdate, chain }: Event, { from, to }: Region): boolean {
  return !mayUpdate || (from < chain.from - 1 && to - from < 200);
}
