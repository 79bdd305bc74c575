import { AsyncLocalStorage } from "node:async_hooks";
import type { Scalar } from "../../base/scalar.ts";
import type { Known } from "../accept.ts";
import type { Group, Groups } from "./groups.ts";
import { HeldPromises } from "./held-promises.ts";
import type { ScopeIndex } from "./scope-index.ts";

/** The parts of a scope in declared order: the bare value of a scope of one name, else all of them. */
export type Parts = Scalar | undefined | readonly (Scalar | undefined)[];

/** The cache that a slot belongs to. */
export interface SlotOwner {
  readonly index: ScopeIndex<number>;
  readonly groups: Groups;
  /** A value left: memory was full, or its time was over. */
  readonly left: (reason: "full" | "expired") => void;
}

/** What only some slots have. */
export interface Attachment {
  readonly known: Known | undefined;
  /** Those of its scope and those that its value named. */
  readonly groups: readonly Group[];
  /** How many changes of groups had happened when the value was last known to hold. */
  horizon: number;
}

/** A load under way, or what is left of one that failed. */
export interface Pending {
  /**
   * The fence. A load notes it before it reads the source and stores only if it still stands here; every change takes it
   * away. A permission, not a veto: forgetting it costs a store, where a forgotten veto would let an old value in.
   */
  permission: number;
  permittedUntil: number;
  failure: unknown;
  /** Until then nobody asks the source again for a reader who found nothing. */
  retryAt: number;
  /** When a load last began, whatever came of it. */
  triedAt: number;
}

export const never = Number.NEGATIVE_INFINITY;

/** Reads that policies are told of together. */
export const mostNotes = 512;
export const leastNotes = 16;

/** Beside the number of reads: the slot stands among those that its policy is to be told of. */
const noted = 1;
/** What is held is the value's promise. */
const promised = 2;
/** The slot's key is not in the sample, so no read of it is recorded. */
const unwatched = 4;
const readsShift = 3;
const oneRead = 1 << readsShift;
/** Enough to tell what is read often, and no more than the column holds. */
const mostReads = 2 ** 30;
/** Once as many promises are held as may be, a value takes the oldest one's place at each read of so many. */
const readsForPlace = 64;
/** In the place of a value, where there is none: `undefined` is one. */
const vacant = Symbol("vacant");

/** No permission. */
const none = 0;

/** What the early refresh still has to do for a value: look at how often it is read, wait for its instant, or nothing. */
export const phase = { review: 0, drawn: 1, settled: 2 } as const;

/**
 * What memory holds, of all caches: a slot is a place, and each property of it a column. So an entry is no object that the
 * garbage collector visits and costs tens of bytes, and the two columns that a hit touches are dense: what is read often
 * stays in the processor's caches. A place is used again after its slot left: hold a scope across an await, never a place.
 * All instants are the clock's monotonic milliseconds.
 */
export class Slots {
  owners: Uint32Array = new Uint32Array(16);
  readonly parts: Parts[] = [];
  /** The value, or its promise. */
  readonly #held: unknown[] = [];
  /**
   * Two numbers a slot, side by side, so that a hit that compares the one and counts in the other touches one cache line.
   * The instant until which a hit needs nothing but what is held: one comparison for expiry and early refresh. And the
   * reads since the value came, with three marks.
   */
  #hits: Float64Array = new Float64Array(2 * 16);
  /** The owner's number of changes of groups up to which the value is known to hold. */
  checked: Float64Array = new Float64Array(16);
  readonly #promises = new HeldPromises();
  readonly #outside = AsyncLocalStorage.snapshot();
  readonly #notes = new Int32Array(mostNotes);
  #noted = 0;
  #listens = false;
  /** The marks of a slot whose hit has nothing left to do. */
  #settled = promised | unwatched;
  #freshUntil: Float64Array = new Float64Array(16);
  /** How long before `freshUntil` the value's load began, and how long after it the stale window ends. */
  lifeMs: Float32Array = new Float32Array(16);
  staleMs: Float32Array = new Float32Array(16);
  phases: Uint8Array = new Uint8Array(16);
  hashes: Uint32Array = new Uint32Array(16);
  readonly attachments = new Map<number, Attachment>();
  readonly pending = new Map<number, Pending>();
  readonly #free: number[] = [];
  #used = 0;

  take(owner: number, parts: Parts, hash: number): number {
    const place = this.#free.pop() ?? this.#used++;
    if (place >= this.owners.length) this.#grow();
    this.owners[place] = owner;
    this.parts[place] = parts;
    this.#held[place] = vacant;
    this.#hits[2 * place] = never;
    this.checked[place] = 0;
    this.#hits[2 * place + 1] = unwatched;
    this.#freshUntil[place] = never;
    this.lifeMs[place] = 0;
    this.staleMs[place] = 0;
    this.phases[place] = phase.settled;
    this.hashes[place] = hash;
    return place;
  }

  release(place: number): void {
    this.parts[place] = undefined;
    this.#demote(place);
    this.#held[place] = vacant;
    this.#hits[2 * place + 1] = 0;
    this.attachments.delete(place);
    this.pending.delete(place);
    this.#free.push(place);
  }

  /** A value is held, which may be `undefined`. */
  has(place: number): boolean {
    return this.#held[place] !== vacant;
  }

  value(place: number): unknown {
    return this.#isPromised(place) ? this.#promises.valueOf(place) : this.#held[place];
  }

  /** The answer of a value that nothing is due for, counted; `undefined`: take the longer way. */
  hit(place: number, now: number): Promise<unknown> | undefined {
    if (!(now < (this.#hits[2 * place] as number))) return undefined;
    const before = this.#hits[2 * place + 1] as number;
    if ((before & this.#settled) !== this.#settled || before >= mostReads) return this.answer(place);
    this.#hits[2 * place + 1] = before + oneRead;
    return this.#held[place] as Promise<unknown>;
  }

  /**
   * Counts a read and answers it. A value that is read again keeps its answer, an already resolved promise, so that its
   * hits allocate nothing.
   */
  answer(place: number): Promise<unknown> {
    const before = this.#hits[2 * place + 1] as number;
    if (before < mostReads) this.#hits[2 * place + 1] = before + oneRead;
    if (this.#listens && (before & noted) === 0) this.#note(place);
    if ((before & unwatched) === 0) this.record(place);
    if ((before & promised) !== 0) return this.#held[place] as Promise<unknown>;
    const again = before >= oneRead && (!this.#promises.isFull() || (before >> readsShift) % readsForPlace === 0);
    return again ? this.#promote(place) : Promise.resolve(this.#held[place]);
  }

  /** Whether the reads of a slot are recorded. */
  watch(place: number, watches: boolean): void {
    const before = this.#hits[2 * place + 1] as number;
    this.#hits[2 * place + 1] = watches ? before & ~unwatched : before | unwatched;
  }

  /** Called at each read of a slot that is watched. */
  record: (place: number) => void = () => {};

  /** Whether the policies are to be told of reads. While they are not, a hit writes nothing but its number of reads. */
  listen(listens: boolean): void {
    if (!listens && this.#listens) this.takeNotes(() => {});
    this.#listens = listens;
    this.#settled = listens ? noted | promised | unwatched : promised | unwatched;
  }

  /** How many reads are noted before the policies are told; few where few entries are held, so that their order is told. */
  notesAtMost = leastNotes;
  /** Called when so many are. */
  tell: () => void = () => {};

  /** Each slot that was read since, once, in the order of its first read; one that left is noted no longer. */
  takeNotes(each: (place: number) => void): void {
    for (let turn = 0; turn < this.#noted; turn += 1) {
      const place = this.#notes[turn] as number;
      const before = this.#hits[2 * place + 1] as number;
      this.#hits[2 * place + 1] = before & ~noted;
      // its place may be another's, who was noted already
      if ((before & noted) !== 0) each(place);
    }
    this.#noted = 0;
  }

  #note(place: number): void {
    this.#hits[2 * place + 1] = (this.#hits[2 * place + 1] as number) | noted;
    this.#notes[this.#noted++] = place;
    if (this.#noted >= this.notesAtMost) this.tell();
  }

  #isPromised(place: number): boolean {
    return ((this.#hits[2 * place + 1] as number) & promised) !== 0;
  }

  #promote(place: number): Promise<unknown> {
    const value = this.#held[place];
    const ours = Promise.resolve(value);
    // Under an AsyncLocalStorage, on Node 20, a promise holds the async context that it was made in, by a symbol: kept, it
    // would keep one reader's request alive. Promises made outside of it are slower to read, so only where it does.
    const promise = Object.getOwnPropertySymbols(ours).length === 0 ? ours : this.#outside(resolved, value);
    const before = this.#promises.hold(place, value);
    if (before !== undefined) this.#giveBack(before.place, before.value);
    this.#held[place] = promise;
    this.#hits[2 * place + 1] = (this.#hits[2 * place + 1] as number) | promised;
    return promise;
  }

  #demote(place: number): void {
    if (this.#isPromised(place)) this.#giveBack(place, this.#promises.drop(place));
  }

  #giveBack(place: number, value: unknown): void {
    this.#held[place] = value;
    this.#hits[2 * place + 1] = (this.#hits[2 * place + 1] as number) & ~promised;
  }

  calmUntil(place: number): number {
    return this.#hits[2 * place] as number;
  }

  calmUntilIs(place: number, at: number): void {
    this.#hits[2 * place] = at;
  }

  freshUntil(place: number): number {
    return this.#freshUntil[place] as number;
  }

  reads(place: number): number {
    return (this.#hits[2 * place + 1] as number) >> readsShift;
  }

  /** The end of the stale window; `never`: there is no value. */
  staleUntil(place: number): number {
    return this.freshUntil(place) + (this.staleMs[place] as number);
  }

  /** When the value's load began. */
  began(place: number): number {
    return this.freshUntil(place) - (this.lifeMs[place] as number);
  }

  /** What was rounded down of a long life must not make an age of less than nothing. */
  age(place: number, now: number): number {
    return Math.max(0, now - this.began(place));
  }

  /** When a load of it last began. */
  triedAt(place: number): number {
    return Math.max(this.pending.get(place)?.triedAt ?? never, this.began(place));
  }

  pendingOf(place: number): Pending {
    let pending = this.pending.get(place);
    if (pending === undefined) {
      pending = { permission: none, permittedUntil: never, failure: undefined, retryAt: never, triedAt: never };
      this.pending.set(place, pending);
    }
    return pending;
  }

  /** Takes out the slot's permission, or joins the one that stands. */
  permit(place: number, now: number, until: number): number {
    const pending = this.pendingOf(place);
    if (pending.permission === none) pending.permission = newPermission();
    pending.permittedUntil = Math.max(pending.permittedUntil, until);
    pending.triedAt = now;
    return pending.permission;
  }

  isPermitted(place: number | undefined, permission: number): place is number {
    return place !== undefined && permission !== none && this.pending.get(place)?.permission === permission;
  }

  /** Takes the permission away, and with it the mark of a failure: what changed deserves to be asked again. */
  revoke(place: number): void {
    this.pending.delete(place);
  }

  fail(place: number, error: unknown, retryAt: number): void {
    const pending = this.pendingOf(place);
    pending.permission = none;
    pending.permittedUntil = never;
    pending.failure = error;
    pending.retryAt = retryAt;
  }

  /** Puts a value in. Its life counts from the start of its load: what the load read may be as old as that. */
  fill(place: number, value: unknown, life: ValueLife): void {
    this.#demote(place);
    this.#held[place] = value;
    this.#hits[2 * place] = life.calmUntil;
    this.#hits[2 * place + 1] = (this.#hits[2 * place + 1] as number) & (noted | unwatched);
    this.#freshUntil[place] = life.began + life.freshMs;
    this.lifeMs[place] = atMost(life.freshMs);
    this.staleMs[place] = atMost(life.staleMs);
    this.phases[place] = life.phase;
    this.revoke(place);
  }

  /** From `at` on the value is stale, for as long as the stale window lasts and no longer than it would have been. */
  outdate(place: number, at: number, staleMs: number): void {
    const freshUntil = this.freshUntil(place);
    const until = Math.min(this.staleUntil(place), at + staleMs);
    const ends = Math.min(freshUntil, at);
    this.lifeMs[place] = atMost(Math.max(0, (this.lifeMs[place] as number) - (freshUntil - ends)));
    this.#freshUntil[place] = ends;
    this.#hits[2 * place] = never;
    this.staleMs[place] = atMost(Math.max(0, until - ends));
    this.phases[place] = phase.settled;
    this.revoke(place);
  }

  #grow(): void {
    const places = this.owners.length * 2;
    const larger = <A extends { set: (from: A) => void }>(of: new (length: number) => A, from: A, each = 1): A => {
      const column = new of(each * places);
      column.set(from);
      return column;
    };
    this.owners = larger(Uint32Array, this.owners);
    this.#hits = larger(Float64Array, this.#hits, 2);
    this.checked = larger(Float64Array, this.checked);
    this.#freshUntil = larger(Float64Array, this.#freshUntil);
    this.lifeMs = larger(Float32Array, this.lifeMs);
    this.staleMs = larger(Float32Array, this.staleMs);
    this.phases = larger(Uint8Array, this.phases);
    this.hashes = larger(Uint32Array, this.hashes);
  }
}

export interface ValueLife {
  readonly began: number;
  readonly freshMs: number;
  readonly staleMs: number;
  readonly calmUntil: number;
  readonly phase: number;
}

/** The nearest number of 32 bits that is no larger, seven digits of it: no stored window may outlast its value's. */
function atMost(ms: number): number {
  const nearest = Math.fround(ms);
  return nearest <= ms ? nearest : Math.fround(nearest * (1 - 2 ** -23));
}

/** No two permissions of a process are equal, so one that was taken away never comes back. */
let lastPermission: number = none;
function newPermission(): number {
  lastPermission += 1;
  return lastPermission;
}

function resolved(value: unknown): Promise<unknown> {
  return Promise.resolve(value);
}
