import type { Clock } from "../base/clock.ts";
import type { Key } from "./key.ts";
import type { Slot } from "./slot.ts";

/** Keeps the most read keys of one cache fresh in the background. */
export interface Refresher {
  readonly start: () => void;
  readonly stop: () => void;
}

export interface RefresherOptions {
  readonly hottest: number;
  readonly everyMs: number;
  readonly clock: () => Clock;
  readonly slots: ReadonlyMap<Key, Slot>;
  /** Begins the refresh of one slot; false where nothing was begun. */
  readonly refresh: (slot: Slot) => boolean;
}

/** How often in `every` the hottest keys are chosen anew: each choice looks at every slot of the cache. */
const choicesInEvery = 10;
/** A read counts half after `every`. */
const heatKept = 0.5 ** (1 / choicesInEvery);
/** A key that nobody has read for so many times `every` falls out until it is read again. */
const everyWithoutRead = 2;

/**
 * One key at most is refreshed at each tick, and there are `hottest` ticks in `every`: so many keys can all be refreshed
 * once in it, and the source never sees two of them together. A tick that a busy process missed is left out.
 */
export function createRefresher(options: RefresherOptions): Refresher {
  const { hottest, everyMs, clock, slots } = options;
  const intervalMs = everyMs / hottest;
  let hot: Slot[] = [];
  let chosenAt = Number.NEGATIVE_INFINITY;
  let nextAt = 0;
  let cancel: (() => void) | undefined;

  const choose = (now: number): void => {
    if (now - chosenAt < everyMs / choicesInEvery) return;
    chosenAt = now;
    const read: Slot[] = [];
    for (const slot of slots.values()) {
      const reads = slot.reads - slot.readsInHeat;
      slot.heat = slot.heat * heatKept + reads;
      slot.readsInHeat = slot.reads;
      if (reads > 0) slot.readAt = now;
      if (slot.answer !== undefined && now - slot.readAt < everyWithoutRead * everyMs) read.push(slot);
    }
    if (read.length > hottest) read.sort((a, b) => b.heat - a.heat);
    hot = read.slice(0, hottest);
  };

  /**
   * The key that was tried longest ago, as soon as waiting for the next tick would make it or one behind it late. So keys
   * that were loaded together are spread out before the first of them is due, and fewer keys are not refreshed more often.
   */
  const pick = (now: number): Slot | undefined => {
    hot = hot.filter((slot) => slots.get(slot.key) === slot);
    const waiting = hot
      .filter((slot) => slot.answer !== undefined && now >= slot.retryAt)
      .sort((a, b) => a.triedAt - b.triedAt);
    const late = waiting.some((slot, place) => slot.triedAt + everyMs < now + (place + 1) * intervalMs);
    return late ? waiting[0] : undefined;
  };

  const tick = (): void => {
    const now = clock().monotonic();
    choose(now);
    const slot = pick(now);
    if (slot !== undefined) options.refresh(slot);
    nextAt += intervalMs;
    if (nextAt <= now) nextAt = now + intervalMs;
    // a timer that fired late does not bring the next one nearer than half an interval
    cancel = clock().timer(Math.max(nextAt - now, intervalMs / 2), tick);
  };

  return {
    start: () => {
      if (cancel !== undefined) return;
      nextAt = clock().monotonic() + intervalMs;
      cancel = clock().timer(intervalMs, tick);
    },
    stop: () => {
      cancel?.();
      cancel = undefined;
    },
  };
}
