import type { Name, WorkId } from "../../base/names.ts";
import type { Host } from "./host.ts";
import type { ItemKey } from "./item-store.ts";

/**
 * The name of work that is known by its id alone. An id that is made here begins with it; one that came with accepted work
 * has an item, which is written before the work and lives as long.
 */
export interface Ids {
  readonly introduce: (id: WorkId, name: Name, signal: AbortSignal) => Promise<void>;
  readonly forget: (id: WorkId, signal: AbortSignal) => Promise<void>;
  /** `null`: no such work, or no longer. */
  readonly nameOf: (id: WorkId, signal: AbortSignal) => Promise<Name | null>;
}

/** The name, and as many digits by chance. */
const telling = /^[0-9a-f]{64}$/;
const accepted = /^[0-9a-f]{32}$/;

export function createIds({ items }: Host): Ids {
  return {
    introduce: (id, name, signal) => items.put(idKey(id), { text: name, overAt: null }, signal),
    forget: async (id, signal) => {
      if (accepted.test(id)) await items.remove(idKey(id), null, signal);
    },
    nameOf: async (id, signal) => {
      if (telling.test(id)) return id.slice(0, 32) as Name;
      // what else is typed may not even be the name of a partition
      if (!accepted.test(id)) return null;
      return ((await items.get(idKey(id), signal))?.text ?? null) as Name | null;
    },
  };
}

function idKey(id: WorkId): ItemKey {
  return { partition: `id ${id}`, row: "" };
}
