import type { Clock } from "../base/clock.ts";
import { RepriseError } from "../base/errors.ts";
import { onAbort } from "../base/signals.ts";
import type { Known } from "./accept.ts";
import type { CacheCounters } from "./counters.ts";
import { type CheckedScope, encodeKey } from "./key.ts";
import type { Parts } from "./memory/slots.ts";
import type { Source } from "./sources.ts";

export interface LoadContext {
  readonly signal: AbortSignal;
  readonly etag: string | undefined;
}

/** A loader, its types erased. */
export interface Load {
  (scope: CheckedScope, context: LoadContext): unknown;
  /** In the place of the cache's own: what it shares with other loads. */
  readonly source?: Source | undefined;
}

/** One load of one key, and who waits for it. */
export interface Flight {
  readonly key: string;
  readonly parts: Parts;
  readonly scope: CheckedScope;
  readonly load: Load;
  /** Never an unhandled rejection, even when nobody waits. */
  readonly outcome: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Made when a loader first asks for its signal: most never do, and one costs as much as all else of a load. */
  controller: AbortController | undefined;
  /**
   * `pending`: behind another load of its key; `queued`: behind other loads of its source; `running`: reads the source.
   * `settled`: its readers have their answer, though a loader that does not heed its signal may still be running.
   */
  state: "pending" | "queued" | "running" | "settled";
  /** A change outdated it: nobody who came since shares it. */
  detached: boolean;
  /** When the load began to read, on the monotonic clock; not a number before. */
  began: number;
  /** The fence: what the load took out before it read the source. */
  permission: number;
  /** How many changes of groups had happened then. */
  horizon: number;
  /** The value that stands while it is loaded anew, for a loader that asks whether it was modified. */
  previous: Previous | undefined;
  stopDeadline: () => void;
  leaveQueue: () => void;
  /** Reads that wait; `first` is 1 while the read that began the load is one of them. */
  readers: number;
  first: 0 | 1;
}

export interface Previous {
  readonly value: unknown;
  readonly known: Known;
}

/**
 * The loads of one key. Loads whose data changed since they began run on for those who wait for them already, but take
 * no more callers: they are counted in `running` alone.
 */
interface Lane {
  /** Loaders that have not returned yet. */
  running: number;
  current: Flight | undefined;
  /** Begins as soon as a running load ends. No change can outdate what has not begun. */
  pending: Flight | undefined;
}

/** Two loads of a key at once: one that a change outdated, and one that began after it. */
const atOnce = 2;

export interface FlightsOptions {
  readonly cache: string;
  readonly clock: () => Clock;
  readonly hardMs: number;
  readonly counters: CacheCounters;
  readonly source: Source | undefined;
  /** Runs what it is given in no caller's async context. */
  readonly outside: <R>(work: () => R) => R;
  /** Takes out the permission to store, before the source is read. */
  readonly permit: (flight: Flight) => void;
  /** Calls the loader. */
  readonly call: (flight: Flight) => Promise<unknown>;
  /** Stores what was loaded if nothing changed since; the value for those who wait. Throws what they are rejected with. */
  readonly loaded: (flight: Flight, result: unknown) => unknown;
  readonly failed: (flight: Flight, error: unknown) => void;
  /** A loader has returned. */
  readonly ended: (flight: Flight, tookMs: number, error: unknown) => void;
}

export interface Flights {
  /**
   * The load that a caller of now may share: one that began after every change so far, or has yet to begin. One that
   * passed its deadline is among them as long as its loader runs: it rejects at once, and none is begun beside it.
   */
  readonly join: (parts: Parts, scope: CheckedScope, load: Load) => Flight;
  /** Begins a load behind a value that is served on, unless one is under way. */
  readonly beginBehind: (parts: Parts, scope: CheckedScope, load: Load) => boolean;
  /** Waits as a read, until the signal aborts at the latest. */
  readonly wait: (flight: Flight, signal: AbortSignal | undefined) => Promise<unknown>;
  /** As `wait`, for `ms` at most: then `undefined`, and the load goes on. */
  readonly waitFor: (flight: Flight, ms: number) => Promise<{ readonly value: unknown } | undefined>;
  /** The key's data changed: nobody who comes from now on shares the load that runs. */
  readonly detach: (parts: Parts) => void;
  readonly find: (parts: Parts) => Flight | undefined;
  readonly detachAll: (isMeant: (parts: Parts) => boolean) => void;
  /** Reads that wait for any load. */
  readonly waiting: () => number;
  /** Resolves when every load of now and all that wait to begin have ended. */
  readonly drained: () => Promise<void>;
  readonly abandon: () => void;
}

export function createFlights(options: FlightsOptions): Flights {
  const { cache, clock, counters } = options;
  const sourceOf = (flight: Flight): Source | undefined => flight.load.source ?? options.source;
  const lanes = new Map<string, Lane>();
  const live = new Set<Flight>();
  let waiting = 0;

  const create = (key: string, parts: Parts, scope: CheckedScope, load: Load): Flight => {
    const { promise: outcome, resolve, reject } = settled();
    const flight: Flight = {
      key,
      parts,
      scope,
      load,
      outcome,
      resolve,
      reject,
      controller: undefined,
      state: "pending",
      detached: false,
      began: Number.NaN,
      permission: 0,
      horizon: 0,
      previous: undefined,
      stopDeadline: noop,
      leaveQueue: noop,
      readers: 0,
      first: 0,
    };
    live.add(flight);
    // from now on, also where it waits to begin: the loads before it may hang. Callers wait for it, so it holds the
    // process, which else would end without an answer
    const late = () => abort(flight, new RepriseError("REPRISE_LOAD_TIMEOUT", { cache, afterMs: options.hardMs }));
    options.outside(() => {
      flight.stopDeadline = clock().timer(options.hardMs, late, "holding");
    });
    return flight;
  };

  const begin = (flight: Flight, lane: Lane): void => {
    lane.running += 1;
    lane.current = flight;
    flight.state = "queued";
    options.outside(() => {
      const read = () => options.outside(() => readSource(flight));
      const source = sourceOf(flight);
      if (source === undefined) read();
      else flight.leaveQueue = source.enter(read);
    });
  };

  const readSource = (flight: Flight): void => {
    flight.state = "running";
    counters.loads += 1;
    options.permit(flight);
    flight.began = clock().monotonic();
    options.call(flight).then(
      (result) => returned(flight, undefined, () => succeed(flight, result)),
      (error: unknown) => returned(flight, error, () => refuse(flight, error)),
    );
  };

  /** The loader itself has ended; what it says after its deadline is not heard. */
  const returned = (flight: Flight, error: unknown, tell: () => void): void => {
    const tookMs = clock().monotonic() - flight.began;
    counters.loadTime.observe(tookMs);
    options.ended(flight, tookMs, error);
    if (flight.state !== "settled") settle(flight, tell);
    sourceOf(flight)?.leave();
    leaveLane(flight);
  };

  const settle = (flight: Flight, tell: () => void): void => {
    flight.state = "settled";
    flight.stopDeadline();
    live.delete(flight);
    waiting -= flight.readers;
    tell();
  };

  const leaveLane = (flight: Flight): void => {
    const lane = lanes.get(flight.key);
    if (lane === undefined) return;
    if (lane.current === flight) lane.current = undefined;
    lane.running -= 1;
    const next = lane.pending;
    if (next !== undefined && lane.running < atOnce) {
      lane.pending = undefined;
      begin(next, lane);
    }
    if (lane.running === 0 && lane.pending === undefined) lanes.delete(flight.key);
  };

  const succeed = (flight: Flight, result: unknown): void => {
    let value: unknown;
    try {
      value = options.loaded(flight, result);
    } catch (error) {
      refuse(flight, error);
      return;
    }
    counters.source += flight.first;
    counters.shared += flight.readers - flight.first;
    flight.resolve(value);
  };

  const refuse = (flight: Flight, error: unknown): void => {
    counters.failed += flight.readers;
    if (!Number.isNaN(flight.began)) {
      counters.loadsFailed += 1;
      options.failed(flight, error);
    }
    flight.reject(error);
  };

  const abort = (flight: Flight, error: RepriseError): void => {
    const { state } = flight;
    if (state === "settled") return;
    // listeners run in the context of whoever aborts
    if (state === "running") options.outside(() => signalled(flight).abort(error));
    settle(flight, () => refuse(flight, error));
    // a loader that runs on keeps its place, in its lane and at its source: none begins beside it
    if (state === "queued") {
      flight.leaveQueue();
      leaveLane(flight);
    } else if (state === "pending") {
      const lane = lanes.get(flight.key);
      if (lane?.pending === flight) lane.pending = undefined;
    }
  };

  const laneOf = (key: string): Lane => {
    let lane = lanes.get(key);
    if (lane === undefined) {
      lane = { running: 0, current: undefined, pending: undefined };
      lanes.set(key, lane);
    }
    return lane;
  };

  const detach = (lane: Lane | undefined): void => {
    // what waits at its source has read nothing yet
    if (lane?.current === undefined || lane.current.state === "queued") return;
    lane.current.detached = true;
    lane.current = undefined;
  };

  const enter = (flight: Flight): boolean => {
    // whoever comes first to a load that was begun for a read is that read
    const isFirst = flight.first === 1 && flight.readers === 0;
    if (flight.state === "settled") {
      counters.failed += 1;
    } else {
      flight.readers += 1;
      waiting += 1;
    }
    return isFirst;
  };
  const leave = (flight: Flight, isFirst: boolean): boolean => {
    if (flight.state === "settled") return false;
    flight.readers -= 1;
    waiting -= 1;
    if (isFirst) flight.first = 0;
    return true;
  };

  return {
    join: (parts, scope, load) => {
      const key = encodeKey(parts);
      const lane = laneOf(key);
      const shared = lane.current ?? lane.pending;
      if (shared !== undefined) return shared;
      const flight = create(key, parts, scope, load);
      flight.first = 1;
      if (lane.running < atOnce) begin(flight, lane);
      else lane.pending = flight;
      return flight;
    },
    beginBehind: (parts, scope, load) => {
      const key = encodeKey(parts);
      const lane = laneOf(key);
      if (lane.current !== undefined || lane.running >= atOnce) return false;
      begin(create(key, parts, scope, load), lane);
      return true;
    },
    wait: (flight, signal) => {
      const isFirst = enter(flight);
      if (signal === undefined) return flight.outcome;
      return new Promise((resolve, reject) => {
        const stopWaiting = onAbort(signal, () => {
          if (leave(flight, isFirst)) counters.failed += 1;
          reject(signal.reason as Error);
        });
        flight.outcome.then(resolve, reject).finally(stopWaiting);
      });
    },
    waitFor: (flight, ms) => {
      const isFirst = enter(flight);
      return new Promise((resolve, reject) => {
        const cancel = clock().timer(
          ms,
          () => {
            leave(flight, isFirst);
            resolve(undefined);
          },
          "holding",
        );
        flight.outcome.then((value) => resolve({ value }), reject).finally(cancel);
      });
    },
    detach: (parts) => detach(lanes.get(encodeKey(parts))),
    detachAll: (isMeant) => {
      for (const lane of lanes.values()) {
        if (lane.current !== undefined && isMeant(lane.current.parts)) detach(lane);
      }
    },
    find: (parts) => {
      const lane = lanes.get(encodeKey(parts));
      return lane?.current ?? lane?.pending;
    },
    waiting: () => waiting,
    drained: async () => {
      while (live.size > 0) await Promise.allSettled([...live].map((flight) => flight.outcome));
    },
    abandon: () => {
      // the youngest first: where a load waits to begin, it must not begin because the one before it was given up
      for (const flight of [...live].reverse()) abort(flight, new RepriseError("REPRISE_LOAD_ABANDONED", { cache }));
    },
  };
}

function signalled(flight: Flight): AbortController {
  flight.controller ??= new AbortController();
  return flight.controller;
}

/** What a loader is told beside its scope. */
export function contextOf(flight: Flight): LoadContext {
  return {
    get signal() {
      return signalled(flight).signal;
    },
    etag: flight.previous?.known.etag,
  };
}

function settled() {
  let resolve: (value: unknown) => void = noop;
  let reject: (error: unknown) => void = noop;
  const promise = new Promise<unknown>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  promise.catch(noop);
  return { promise, resolve, reject };
}

function noop(): void {}
