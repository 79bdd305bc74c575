import type { Clock } from "../base/clock.ts";
import type { ScopeIndex } from "./memory/scope-index.ts";
import type { Parts, Slots } from "./memory/slots.ts";

/** Keeps the most read keys of one cache fresh in the background. */
export interface Refresher {
  readonly start: () => void;
  readonly stop: () => void;
}

export interface RefresherOptions {
  readonly hottest: number;
  readonly everyMs: number;
  readonly clock: () => Clock;
  readonly slots: Slots;
  readonly index: ScopeIndex<number>;
  /** Begins the refresh of one key; false where nothing was begun. */
  readonly refresh: (parts: Parts) => boolean;
}

/** What is known of a key while its slot is the same. */
interface Heat {
  readonly place: number;
  readonly parts: Parts;
  /** Reads, halved with time. */
  heat: number;
  /** Of the value whose load began then. */
  began: number;
  readsSeen: number;
  /** When it was last found that it had been read. */
  readAt: number;
}

/** How often in `every` the hottest keys are chosen anew: each choice looks at every slot of the cache. */
const choicesInEvery = 10;
/** A read counts half after `every`. */
const heatKept = 0.5 ** (1 / choicesInEvery);
/** Slots looked at for a choice: a larger cache is gone through in turns, none of which holds the loop for long. */
const mostLooked = 10_000;
/** A key that nobody has read for so many times `every` falls out until it is read again. */
const everyWithoutRead = 2;

/**
 * One key at most is refreshed at each tick, and there are `hottest` ticks in `every`: so many keys can all be refreshed
 * once in it, and the source never sees two of them together. A tick that a busy process missed is left out.
 */
export function createRefresher(options: RefresherOptions): Refresher {
  const { hottest, everyMs, clock, slots, index } = options;
  const intervalMs = everyMs / hottest;
  const heats = new Map<number, Heat>();
  let cursor: Iterator<number> = [][Symbol.iterator]();
  let hot: Heat[] = [];
  let chosenAt = Number.NEGATIVE_INFINITY;
  let nextAt = 0;
  let cancel: (() => void) | undefined;

  const heatOf = (place: number, now: number): Heat => {
    const parts = slots.parts[place];
    const known = heats.get(place);
    // the place may have gone to another key
    if (known !== undefined && known.parts === parts) return known;
    // somebody's read loaded it
    return { place, parts, heat: 1, began: slots.began(place), readsSeen: 0, readAt: now };
  };

  /** Takes the hottest of those that were and of the next slots in turn. */
  const choose = (now: number): void => {
    if (now - chosenAt < everyMs / choicesInEvery) return;
    chosenAt = now;
    const read = new Set(hot);
    for (let looked = Math.min(index.size(), mostLooked); looked > 0; looked -= 1) {
      let step = cursor.next();
      if (step.done === true) {
        cursor = index.values()[Symbol.iterator]();
        step = cursor.next();
        if (step.done === true) break;
      }
      const heat = heatOf(step.value, now);
      count(heat, now);
      if (slots.has(heat.place) && now - heat.readAt < everyWithoutRead * everyMs) {
        heats.set(heat.place, heat);
        read.add(heat);
      } else {
        heats.delete(heat.place);
        read.delete(heat);
      }
    }
    const standing = [...read].filter(({ place, parts }) => index.get(parts) === place);
    if (standing.length > hottest) standing.sort((a, b) => b.heat - a.heat);
    hot = standing.slice(0, hottest);
  };

  const count = (heat: Heat, now: number): void => {
    const counted = slots.reads(heat.place);
    const began = slots.began(heat.place);
    const reads = began === heat.began ? counted - heat.readsSeen : counted;
    heat.began = began;
    heat.heat = heat.heat * heatKept + reads;
    heat.readsSeen = counted;
    if (reads > 0) heat.readAt = now;
  };

  /**
   * The key that was tried longest ago, as soon as waiting for the next tick would make it or one behind it late. So keys
   * that were loaded together are spread out before the first of them is due, and fewer keys are not refreshed more often.
   */
  const pick = (now: number): Heat | undefined => {
    hot = hot.filter(({ place, parts }) => index.get(parts) === place);
    const waiting = hot
      .filter(({ place }) => slots.has(place) && now >= (slots.pending.get(place)?.retryAt ?? now))
      .sort((a, b) => slots.triedAt(a.place) - slots.triedAt(b.place));
    const late = waiting.some(({ place }, turn) => slots.triedAt(place) + everyMs < now + (turn + 1) * intervalMs);
    return late ? waiting[0] : undefined;
  };

  const tick = (): void => {
    const now = clock().monotonic();
    choose(now);
    const due = pick(now);
    if (due !== undefined) options.refresh(due.parts);
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
