import type { Clock } from "../base/clock.ts";
import type { CacheCounters } from "../cache/counters.ts";
import type { CacheDeclaration } from "../cache/declaration.ts";
import type { Explanation } from "../cache/explain.ts";
import type { DeclaredConsumer } from "../consume/consumers.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { DeclaredLoad } from "../load/loads.ts";
import type { OperationCounters } from "../operation/counters.ts";
import type { OperationDeclaration } from "../operation/declaration.ts";
import type { DeclaredOutbox } from "../outbox/outboxes.ts";
import type { DeclaredSchedule } from "../schedule/schedules.ts";
import type { Curve } from "./working-set/curve.ts";

/** What an instance lets the page, the journal and the transports see of itself. */
export interface Inside {
  readonly service: string;
  /** Unique among the processes that share a ledger. */
  readonly instance: string;
  /** Milliseconds since the epoch; with `instance` it names one run of one process. */
  readonly startedAt: number;
  readonly clock: () => Clock;
  /** `undefined`: none was given, or nothing has been opened yet. */
  readonly ledger: () => Ledger<unknown> | undefined;
  /** Of anchors, in other databases. */
  readonly anchorLedgers: () => readonly Ledger<unknown>[];
  /** Opens on first use. Rejects with what kept it from opening. */
  readonly started: () => Promise<void>;
  /** The ledger, open, and nothing begun in the background. `undefined`: there is none. */
  readonly connected: () => Promise<Ledger<unknown> | undefined>;
  /** From now on opening begins nothing in the background: of a process that does what a person asks, and ends. */
  readonly stayAside: () => void;
  /** Opens, and does once what is otherwise done in the background; resolves after `leftMs` at the latest. */
  readonly keepUp: (leftMs: number) => Promise<void>;
  readonly caches: () => readonly InsideCache[];
  /** Also those whose executions are the runs of a schedule's ticks, each by its schedule's name. */
  readonly operations: () => readonly InsideOperation[];
  readonly loads: () => readonly DeclaredLoad[];
  readonly schedules: () => readonly DeclaredSchedule[];
  readonly consumers: () => readonly DeclaredConsumer[];
  readonly outboxes: () => readonly DeclaredOutbox[];
  /** Aborted by `close`, once what was under way has ended or is waited for no longer. */
  readonly closing: AbortSignal;
  readonly memory: () => InsideMemory;
  /** Adds what lists the routes of an application that change something and are no operation, whenever it is asked. */
  readonly watchRoutes: (list: () => readonly WatchedRoute[]) => void;
  /** What all of those list now. */
  readonly routes: () => readonly WatchedRoute[];
  /** How often memory of any size would have had the answer, of a cache or of all; `undefined`: nobody watches. */
  readonly curve: (cache?: string) => Curve | undefined;
}

/** By its pattern, never by what was asked for. */
export interface WatchedRoute {
  readonly method: string;
  readonly path: string;
  /** Why it may run again, as somebody decided; `undefined`: nobody has. */
  readonly because: string | undefined;
  /** That reached its handlers, since this process started. */
  readonly requests: number;
}

/** Of all caches together. */
export interface InsideMemory {
  readonly entries: number;
  /** Estimated; `null` where the bound counts entries. */
  readonly bytes: number | null;
  readonly bound: { readonly unit: "entries" | "bytes"; readonly most: number };
  readonly eviction: "lru" | "lfu" | "nearest-expiry";
  /** Whether somebody declared the bound, or it is the default. */
  readonly declared: boolean;
}

interface InsideCache {
  readonly name: string;
  readonly owner: string | undefined;
  readonly counters: CacheCounters;
  readonly entries: () => number;
  readonly declaration: CacheDeclaration;
  readonly explain: (scope: Readonly<Record<string, unknown>>) => Promise<Explanation>;
  /** Writes acknowledged that have not reached the source; `undefined`: it is no write-behind cache. */
  readonly pendingWrites: () => number | undefined;
}

interface InsideOperation {
  readonly name: string;
  readonly owner: string | undefined;
  readonly counters: OperationCounters;
  readonly declaration: OperationDeclaration;
}
