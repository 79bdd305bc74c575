import { randomUUID } from "node:crypto";
import { defaults } from "../../base/defaults.ts";
import type { Register, Registers } from "../../contract/registers.ts";
import { firstVersion } from "../first-version.ts";
import type { Host } from "./host.ts";
import type { Item, ItemKey } from "./item-store.ts";
import { uncertaintyMs } from "./store-clock.ts";

interface Kept extends Omit<Register, "name"> {
  /** Of the last write, as a document's. */
  readonly mark: string;
}

const partition = "registers";

/** All in one partition, for they are few, and listed in the order of their names. */
export function itemRegisters({ items, clock, call, check }: Host): Registers<never> {
  const replace = async (name: string, value: string, version: number | null, signal: AbortSignal) => {
    const key = keyOf(name);
    const seen = version === null ? null : await items.get(key, signal);
    if (version !== null && (seen === null || registerOf(seen).version !== version)) return null;
    const next = version === null ? firstVersion() : version + 1;
    // by the earlier bound: whoever tells the time by it is late by a second, and never early
    const kept: Kept = { value, version: next, at: clock.moment().earliest, mark: randomUUID() };
    const content = check({ text: JSON.stringify(kept), overAt: null });
    const tag =
      seen === null ? await items.insert(key, content, signal) : await items.replace(key, content, seen.tag, signal);
    if (tag !== null) return next;
    // clients repeat a request whose answer was lost
    const there = await items.get(key, signal);
    return there !== null && (JSON.parse(there.text) as Kept).mark === kept.mark ? next : null;
  };

  const listed = async (prefix: string, after: string | null, limit: number, signal: AbortSignal) => {
    const isPast = after !== null && Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0;
    const from = isPast ? { row: after, inclusive: false } : { row: prefix, inclusive: true };
    return items.list({ partition, from, before: pastPrefix(prefix), limit }, signal);
  };

  return {
    read: (name) =>
      call("read register", async (signal) => {
        const seen = await items.get(keyOf(name), signal);
        return seen && registerOf(seen);
      }),
    replace: (name, value, version) => call("replace register", (signal) => replace(name, value, version, signal)),
    remove: (name, version) =>
      call("remove register", async (signal) => {
        const seen = await items.get(keyOf(name), signal);
        if (seen === null || registerOf(seen).version !== version) return false;
        return items.remove(seen.key, seen.tag, signal);
      }),
    list: ({ prefix, after, limit }) =>
      call("list registers", async (signal) => (await listed(prefix, after, limit, signal)).map(registerOf)),
    sweep: (prefix, keptMs, limit) =>
      call("sweep registers", async (signal) => {
        const { page } = defaults.items;
        let swept = 0;
        for (let after: string | null = null; ; ) {
          const found = await listed(prefix, after, page, signal);
          for (const item of found) {
            if (swept >= limit) return swept;
            if (registerOf(item).at + uncertaintyMs + keptMs > clock.moment().earliest) continue;
            if (await items.remove(item.key, item.tag, signal)) swept += 1;
          }
          if (found.length < page) return swept;
          after = found.at(-1)?.key.row ?? null;
        }
      }),
  };
}

function registerOf({ key, text }: Item): Register {
  const { value, version, at } = JSON.parse(text) as Kept;
  return { name: key.row, value, version, at };
}

function keyOf(name: string): ItemKey {
  return { partition, row: name };
}

/** The first text that is after all that begin with the prefix; `null`: there is none. Bytes of UTF-8 sort as characters. */
function pastPrefix(prefix: string): string | null {
  const characters = [...prefix];
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const code = (last.codePointAt(0) ?? 0) + 1;
    if (code > 0x10ffff) continue;
    // halves of pairs are no characters
    return characters.join("") + String.fromCodePoint(code === 0xd800 ? 0xe000 : code);
  }
  return null;
}
