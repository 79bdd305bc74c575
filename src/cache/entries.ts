import type { Clock } from "../base/clock.ts";
import type { Accepted, Known } from "./accept.ts";
import type { ChangeVerb } from "./change.ts";
import type { CacheSettings } from "./check.ts";
import type { CacheCounters } from "./counters.ts";
import type { Previous } from "./flights.ts";
import { type Keys, matches, type Scope } from "./key.ts";
import { createGroups } from "./memory/groups.ts";
import type { Memory } from "./memory/memory.ts";
import { createScopeIndex, type ScopeIndex } from "./memory/scope-index.ts";
import { never, type Parts, type Pending, phase } from "./memory/slots.ts";

/** What memory holds of one cache, and the fence that keeps out what was read before a change. */
export interface Entries {
  readonly index: ScopeIndex<number>;
  /** The answer of a fresh value that nothing is due for, counted: the way of nearly every hit. */
  readonly hit: (scope: Scope) => Promise<unknown> | undefined;
  /** The value that may be served now, fresh or stale. Its groups are looked at first. */
  readonly find: (parts: Parts, at: number) => Served | undefined;
  /** Counts a read that is answered from memory. */
  readonly read: (served: Served) => void;
  /** Tells the sampler of a read that memory had no answer for. */
  readonly missed: (parts: Parts) => void;
  readonly pending: (parts: Parts) => Pending | undefined;
  /** Takes out the permission to store what a load is about to read. */
  readonly permit: (parts: Parts, at: number, until: number) => Fence;
  /** The value that stands, if its source can say whether it still holds. */
  readonly previous: (parts: Parts) => Previous | undefined;
  /** Stores what a load brought, if nothing changed since it took its permission out. */
  readonly store: (parts: Parts, fence: Fence, accepted: Accepted, began: number) => boolean;
  /** Puts a value in that is newer than all that loads may bring. */
  readonly put: (parts: Parts, accepted: Accepted, at: number) => void;
  /** Gives the permission back and leaves the mark of the failure, until `retryAt`. */
  readonly fail: (parts: Parts, fence: Fence, error: unknown, retryAt: number) => void;
  readonly change: (verb: ChangeVerb, parts: Parts, at: number) => void;
  /** Changes all entries that these parts of their scope mean; values of a known kind when they are next read. */
  readonly changeWhere: (verb: ChangeVerb, named: readonly string[], parts: Scope, at: number) => void;
  readonly changeTag: (verb: ChangeVerb, tag: string, at: number) => void;
  readonly clear: () => void;
  /** Where the value stands, for whoever looks closer within the same tick. */
  readonly place: (parts: Parts) => number | undefined;
}

/** A value as memory holds it at the moment of a read. */
export interface Served {
  readonly place: number;
  readonly parts: Parts;
  readonly value: unknown;
  readonly state: "fresh" | "stale";
  readonly ageMs: number;
}

/** What a load noted before it read the source. */
export interface Fence {
  /** 0: it may not store. */
  readonly permission: number;
  /** How many changes of groups had happened. */
  readonly horizon: number;
}

export interface EntriesOptions {
  readonly names: readonly string[];
  readonly settings: CacheSettings;
  readonly keys: Keys;
  readonly counters: CacheCounters;
  readonly memory: Memory;
  readonly clock: () => Clock;
  /** The clock as a hit reads it. */
  readonly now: () => number;
  readonly random: () => number;
  /** False: nothing is kept. */
  readonly keeps: boolean;
  readonly left: (reason: "full" | "expired") => void;
}

export function createEntries(options: EntriesOptions): Entries & { readonly id: number } {
  const { names, settings, keys, counters, memory, now, random, keeps } = options;
  const { slots } = memory;
  const groups = createGroups();
  const index = createScopeIndex<number>(names, (place) => slots.parts[place]);
  const id = memory.join({ index, groups, left: options.left }, settings.protect);

  /** `undefined`: memory has no room for it. */
  const slotOf = (parts: Parts): number | undefined => {
    const place = index.get(parts);
    if (place === undefined) return memory.add(id, parts);
    memory.touch(place);
    return place;
  };

  /** From here on the value is known to hold, and in which groups it stands. */
  const attach = (place: number, known: Known | undefined): void => {
    const before = slots.attachments.get(place);
    const held = groups.hold(keys.scope(slots.parts[place]), known?.tags ?? []);
    if (before !== undefined) groups.release(before.groups);
    if (held.length > 0 || known !== undefined) {
      slots.attachments.set(place, { known, groups: held, horizon: groups.sequence });
    } else slots.attachments.delete(place);
    slots.checked[place] = groups.sequence;
  };
  const keep = (place: number, accepted: Accepted, began: number): void => {
    const { value, known } = accepted;
    const declared = known?.freshMs ?? (value === undefined ? settings.absentMs : settings.freshMs);
    const freshMs = declared * (1 - settings.jitter * random());
    const isEarly = settings.beta > 0 && accepted.isLoaded;
    attach(place, known);
    memory.fill(place, value, {
      began,
      freshMs,
      staleMs: settings.staleMs,
      // in the middle of its life it is known how often it is read
      calmUntil: began + (isEarly ? freshMs / 2 : freshMs),
      phase: isEarly ? phase.review : phase.settled,
    });
  };

  const outdate = (place: number, at: number): void => {
    slots.outdate(place, at, settings.staleMs);
    memory.moved(place);
  };
  /** The slot as its groups leave it: what they purged is gone, what they expired is stale. */
  const verified = (place: number): number | undefined => {
    if (slots.checked[place] === groups.sequence) return place;
    const attachment = slots.attachments.get(place);
    if (attachment !== undefined) {
      const standing = groups.standing(attachment);
      if (standing.is === "purged") {
        memory.remove(place);
        return undefined;
      }
      if (standing.is === "expired") outdate(place, standing.at);
      attachment.horizon = groups.sequence;
    }
    slots.checked[place] = groups.sequence;
    return place;
  };
  const placeOf = (parts: Parts): number | undefined => {
    const place = index.get(parts);
    return place === undefined ? undefined : verified(place);
  };

  const change = (verb: ChangeVerb, parts: Parts, at: number): void => {
    const place = placeOf(parts);
    if (place === undefined) return;
    if (verb === "expire") outdate(place, at);
    if (verb === "purge" || !(at < slots.staleUntil(place))) memory.remove(place);
  };

  return {
    id,
    index,
    place: placeOf,
    hit: (scope) => {
      const place = index.find(scope);
      if (place === undefined) return undefined;
      const { sequence } = groups;
      // where no group ever changed, a hit looks at no number of changes
      if (sequence !== 0 && slots.checked[place] !== sequence) return undefined;
      const answer = slots.hit(place, now());
      if (answer !== undefined) counters.memory += 1;
      return answer;
    },
    find: (parts, at) => {
      const place = placeOf(parts);
      if (place === undefined || !slots.has(place) || !(at < slots.staleUntil(place))) return undefined;
      const state = at < slots.freshUntil(place) ? "fresh" : "stale";
      return { place, parts, value: slots.value(place), state, ageMs: slots.age(place, at) };
    },
    read: ({ place, state }) => {
      void slots.answer(place);
      counters[state === "fresh" ? "memory" : "stale"] += 1;
    },
    missed: (parts) => memory.missed(id, parts),
    pending: (parts) => {
      const place = index.get(parts);
      return place === undefined ? undefined : slots.pending.get(place);
    },
    permit: (parts, at, until) => {
      const place = slotOf(parts);
      return { permission: place === undefined ? 0 : slots.permit(place, at, until), horizon: groups.sequence };
    },
    previous: (parts) => {
      const place = placeOf(parts);
      const known = place === undefined ? undefined : slots.attachments.get(place)?.known;
      if (place === undefined || known?.etag === undefined || !slots.has(place)) return undefined;
      return { value: slots.value(place), known };
    },
    store: (parts, fence, accepted, began) => {
      const place = index.get(parts);
      if (!slots.isPermitted(place, fence.permission)) return false;
      if (!groups.hasStood(accepted.known?.tags ?? [], fence.horizon)) {
        // a load that began after the change may share the permission, but nobody waits for this one any more
        slots.pendingOf(place).permittedUntil = never;
        return false;
      }
      if (keeps) keep(place, accepted, began);
      else memory.remove(place);
      return true;
    },
    put: (parts, accepted, at) => {
      const place = keeps ? slotOf(parts) : undefined;
      if (place !== undefined) keep(place, accepted, at);
    },
    fail: (parts, fence, error, retryAt) => {
      const place = index.get(parts);
      if (slots.isPermitted(place, fence.permission)) slots.fail(place, error, retryAt);
    },
    change,
    changeWhere: (verb, named, parts, at) => {
      const isMeant = (place: number) => matches(keys.scope(slots.parts[place]), parts, named);
      if (groups.isGrouped(named)) {
        groups.changeScopes(verb, named, parts, at);
        for (const place of [...slots.pending.keys()]) {
          if (slots.owners[place] === id && isMeant(place)) slots.revoke(place);
        }
        return;
      }
      // the first change of its kind goes through all entries; from then on each knows its group
      for (const place of [...index.values()]) if (isMeant(place)) change(verb, slots.parts[place], at);
      if (!groups.groupBy(named)) return;
      for (const place of [...index.values()]) {
        if (slots.has(place) && verified(place) !== undefined) {
          attach(place, slots.attachments.get(place)?.known);
        }
      }
    },
    changeTag: (verb, tag, at) => groups.changeTag(verb, tag, at),
    clear: () => {
      for (const place of [...index.values()]) memory.remove(place);
    },
  };
}
