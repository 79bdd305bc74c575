import type { Clock } from "../base/clock.ts";
import { RepriseError } from "../base/errors.ts";
import type { CacheCounters } from "./counters.ts";
import type { CheckedScope, Key } from "./key.ts";

/** A loader, its types erased. */
export type Load = (scope: CheckedScope, context: { readonly signal: AbortSignal }) => unknown;

/** One load of one key, and who waits for it. */
export interface Flight {
  readonly kind: "flight";
  readonly key: Key;
  readonly scope: CheckedScope;
  readonly load: Load;
  /** Never an unhandled rejection, even when nobody waits. */
  readonly outcome: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly controller: AbortController;
  state: "pending" | "running" | "settled";
  /** When the load began, on the monotonic clock; not a number before. */
  began: number;
  /** The fence: what the load took out before it read the source. */
  permission: number;
  stopDeadline: () => void;
  /** Reads that wait; `first` is 1 while the read that began the load is one of them. */
  readers: number;
  first: 0 | 1;
}

/**
 * The loads of one key. Loads whose data changed since they began run on for those who wait for them already, but take
 * no more callers: they are counted in `running` alone.
 */
interface Lane {
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
  /** Runs what it is given in no caller's async context. */
  readonly outside: <R>(work: () => R) => R;
  /** Takes out the permission to store, before the source is read. */
  readonly permit: (flight: Flight) => number;
  readonly loaded: (flight: Flight, value: unknown) => void;
  readonly failed: (flight: Flight, error: unknown) => void;
}

export interface Flights {
  /** The load that a caller of now may share: one that began after every change so far, or has yet to begin. */
  readonly join: (key: Key, scope: CheckedScope, load: Load) => Flight;
  /** Begins a load behind a value that is served on, unless one is under way. */
  readonly beginBehind: (key: Key, scope: CheckedScope, load: Load) => boolean;
  /** Waits as a read, until the signal aborts at the latest. */
  readonly wait: (flight: Flight, signal: AbortSignal | undefined) => Promise<unknown>;
  /** The key's data changed: nobody who comes from now on shares the load that runs. */
  readonly detach: (key: Key) => void;
  readonly scopes: () => Iterable<readonly [Key, CheckedScope]>;
  /** Resolves when every load of now and all that wait to begin have ended. */
  readonly drained: () => Promise<void>;
  readonly abandon: () => void;
}

export function createFlights(options: FlightsOptions): Flights {
  const { cache, clock, counters } = options;
  const lanes = new Map<Key, Lane>();
  const live = new Set<Flight>();

  const create = (key: Key, scope: CheckedScope, load: Load): Flight => {
    let resolve: Flight["resolve"] = noop;
    let reject: Flight["reject"] = noop;
    const outcome = new Promise<unknown>((accept, refuse) => {
      resolve = accept;
      reject = refuse;
    });
    outcome.catch(noop);
    const flight: Flight = {
      kind: "flight",
      key,
      scope,
      load,
      outcome,
      resolve,
      reject,
      controller: new AbortController(),
      state: "pending",
      began: Number.NaN,
      permission: 0,
      stopDeadline: noop,
      readers: 0,
      first: 0,
    };
    live.add(flight);
    return flight;
  };

  const begin = (flight: Flight, lane: Lane): void => {
    lane.running += 1;
    lane.current = flight;
    flight.state = "running";
    counters.loads += 1;
    options.outside(() => {
      flight.permission = options.permit(flight);
      flight.began = clock().monotonic();
      const late = () => abort(flight, new RepriseError("REPRISE_LOAD_TIMEOUT", { cache, afterMs: options.hardMs }));
      // callers wait for it: it holds the process, which else would end without an answer when a loader hangs
      flight.stopDeadline = clock().timer(options.hardMs, late, "holding");
      run(flight).then(
        (value) => land(flight, () => succeed(flight, value)),
        (error: unknown) => land(flight, () => refuse(flight, error)),
      );
    });
  };

  /** Ends a flight once; what its loader says after its deadline is not heard. */
  const land = (flight: Flight, tell: () => void): void => {
    if (flight.state === "settled") return;
    const ran = flight.state === "running";
    flight.state = "settled";
    flight.stopDeadline();
    live.delete(flight);
    const lane = lanes.get(flight.key);
    if (lane?.current === flight) lane.current = undefined;
    if (lane?.pending === flight) lane.pending = undefined;
    if (lane !== undefined && ran) lane.running -= 1;
    if (ran) counters.loadTime.observe(clock().monotonic() - flight.began);
    tell();
    if (lane === undefined) return;
    const next = lane.pending;
    if (next !== undefined && lane.running < atOnce) {
      lane.pending = undefined;
      begin(next, lane);
    }
    if (lane.running === 0 && lane.pending === undefined) lanes.delete(flight.key);
  };

  const succeed = (flight: Flight, value: unknown): void => {
    options.loaded(flight, value);
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
    // before its successor begins; listeners run in the context of whoever aborts
    options.outside(() => flight.controller.abort(error));
    land(flight, () => refuse(flight, error));
  };

  const laneOf = (key: Key): Lane => {
    let lane = lanes.get(key);
    if (lane === undefined) {
      lane = { running: 0, current: undefined, pending: undefined };
      lanes.set(key, lane);
    }
    return lane;
  };

  return {
    join: (key, scope, load) => {
      const lane = laneOf(key);
      const shared = lane.current ?? lane.pending;
      if (shared !== undefined) return shared;
      const flight = create(key, scope, load);
      flight.first = 1;
      if (lane.running < atOnce) begin(flight, lane);
      else lane.pending = flight;
      return flight;
    },
    beginBehind: (key, scope, load) => {
      const lane = laneOf(key);
      if (lane.current !== undefined || lane.running >= atOnce) return false;
      begin(create(key, scope, load), lane);
      return true;
    },
    wait: (flight, signal) => {
      // whoever comes first to a load that was begun for a read is that read
      const isFirst = flight.first === 1 && flight.readers === 0;
      flight.readers += 1;
      if (signal === undefined) return flight.outcome;
      return new Promise((resolve, reject) => {
        const leave = () => {
          if (flight.state !== "settled") {
            flight.readers -= 1;
            if (isFirst) flight.first = 0;
            counters.failed += 1;
          }
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", leave, { once: true });
        flight.outcome.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
      });
    },
    detach: (key) => {
      const lane = lanes.get(key);
      if (lane !== undefined) lane.current = undefined;
    },
    scopes: function* () {
      for (const [key, lane] of lanes) {
        if (lane.current !== undefined) yield [key, lane.current.scope];
      }
    },
    drained: async () => {
      while (live.size > 0) await Promise.allSettled([...live].map((flight) => flight.outcome));
    },
    abandon: () => {
      // the youngest first: where a load waits to begin, it must not begin because the one before it was given up
      for (const flight of [...live].reverse()) abort(flight, new RepriseError("REPRISE_LOAD_ABANDONED", { cache }));
    },
  };
}

/** A loader that throws before it returns a promise is one that rejects. */
async function run(flight: Flight): Promise<unknown> {
  return flight.load(flight.scope, { signal: flight.controller.signal });
}

function noop(): void {}
