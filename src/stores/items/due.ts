import { defaults } from "../../base/defaults.ts";
import type { Name } from "../../base/names.ts";
import type { Work } from "../work.ts";
import type { Host } from "./host.ts";
import type { ItemKey, Tag } from "./item-store.ts";

/**
 * The list of what somebody may have to come for: work that keeps its input, or that has an effect. Other work is nobody's
 * until its next caller. An entry is written before its work is, and deleted once that is done.
 *
 * It says when to look: never later than when there is something to come for, so that of a list only those are read that
 * may have been left. What is found to be due later is looked at later.
 */
export interface DueList {
  readonly put: (
    work: Pick<Work, "name" | "about" | "createdAt">,
    lookAt: number,
    signal: AbortSignal,
  ) => Promise<void>;
  readonly remove: (name: Name, signal: AbortSignal) => Promise<void>;
  /** Deletes an entry as it was seen. */
  readonly drop: (entry: DueEntry, signal: AbortSignal) => Promise<void>;
  /** Those of these operations that are to be looked at by then, what began first coming first. */
  readonly until: (
    lookAt: number,
    operations: ReadonlySet<string>,
    signal: AbortSignal,
  ) => Promise<readonly DueEntry[]>;
  /** All of them, what began first coming first. */
  readonly all: (signal: AbortSignal) => Promise<readonly DueEntry[]>;
}

export interface DueEntry {
  readonly name: Name;
  readonly operation: string;
  readonly createdAt: number;
  readonly lookAt: number;
  readonly tag: Tag;
}

export function createDueList({ items, check }: Host): DueList {
  const entriesOf = async (partition: string, signal: AbortSignal): Promise<readonly DueEntry[]> => {
    const { page } = defaults.items;
    const found: DueEntry[] = [];
    for (let row = ""; ; ) {
      const from = { row, inclusive: found.length === 0 };
      const list = await items.list({ partition, from, before: null, limit: page }, signal);
      for (const { key, text, tag } of list) found.push({ ...JSON.parse(text), name: key.row as Name, tag });
      if (list.length < page) return found;
      row = list.at(-1)?.key.row ?? "";
    }
  };

  const all: DueList["all"] = async (signal) => {
    const parts = Array.from({ length: defaults.items.dueParts }, (_, part) => entriesOf(`due ${part}`, signal));
    return (await Promise.all(parts)).flat().toSorted((a, b) => a.createdAt - b.createdAt);
  };

  return {
    put: ({ name, about: { operation }, createdAt }, lookAt, signal) => {
      const text = JSON.stringify({ operation, createdAt, lookAt });
      return items.put(dueKey(name), check({ text, overAt: null }), signal);
    },
    remove: async (name, signal) => {
      await items.remove(dueKey(name), null, signal);
    },
    drop: async ({ name, tag }, signal) => {
      await items.remove(dueKey(name), tag, signal);
    },
    until: async (lookAt, operations, signal) =>
      (await all(signal)).filter((entry) => entry.lookAt <= lookAt && operations.has(entry.operation)),
    all,
  };
}

function dueKey(name: Name): ItemKey {
  return { partition: `due ${Number.parseInt(name.slice(0, 2), 16) % defaults.items.dueParts}`, row: name };
}
