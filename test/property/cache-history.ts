import type { ChangeVerb } from "../../src/cache/change.ts";

/** When something happened: its place in the one order of all events, and the clock's milliseconds. */
export interface Instant {
  readonly order: number;
  readonly at: number;
}

/** A value as it was read from the source, put or written. It is what the cache holds, so an answer says what it is. */
export interface Reading {
  readonly key: string;
  /** Of the source. A write gets it when it lands. */
  version: number;
  readonly origin: "load" | "put" | "write";
  readonly tags: readonly string[];
  readonly freshMs: number;
  /** The source says so itself. */
  readonly isOwnLife: boolean;
  /** There is no such thing: the cache holds `undefined` in its place. */
  readonly isAbsent: boolean;
  /** When loads of it began that brought it or found it unmodified. */
  readonly confirmed: Instant[];
}

interface Change extends Instant {
  readonly verb: ChangeVerb;
  /** The value whose own arrival it is. */
  readonly by: Reading | undefined;
  /** What the source held when the change was acknowledged: nothing older is given from then on. */
  readonly version: number;
}

export interface Lives {
  readonly freshMs: number;
  readonly staleMs: number;
  readonly absentMs: number;
}

export interface HistoryOptions {
  readonly now: () => Instant;
  /** The next place in the order. */
  readonly next: () => Instant;
  /** A version of a source, above all before. */
  readonly nextVersion: () => number;
  readonly lives: Lives;
  /** What the source says of a version. */
  readonly about: (version: number) => Pick<Reading, "tags" | "isAbsent"> & { readonly freshMs: number | undefined };
}

/** What the source of one cache held, and what the cache was told of it: the truth that its answers are held against. */
export type History = ReturnType<typeof createHistory>;

export function createHistory({ now, next, nextVersion, lives, about }: HistoryOptions) {
  const source = new Map<string, number>();
  const changes = new Map<string, Change[]>();
  const tagged = new Map<string, Change[]>();
  const readings = new Map<string, Reading[]>();
  /** When nobody could share a load any more that had begun before. */
  const detached = new Map<string, number>();
  let tagChangedAt = 0;

  const listed = <T>(map: Map<string, T[]>, key: string): T[] => {
    const list = map.get(key) ?? [];
    map.set(key, list);
    return list;
  };
  const versionOf = (key: string) => source.get(key) ?? 1;
  const create = (key: string, version: number, origin: Reading["origin"], told: boolean): Reading => {
    const said = about(version);
    const isAbsent = origin !== "write" && said.isAbsent;
    const declared = isAbsent ? lives.absentMs : lives.freshMs;
    const freshMs = told ? (said.freshMs ?? declared) : declared;
    const isOwnLife = told && said.freshMs !== undefined;
    const tags = told ? said.tags : [];
    const reading = { key, version, origin, tags, freshMs, isOwnLife, isAbsent, confirmed: [] };
    listed(readings, key).push(reading);
    return reading;
  };

  const changesOf = (reading: Reading): readonly Change[] =>
    [...listed(changes, reading.key), ...reading.tags.flatMap((tag) => listed(tagged, tag))]
      .filter(({ by }) => by !== reading)
      .sort((one, other) => one.order - other.order);
  /** The least version that may be given after what was acknowledged up to there. */
  const floor = (key: string, upTo: number, verbs: readonly ChangeVerb[]): number => {
    let version = 0;
    for (const change of listed(changes, key)) {
      if (change.order <= upTo && verbs.includes(change.verb)) version = Math.max(version, change.version);
    }
    return version;
  };

  const isFresh = (reading: Reading, call: Instant, isOfMemory: boolean): boolean => {
    if (reading.version < floor(reading.key, call.order, ["purge", "expire"])) return false;
    const all = changesOf(reading);
    return reading.confirmed.some(
      ({ order, at }) =>
        (!isOfMemory || call.at < at + reading.freshMs) &&
        !all.some((change) => change.order > order && change.order <= call.order),
    );
  };
  const isStale = (reading: Reading, { order: upTo, at: time }: Instant): boolean => {
    if (reading.version < floor(reading.key, upTo, ["purge"])) return false;
    const all = changesOf(reading);
    return reading.confirmed.some(({ order, at }) => {
      const since = all.filter((change) => change.order > order && change.order <= upTo);
      if (since.some((change) => change.verb === "purge")) return false;
      const outdatedAt = Math.min(at + reading.freshMs, since[0]?.at ?? Number.POSITIVE_INFINITY);
      return time < outdatedAt + lives.staleMs;
    });
  };

  return {
    versionOf,
    /** The source changes, and nobody tells the cache. */
    modify: (key: string): number => {
      const version = nextVersion();
      source.set(key, version);
      return version;
    },
    /** A load reads the source. */
    read: (key: string, told: boolean): Reading => create(key, versionOf(key), "load", told),
    /** A value that is about to be put or written. */
    draft: (key: string, origin: "put" | "write", told: boolean): Reading =>
      create(key, origin === "put" ? versionOf(key) : 0, origin, told),
    /** A load that began then found that the source still holds this version. */
    confirm: (key: string, version: number, began: Instant): void => {
      for (const reading of listed(readings, key)) if (reading.version === version) reading.confirmed.push(began);
    },
    /** A change of these keys was acknowledged. */
    change: (verb: ChangeVerb, keys: readonly string[], version?: number, by?: Reading): Instant => {
      const instant = next();
      for (const key of keys) {
        listed(changes, key).push({ ...instant, verb, by, version: version ?? versionOf(key) });
        detached.set(key, instant.order);
      }
      return instant;
    },
    changeTag: (verb: ChangeVerb, tag: string): void => {
      const instant = next();
      listed(tagged, tag).push({ ...instant, verb, by: undefined, version: 0 });
      tagChangedAt = instant.order;
    },
    announce: (key: string): Instant => {
      const instant = next();
      detached.set(key, instant.order);
      return instant;
    },
    /** Loads that began before it are shared by nobody who comes. */
    detachedAt: (key: string): number => Math.max(detached.get(key) ?? 0, tagChangedAt),
    /** Failures of loads that began before it say nothing to who comes. What had a tag, a failed load does not tell. */
    changedAt: (key: string): number => detached.get(key) ?? 0,
    /** What an answer may have been: a value says it itself, an absence does not. */
    meant: (key: string, answer: unknown): readonly Reading[] => {
      if (answer === undefined) return listed(readings, key).filter(({ isAbsent }) => isAbsent);
      const reading = answer as Reading;
      return reading.key === key && !reading.isAbsent ? [reading] : [];
    },
    isFresh,
    isStale,
    now,
  };
}
