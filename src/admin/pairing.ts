/** One success: no part of it is a value. Instants in milliseconds since the epoch. */
export interface Success {
  /** What it is known by; two with one key are one success that was met twice. */
  readonly key: string;
  /** The same for all that were meant to bring about the same. */
  readonly same: string;
  readonly at: number;
}

/** Two successes next to each other in time. */
export interface Pair {
  readonly first: string;
  readonly second: string;
  readonly at: number;
  readonly apartMs: number;
}

export interface Found {
  /** How many, listed or not. */
  readonly pairs: number;
  /** The last of them, newest first. */
  readonly listed: readonly Pair[];
  /** How many successes were meant for one thing; 0 without a pair. */
  readonly largest: number;
  /** When the first and the last of the seconds were; `null` without a pair. */
  readonly from: number | null;
  readonly until: number | null;
  /** Of the pairs, the shortest and the longest time between two; `null` without a pair. */
  readonly shortestMs: number | null;
  readonly longestMs: number | null;
}

/** A chain of successes, each within the time of the one before. */
interface Group {
  at: number;
  last: string;
  size: number;
  /** When each was met; only those that a later one may still be near to. The oldest comes first. */
  readonly met: Map<string, number>;
}

/**
 * Finds successes that happened twice among those it is told of, in their order in time. It holds no more than those of the
 * last `withinMs`.
 */
export interface Pairing {
  readonly add: (success: Success) => void;
  readonly found: () => Found;
}

export function createPairing(withinMs: number, mostListed: number): Pairing {
  /** The one that was added to longest ago comes first. */
  const groups = new Map<string, Group>();
  const listed: Pair[] = [];
  let pairs = 0;
  let largest = 0;
  let from: number | null = null;
  let until: number | null = null;
  let shortestMs: number | null = null;
  let longestMs: number | null = null;

  return {
    add: ({ key, same, at }) => {
      const since = at - withinMs;
      for (const [name, group] of groups) {
        if (group.at >= since) break;
        groups.delete(name);
      }
      const group = groups.get(same) ?? { at, last: key, size: 0, met: new Map<string, number>() };
      for (const [name, met] of group.met) {
        if (met >= since) break;
        group.met.delete(name);
      }
      if (!group.met.has(key)) {
        group.size += 1;
        if (group.size > 1) pair(group, key, at);
      }
      // put at the end: what was met longest ago is looked at first
      group.met.delete(key);
      group.met.set(key, at);
      groups.delete(same);
      groups.set(same, Object.assign(group, { at, last: key }));
    },
    found: () => ({ pairs, listed: listed.toReversed(), largest, from, until, shortestMs, longestMs }),
  };

  function pair(group: Group, key: string, at: number): void {
    const apartMs = at - group.at;
    pairs += 1;
    largest = Math.max(largest, group.size);
    from ??= at;
    until = at;
    shortestMs = Math.min(shortestMs ?? apartMs, apartMs);
    longestMs = Math.max(longestMs ?? apartMs, apartMs);
    listed.push({ first: group.last, second: key, at, apartMs });
    if (listed.length > mostListed) listed.shift();
  }
}
