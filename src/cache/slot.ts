import type { CacheCounters } from "./counters.ts";
import type { CheckedScope, Key } from "./key.ts";

/** What memory holds for one key: a value, a permission to store one, the mark of a failed load, or several of them. */
export interface Slot {
  readonly kind: "slot";
  readonly owner: SlotOwner;
  readonly key: Key;
  readonly scope: CheckedScope;
  newer: Slot | undefined;
  older: Slot | undefined;

  value: unknown;
  /** The value as an already resolved promise, so that a hit allocates nothing. */
  answer: Promise<unknown> | undefined;
  /** When the value's load began. All instants are the clock's monotonic ones. */
  began: number;
  freshUntil: number;
  /** The end of the stale window. `never`: there is no value. */
  staleUntil: number;

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
  reads: number;
  /** Reads, halved with time; kept by the refresher. */
  heat: number;
  readsInHeat: number;
  /** When the refresher last found that it had been read. */
  readAt: number;
}

/** The cache that a slot belongs to. */
export interface SlotOwner {
  readonly slots: Map<Key, Slot>;
  readonly counters: CacheCounters;
}

const never = Number.NEGATIVE_INFINITY;
const none = 0;

export function createSlot(owner: SlotOwner, key: Key, scope: CheckedScope): Slot {
  return {
    kind: "slot",
    owner,
    key,
    scope,
    newer: undefined,
    older: undefined,
    value: undefined,
    answer: undefined,
    began: never,
    freshUntil: never,
    staleUntil: never,
    permission: none,
    permittedUntil: never,
    failure: undefined,
    retryAt: never,
    triedAt: never,
    reads: 0,
    heat: 0,
    readsInHeat: 0,
    readAt: never,
  };
}

/** No two permissions of a process are equal, so one that was taken away never comes back. */
let lastPermission: number = none;

/** Takes out the slot's permission, or joins the one that stands. */
export function permit(slot: Slot, until: number): number {
  if (slot.permission === none) {
    lastPermission += 1;
    slot.permission = lastPermission;
  }
  slot.permittedUntil = Math.max(slot.permittedUntil, until);
  return slot.permission;
}

/** A load that ended gives its permission back, where it still stands. */
export function giveBack(slot: Slot): void {
  slot.permission = none;
  slot.permittedUntil = never;
}

export function isPermitted(slot: Slot | undefined, permission: number): slot is Slot {
  return slot !== undefined && slot.permission === permission;
}

/** How long values live, in milliseconds. */
export interface Life {
  readonly freshMs: number;
  readonly staleMs: number;
  readonly jitter: number;
  /** 0 to 1, 1 excluded. */
  readonly random: () => number;
}

/** Puts a value in. Its life counts from the start of its load: what the load read may be as old as that. */
export function fill(slot: Slot, value: unknown, began: number, life: Life): void {
  slot.value = value;
  slot.answer = Promise.resolve(value);
  slot.began = began;
  slot.triedAt = Math.max(slot.triedAt, began);
  slot.freshUntil = began + life.freshMs * (1 - life.jitter * life.random());
  slot.staleUntil = slot.freshUntil + life.staleMs;
  endBackOff(slot);
  giveBack(slot);
}

/** From now on the value is stale, for as long as the stale window lasts and no longer than it would have been. */
export function outdate(slot: Slot, now: number, life: Life): void {
  giveBack(slot);
  endBackOff(slot);
  slot.freshUntil = never;
  slot.staleUntil = Math.min(slot.staleUntil, now + life.staleMs);
}

export function fail(slot: Slot, error: unknown, retryAt: number): void {
  giveBack(slot);
  slot.failure = error;
  slot.retryAt = retryAt;
}

function endBackOff(slot: Slot): void {
  slot.failure = undefined;
  slot.retryAt = never;
}
