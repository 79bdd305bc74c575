import { defaults } from "../../base/defaults.ts";
import type { Name } from "../../base/names.ts";
import type { Work } from "../work.ts";
import type { Host } from "./host.ts";
import type { ItemKey } from "./item-store.ts";

/**
 * The works that succeeded with one intent, so that a second one is found without a look at all work. An entry is written
 * before its work is done, and deleted after that is gone: whether it succeeded only the work itself says.
 */
export interface Intents {
  readonly enter: (work: Pick<Work, "name" | "intent" | "createdAt">, signal: AbortSignal) => Promise<void>;
  readonly forget: (work: Pick<Work, "name" | "intent" | "createdAt">, signal: AbortSignal) => Promise<void>;
  /** The newest, the last one first. */
  readonly of: (intent: Name, signal: AbortSignal) => Promise<readonly IntentEntry[]>;
}

export interface IntentEntry {
  readonly name: Name;
  readonly createdAt: number;
}

export function createIntents({ items }: Host): Intents {
  return {
    enter: async ({ name, intent, createdAt }, signal) => {
      if (intent !== null) await items.put(entryKey(intent, { name, createdAt }), { text: name, overAt: null }, signal);
    },
    forget: async ({ name, intent, createdAt }, signal) => {
      if (intent !== null) await items.remove(entryKey(intent, { name, createdAt }), null, signal);
    },
    of: async (intent, signal) => {
      const from = { row: "", inclusive: true };
      const query = { partition: partitionOf(intent), from, before: null, limit: defaults.items.intentsLooked };
      return (await items.list(query, signal)).map(({ key }) => {
        const [before = "", name = ""] = key.row.split(" ");
        return { name: name as Name, createdAt: latest - Number(before) };
      });
    },
  };
}

function partitionOf(intent: Name): string {
  return `intent ${intent}`;
}

/** Rows come in ascending order, and the newest are asked for. */
const latest = 9_999_999_999_999;

function entryKey(intent: Name, { name, createdAt }: IntentEntry): ItemKey {
  return { partition: partitionOf(intent), row: `${String(latest - createdAt).padStart(13, "0")} ${name}` };
}
