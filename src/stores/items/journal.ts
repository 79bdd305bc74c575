import { defaults } from "../../base/defaults.ts";
import { sha256 } from "../../base/names.ts";
import type { Journal, JournalEntry, Resolution } from "../../contract/journal.ts";
import type { Host } from "./host.ts";
import type { Item } from "./item-store.ts";

/** A partition for each resolution; its rows say when, and whose. */
export function itemJournal({ items, call, check }: Host): Journal {
  const listed = async (
    resolution: Resolution,
    since: string,
    before: string | null,
    signal: AbortSignal,
  ): Promise<readonly Item[]> => {
    const found: Item[] = [];
    for (let row = since; ; ) {
      const from = { row, inclusive: found.length === 0 };
      const query = { partition: partitionOf(resolution), from, before, limit: defaults.items.page };
      const page = await items.list(query, signal);
      found.push(...page);
      if (page.length < defaults.items.page) return found;
      row = page.at(-1)?.key.row ?? "";
    }
  };

  return {
    append: ({ resolution, instance, at, body }) =>
      call("journal", async (signal) => {
        const key = { partition: partitionOf(resolution), row: `${rowOf(at)} ${sha256(instance).slice(0, 32)}` };
        await items.insert(key, check({ text: JSON.stringify({ instance, body }), overAt: null }), signal);
      }),
    read: (resolution, since) =>
      call("journal", async (signal) => {
        const found = await listed(resolution, rowOf(since), null, signal);
        return found
          .map(({ key, text }): JournalEntry => ({ resolution, at: Number.parseInt(key.row, 10), ...JSON.parse(text) }))
          .toSorted((a, b) => a.at - b.at || (a.instance < b.instance ? -1 : 1));
      }),
    forget: (resolution, before) =>
      call("journal", async (signal) => {
        const old = await listed(resolution, "", rowOf(before), signal);
        await Promise.all(old.map(({ key }) => items.remove(key, null, signal)));
      }),
  };
}

function partitionOf(resolution: Resolution): string {
  return `journal ${resolution}`;
}

/** Instants sort as numbers do. */
function rowOf(at: number): string {
  return String(Math.max(0, Math.floor(at))).padStart(16, "0");
}
