import { defaults } from "../../base/defaults.ts";
import type { AttemptId, Name } from "../../base/names.ts";
import type { Fence } from "../../contract/ledger.ts";
import { holds } from "../work.ts";
import { type Document, decode, encode, type Kept, workKey } from "./document.ts";
import type { Host } from "./host.ts";
import type { Moment } from "./store-clock.ts";

/** What was decided over a document as it stood at that moment. */
export interface Decision<T> {
  readonly answer: T;
  readonly writes: boolean;
  /**
   * Sets what must not end too early once more, should the store's clock have been later than was known. Called for the
   * same attempt's work only.
   */
  readonly restamp?: ((work: Document, moment: Moment) => void) | undefined;
}

export type Decide<T> = (work: Document, moment: Moment) => Decision<T> | Promise<Decision<T>>;

export function told<T>(answer: T): Decision<T> {
  return { answer, writes: false };
}

export function written<T>(answer: T, restamp?: Decision<T>["restamp"]): Decision<T> {
  return { answer, writes: true, restamp };
}

/** Reads and changes works, each in one item, by compare-and-set. */
export interface Works {
  readonly read: (name: Name, signal: AbortSignal) => Promise<Kept | null>;
  /** Writes a work that is not there yet; `null`: one is. */
  readonly insert: (work: Document, signal: AbortSignal) => Promise<Kept | null>;
  /**
   * Decides over the work until nobody comes between, and writes what was decided. `from`: as it was seen last; left out: it
   * is read. `null`: there is no such work.
   */
  readonly change: <T>(
    name: Name,
    decide: Decide<T>,
    signal: AbortSignal,
    from?: Kept,
  ) => Promise<{ readonly answer: T; readonly kept: Kept } | null>;
  /** The same for an owner, whose own document most often needs no read. `null`: it is not the owner's any more. */
  readonly changeOwn: <T>(fence: Fence, decide: Decide<T>, signal: AbortSignal) => Promise<T | null>;
  /** Deletes it as it was seen. False: it was changed since. */
  readonly remove: (name: Name, kept: Kept, signal: AbortSignal) => Promise<boolean>;
  /** Remembers an owner's document as it was written. */
  readonly hold: (attempt: AttemptId, kept: Kept) => void;
  readonly letGo: (attempt: AttemptId) => void;
}

export function createWorks({ items, clock, check }: Host): Works {
  const held = new Map<AttemptId, Kept>();

  const hold: Works["hold"] = (attempt, kept) => {
    held.delete(attempt);
    held.set(attempt, kept);
    if (held.size <= defaults.items.heldDocuments) return;
    for (const oldest of held.keys()) {
      held.delete(oldest);
      return;
    }
  };

  const read: Works["read"] = (name, signal) => items.get(workKey(name), signal);

  const change: Works["change"] = async (name, decide, signal, from) => {
    for (let seen = from ?? (await read(name, signal)); seen !== null; ) {
      const kept: Kept = seen;
      const work = decode(kept.text);
      const jumps = clock.jumps();
      const { answer, writes, restamp } = await decide(work, clock.moment());
      if (!writes) return { answer, kept };
      const content = check(encode(work), work.about.operation);
      const tag = await items.replace(workKey(name), content, kept.tag, signal);
      if (tag === null) {
        // clients repeat a request whose answer was lost: the other that came before may have been this one
        seen = await read(name, signal);
        if (seen === null || decode(seen.text).mark !== work.mark) continue;
      } else seen = { text: content.text, tag };
      const now: Kept = seen;
      if (restamp === undefined || jumps === clock.jumps()) return { answer, kept: now };
      const again: Decide<unknown> = (there, moment) => {
        if (there.attempt !== work.attempt || there.state !== work.state) return told(null);
        restamp(there, moment);
        return written(null, restamp);
      };
      return { answer, kept: (await change(name, again, signal, now))?.kept ?? now };
    }
    return null;
  };

  return {
    read,
    insert: async (work, signal) => {
      const content = check(encode(work), work.about.operation);
      const tag = await items.insert(workKey(work.name), content, signal);
      return tag === null ? null : { text: content.text, tag };
    },
    change,
    changeOwn: async (fence, decide, signal) => {
      const decideOwn: Decide<Awaited<ReturnType<typeof decide>>["answer"] | null> = (work, moment) =>
        holds(work, fence) ? decide(work, moment) : told(null);
      const own = held.get(fence.attempt);
      let changed = await change(fence.name, decideOwn, signal, own);
      // what is told, and not written, must not rest on what was remembered
      if (own !== undefined && changed?.kept === own) changed = await change(fence.name, decideOwn, signal);
      if (changed === null || changed.answer === null) {
        held.delete(fence.attempt);
        return null;
      }
      hold(fence.attempt, changed.kept);
      return changed.answer;
    },
    remove: (name, kept, signal) => items.remove(workKey(name), kept.tag, signal),
    hold,
    letGo: (attempt) => held.delete(attempt),
  };
}
