import { RepriseError } from "../../base/errors.ts";
import { hashOf } from "../../base/hash.ts";
import { encodeKey } from "../key.ts";
import { createLfu } from "./eviction/lfu.ts";
import { createLru } from "./eviction/lru.ts";
import { createNearestExpiry } from "./eviction/nearest-expiry.ts";
import type { EvictionPolicy } from "./eviction/policy.ts";
import { createWeights } from "./eviction/weights.ts";
import type { Sampler } from "./sampler.ts";
import { sizeOf } from "./size.ts";
import { leastNotes, mostNotes, type Parts, type SlotOwner, Slots, type ValueLife } from "./slots.ts";

/** Who leaves when memory is full. */
export type Eviction = "lru" | "lfu" | "nearest-expiry";

export interface Bound {
  readonly unit: "entries" | "bytes";
  readonly most: number;
}

/** The slots of all caches of an instance, never more than the bound. */
export interface Memory {
  readonly bound: Bound;
  readonly eviction: Eviction;
  readonly slots: Slots;
  readonly entries: () => number;
  /** What the entries weigh, in bytes; estimated, `null` where the bound counts entries. */
  readonly bytes: () => number | null;
  readonly sampler: Sampler | undefined;
  /** The number by which the slots know their cache. */
  readonly join: (owner: SlotOwner, protect: boolean) => number;
  readonly touch: (place: number) => void;
  /**
   * A new slot of a cache that has none for these parts. Others leave if memory is full; `undefined`: all others are
   * protected, or the key alone is larger than the bound, so there is no room for it.
   */
  readonly add: (owner: number, parts: Parts) => number | undefined;
  /** Puts a value in and makes room for it. A value larger than the bound does not stay. */
  readonly fill: (place: number, value: unknown, life: ValueLife) => void;
  readonly remove: (place: number) => void;
  /** The expiry of a slot is another. */
  readonly moved: (place: number) => void;
  readonly hash: (owner: number, parts: Parts) => number;
  /** Tells the sampler of a read that memory had no answer for. */
  readonly missed: (owner: number, parts: Parts) => void;
  /** Looks at some entries, in turn, and takes out those that expired. The share of them, 0 to 1. */
  readonly sweep: (now: number, most: number) => number;
}

export interface MemoryOptions {
  readonly bound: Bound;
  readonly eviction: Eviction;
  readonly sampler?: Sampler | undefined;
  /** Varies which keys share a place in the sketch, so that nobody can choose them. */
  readonly seed: number;
}

/** What an entry costs beside its key and its value: its columns, its promise, its places in Map and policy. */
const overheadBytes = 200;
/** Entries of other caches keep this share of memory, and one at least, however much the protected ones could use. */
const unprotectedShare = 0.05;

export function createMemory({ bound, eviction, sampler, seed }: MemoryOptions): Memory {
  if (!(Number.isInteger(bound.most) && bound.most >= 1)) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: "memory.maxEntries",
      why: "it is no whole number above zero.",
      mend: "Say how many entries memory may hold.",
    });
  }
  const slots = new Slots();
  const owners: { readonly owner: SlotOwner; readonly policy: EvictionPolicy }[] = [];
  const inBytes = bound.unit === "bytes";
  const byExpiry = eviction === "nearest-expiry";
  const unprotectedMost = Math.max(1, bound.most * unprotectedShare);
  const sampledBytes = new Map<number, number>();
  /** What each slot weighs where the bound is in bytes: a value is looked at once. */
  const weights = createWeights();
  let entries = 0;

  const create = (): EvictionPolicy => {
    if (eviction === "lru") return createLru();
    if (eviction === "lfu") return createLfu({ maxWeight: bound.most });
    return createNearestExpiry((place) => slots.staleUntil(place));
  };
  const ordinary = create();
  let high: EvictionPolicy | undefined;

  const at = (owner: number) => owners[owner] as (typeof owners)[number];
  const ownerOf = (place: number) => at(slots.owners[place] as number);
  const weight = () => ordinary.weight() + (high?.weight() ?? 0);

  const forget = (place: number): void => {
    const { owner } = ownerOf(place);
    owner.index.delete(slots.parts[place]);
    const attachment = slots.attachments.get(place);
    if (attachment !== undefined) owner.groups.release(attachment.groups);
    slots.release(place);
    sampledBytes.delete(place);
    entries -= 1;
  };
  const makeRoom = (): void => {
    while (weight() > bound.most) {
      const protectedGoes = high !== undefined && high.weight() > 0 && ordinary.weight() <= unprotectedMost;
      const place = (protectedGoes ? high : ordinary)?.evict() ?? -1;
      if (place < 0) return;
      const { owner } = ownerOf(place);
      const held = slots.has(place);
      forget(place);
      if (held) owner.left("full");
    }
  };
  const bytesOf = (place: number, value: unknown): number => overheadBytes + sizeOf(slots.parts[place]) + sizeOf(value);
  const weightOf = (place: number): number => (inBytes ? weights.of(place) : 1);
  const isSampled = (place: number): boolean =>
    sampler !== undefined && (slots.hashes[place] as number) < sampler.threshold();

  /**
   * A hit of a hot key costs a bit, and cold ones are told one after the other, where the processor fetches several at a
   * time.
   */
  const tell = (): void => {
    slots.takeNotes((place) => ownerOf(place).policy.touch(place));
    slots.notesAtMost = Math.min(mostNotes, Math.max(leastNotes, entries >> 6));
  };
  /** While memory is no more than half full nobody leaves, and policies are told of nothing. */
  const listenIfFull = (): void => slots.listen(weight() * 2 > bound.most);
  slots.tell = tell;
  slots.record = (place) => {
    const hash = slots.hashes[place] as number;
    const bytes = sampledBytes.get(place) ?? 0;
    if (sampler?.record(hash, slots.owners[place] as number, bytes) !== true) slots.watch(place, false);
  };

  let cursor: Iterator<number> = [][Symbol.iterator]();
  let swept = 0;
  const next = (): number | undefined => {
    for (let turns = 0; turns <= owners.length; turns += 1) {
      const step = cursor.next();
      if (step.done !== true) return step.value;
      if (owners.length === 0) return undefined;
      swept = (swept + 1) % owners.length;
      cursor = at(swept).owner.index.values()[Symbol.iterator]();
    }
    return undefined;
  };

  const memory: Memory = {
    bound,
    eviction,
    slots,
    sampler,
    entries: () => entries,
    bytes: () => (inBytes ? weight() : null),
    join: (owner, protect) => {
      if (protect) high ??= create();
      owners.push({ owner, policy: protect && high !== undefined ? high : ordinary });
      return owners.length - 1;
    },
    hash: (owner, parts) => hashOf(encodeKey(parts), seed + owner) >>> 0,
    touch: (place) => ownerOf(place).policy.touch(place),
    missed: (owner, parts) => {
      const hash = memory.hash(owner, parts);
      if (sampler === undefined || hash >= sampler.threshold()) return;
      const place = at(owner).owner.index.get(parts);
      sampler.record(hash, owner, place === undefined ? 0 : (sampledBytes.get(place) ?? 0));
    },
    add: (owner, parts) => {
      const { policy, owner: of } = at(owner);
      tell();
      const place = slots.take(owner, parts, memory.hash(owner, parts));
      of.index.set(parts, place);
      entries += 1;
      if (inBytes) weights.set(place, bytesOf(place, undefined));
      policy.add(place, slots.hashes[place] as number, weightOf(place));
      makeRoom();
      listenIfFull();
      return of.index.get(parts);
    },
    fill: (place, value, life) => {
      // the answer itself, where the source said that its value still holds: it weighs what it did
      const isKept = value !== undefined && slots.has(place) && slots.value(place) === value;
      slots.fill(place, value, life);
      const watches = isSampled(place);
      slots.watch(place, watches);
      const bytes = !isKept && (inBytes || watches) ? bytesOf(place, value) : 0;
      if (inBytes && bytes > bound.most) {
        // else all others would leave before it
        const { owner } = ownerOf(place);
        memory.remove(place);
        owner.left("full");
        return;
      }
      if (watches && !isKept) sampledBytes.set(place, bytes);
      if (inBytes && !isKept) weights.set(place, bytes);
      if (inBytes || byExpiry) ownerOf(place).policy.update(place, weightOf(place));
      makeRoom();
      if (inBytes) listenIfFull();
    },
    remove: (place) => {
      ownerOf(place).policy.remove(place);
      forget(place);
    },
    moved: (place) => {
      if (byExpiry) ownerOf(place).policy.update(place, weightOf(place));
    },
    sweep: (now, most) => {
      let looked = 0;
      let left = 0;
      for (; looked < most && looked < entries + left; looked += 1) {
        const place = next();
        if (place === undefined) break;
        if (now < slots.staleUntil(place)) continue;
        // a load under way, or the back-off after one, is still of use
        const pending = slots.pending.get(place);
        if (pending !== undefined && (now < pending.permittedUntil || now < pending.retryAt)) continue;
        const { owner } = ownerOf(place);
        const held = slots.has(place);
        memory.remove(place);
        if (held) owner.left("expired");
        left += 1;
      }
      return looked === 0 ? 0 : left / looked;
    },
  };
  return memory;
}
