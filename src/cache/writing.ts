import type { Accepted } from "./accept.ts";
import { encodeKey } from "./key.ts";
import type { Parts } from "./memory/slots.ts";

/** One write to the source, from before it is sent until nobody can say any more that it will arrive. */
export interface Writing {
  /** It arrived. The value is stored if nothing else touched the key meanwhile. */
  readonly arrived: (accepted: Accepted) => void;
  /** It came to nothing, or nobody knows: nothing is stored. */
  readonly failed: () => void;
}

/**
 * The writes under way in this process. No memory pressure forgets them: a load under a write stores nothing, as it may
 * have read either value, and a write is stored only if it was alone with its key from beginning to end.
 */
export interface Writers {
  readonly begin: (parts: Parts, end: (arrived: Accepted | undefined, isAlone: boolean) => void) => Writing;
  readonly isWritten: (key: string) => boolean;
  /** Something else changed the key. */
  readonly disturb: (parts: Parts) => void;
  readonly disturbAll: (isMeant: (parts: Parts) => boolean) => void;
  /** Resolves when no write is under way. */
  readonly drained: () => Promise<void>;
}

export function createWriters(): Writers {
  const writing = new Map<string, { readonly parts: Parts; writers: number; isAlone: boolean }>();
  let drained: (() => void)[] = [];
  return {
    begin: (parts, end) => {
      const key = encodeKey(parts);
      const mark = writing.get(key) ?? { parts, writers: 0, isAlone: true };
      writing.set(key, mark);
      mark.writers += 1;
      if (mark.writers > 1) mark.isAlone = false;
      const leave = (arrived: Accepted | undefined) => {
        mark.writers -= 1;
        if (mark.writers === 0) writing.delete(key);
        end(arrived, mark.isAlone && mark.writers === 0);
        if (writing.size > 0) return;
        for (const resolve of drained) resolve();
        drained = [];
      };
      return { arrived: leave, failed: () => leave(undefined) };
    },
    isWritten: (key) => writing.has(key),
    disturb: (parts) => {
      const mark = writing.size === 0 ? undefined : writing.get(encodeKey(parts));
      if (mark !== undefined) mark.isAlone = false;
    },
    disturbAll: (isMeant) => {
      for (const mark of writing.values()) if (isMeant(mark.parts)) mark.isAlone = false;
    },
    drained: () => (writing.size === 0 ? Promise.resolve() : new Promise((resolve) => drained.push(resolve))),
  };
}
