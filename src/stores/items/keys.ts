import { randomUUID } from "node:crypto";
import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import type { WorkRequest } from "../../contract/ledger.ts";
import { type Document, decode, type Kept } from "./document.ts";
import type { Host } from "./host.ts";
import type { Item, ItemKey } from "./item-store.ts";
import type { Moment } from "./store-clock.ts";
import { told, type Works, written } from "./works.ts";

/**
 * Whose a caller's key is. Two items decide it together: the key's own, which names one work, and the work's, which lists
 * its keys. A key belongs to the work that it names and that lists it; one whose work is gone, or does not list it, is free.
 *
 * Whoever takes a key lists it first and then writes the key's item: anew, or over one that names a work which does not
 * list it. That one may be about to list it, and would then write the item too: also where it names that work already.
 * So of two who take a key one finds it written by the other, whose work lists it, and gives way. No clock has a part in it.
 *
 * Until it is seen to be taken the work says who is taking it, so that whoever gives way takes its own entry back alone.
 */

/** What stops a work from keeping what it lists: past its keep, it is cleared before its keys are another's. */
export interface Clearing {
  readonly isOver: (work: Document, moment: Moment, signal: AbortSignal) => Promise<boolean>;
  /** False: it was changed since. */
  readonly clear: (work: Document, kept: Kept, signal: AbortSignal) => Promise<boolean>;
}

export interface Keys {
  /** Writes the item of a key that the work lists. False: it is another work's, and nothing was written. */
  readonly take: (key: Name, name: Name, signal: AbortSignal) => Promise<boolean>;
  /** Lists a further key and takes it. False: it is another work's. `null`: the work is gone or changed; look again. */
  readonly bind: (request: WorkRequest, by: AttemptId | WorkId, signal: AbortSignal) => Promise<boolean | null>;
  /** Deletes the items of keys that name a work which is gone. */
  readonly free: (keys: Iterable<Name>, name: Name, signal: AbortSignal) => Promise<void>;
  /** The work that the key belongs to, if it is one that is kept. Of `own` it is known that it lists the key, or does not. */
  readonly ownerOf: (key: Name, own: Name, signal: AbortSignal) => Promise<Name | null>;
}

export function createKeys({ items, clock }: Host, works: Works, clearing: Clearing): Keys {
  const take: Keys["take"] = async (key, name, signal) => {
    const content = { text: `${name} ${randomUUID()}`, overAt: null };
    for (;;) {
      if ((await items.insert(keyOf(key), content, signal)) !== null) return true;
      const there = await items.get(keyOf(key), signal);
      if (there === null) continue;
      // clients repeat a request whose answer was lost
      if (there.text === content.text) return true;
      const named = namedBy(there);
      if (named !== name) {
        const kept = await works.read(named, signal);
        const holder = kept === null ? null : decode(kept.text);
        if (kept !== null && holder?.keys.has(key) === true) {
          if (!(await clearing.isOver(holder, clock.moment(), signal))) return false;
          // lest a further key lengthens it, and this one with it
          if (!(await clearing.clear(holder, kept, signal))) continue;
        }
      }
      if ((await items.replace(keyOf(key), content, there.tag, signal)) !== null) return true;
    }
  };

  return {
    take,
    bind: async ({ name, key, print, keepMs }, by, signal) => {
      if (key === null) return true;
      const list = await works.change(
        name,
        (work, { latest }) => {
          if (work.print.hash !== print.hash || work.print.version !== print.version) return told(false);
          work.keys.set(key, by);
          // a further key lives as long as its work, so the work must live as long as this key's promise
          work.keepUntil = Math.max(work.keepUntil, latest + keepMs);
          return written(true);
        },
        signal,
      );
      if (list === null || !list.answer) return null;
      const isTaken = await take(key, name, signal);
      const seen = await works.change(
        name,
        (work) => {
          if (isTaken) {
            // somebody gave way in between, and may have let another in
            if (!work.keys.has(key)) return told(false);
            work.keys.set(key, null);
          } else {
            if (work.keys.get(key) !== by) return told(true);
            work.keys.delete(key);
          }
          return written(true);
        },
        signal,
        list.kept,
      );
      if (!isTaken) return false;
      return seen?.answer === true ? true : null;
    },
    free: async (keys, name, signal) => {
      for (const key of keys) {
        const there = await items.get(keyOf(key), signal);
        if (there !== null && namedBy(there) === name) await items.remove(keyOf(key), there.tag, signal);
      }
    },
    ownerOf: async (key, own, signal) => {
      const there = await items.get(keyOf(key), signal);
      if (there === null) return null;
      const named = namedBy(there);
      if (named === own) return own;
      const kept = await works.read(named, signal);
      if (kept === null) return null;
      const work = decode(kept.text);
      const isOwner = work.keys.has(key) && !(await clearing.isOver(work, clock.moment(), signal));
      return isOwner ? work.name : null;
    },
  };
}

/** The item says whose the key is, and by which write. */
function namedBy({ text }: Item): Name {
  return text.split(" ", 1)[0] as Name;
}

function keyOf(key: Name): ItemKey {
  return { partition: `key ${key}`, row: "" };
}
