import type { Clock } from "./base/clock.ts";
import type { Dimensions } from "./base/config.ts";
import { defaults } from "./base/defaults.ts";
import { RepriseError } from "./base/errors.ts";
import { bytes, type Size } from "./base/size.ts";
import type { Bound, Eviction } from "./cache/memory/memory.ts";
import type { Ledger } from "./contract/ledger.ts";

/** What `createReprise` and `start` take. */

export interface RepriseOptions<
  D extends Dimensions,
  O extends string | undefined,
  U extends "refused" | "listed",
  L extends Ledger<unknown> | undefined,
> {
  /** Part of every record's identity: the same for all instances of one service, and only for them. */
  readonly service: string;
  /** What can make two responses differ; each cache accounts for every one. */
  readonly dimensions?: D;
  /** Owns whatever names no other owner. */
  readonly owner?: O;
  /** `"listed"`: decisions that only inform may stay open; `decisions()` lists them. Default `"refused"`. */
  readonly undecided?: U;
  /** Keeps the outcomes of operations, and the figures of all instances. */
  readonly ledger?: L;
  /** `null`: nothing is kept and every read asks the source, for a test. */
  readonly memory?: MemoryOptions | null | undefined;
  /** What loads read from, and how many may at once, whichever cache they are for. */
  readonly sources?: Readonly<Record<string, { readonly loadsAtOnce: number }>> | undefined;
  /**
   * Loaded values are searched for what no cache may hold: card numbers, tokens, keys, passwords, national ids. `"refuse"`
   * rejects the read and stores nothing, `"warn"` tells it (`process.emitWarning`, the event `cache.secret`). Default:
   * `"warn"`, and `"off"` where NODE_ENV is production.
   */
  readonly secrets?: "refuse" | "warn" | "off" | undefined;
  /**
   * How many runs that no caller waits for (background work, and work that a crash left behind) this instance has under way
   * at most; 0: it leaves them to others, and the ticks of schedules too. Default 8.
   */
  readonly workers?: number | undefined;
  /**
   * `"elsewhere"`: this instance begins nothing by itself: no accepted or abandoned work, no ticks, no consumers, no outboxes, no
   * sweeps and no figures. For functions, which a platform freezes between their calls: what is declared beside them waits for an
   * instance that does it. A call of `upkeep` does some of it: accepted and abandoned work, sweeps, and what outboxes send; no
   * ticks of schedules, no consumers and no figures. Default `"here"`.
   */
  readonly background?: "here" | "elsewhere" | undefined;
  readonly clock?: Clock | undefined;
  /** How this process is called on the page. Default: host, process id and a random part. */
  readonly instance?: string | undefined;
}

export type MemoryOptions = MemoryBound & {
  /**
   * Who leaves when memory is full. `"lru"`: the entry that was read longest ago. `"lfu"`: the one that is read least,
   * new ones on probation (W-TinyLFU), so that a scan flushes nothing. `"nearest-expiry"`: the one that would go first
   * anyway. Reads are told to it in small groups, and none while no more than half of the bound is used.
   */
  readonly eviction: Eviction;
  /** Whether a small sample of the reads tells how large memory ought to be. Default true. */
  readonly workingSet?: boolean | undefined;
};

/** A hard bound for all caches of the instance together; without any, 10,000 entries. */
type MemoryBound =
  | { readonly maxEntries: number; readonly maxBytes?: undefined }
  /** Of V8's heap: what a value costs is estimated once, when it is stored. */
  | { readonly maxBytes: Size; readonly maxEntries?: undefined };

export interface StartOptions<Tx> {
  readonly ledger?: Ledger<Tx> | undefined;
  readonly clock?: Clock | undefined;
}

/** Inside, declarations are data: the types were checked where the caller wrote them. */
export type AnyOptions = RepriseOptions<
  Dimensions,
  string | undefined,
  "refused" | "listed",
  Ledger<unknown> | undefined
>;

export function boundOf(memory: MemoryOptions | null | undefined): Bound {
  if (memory?.maxBytes !== undefined) {
    return { unit: "bytes", most: bytes(memory.maxBytes, "createReprise, memory.maxBytes") };
  }
  return { unit: "entries", most: memory?.maxEntries ?? defaults.cache.maxEntries };
}

/** What the compiler says first; this is for whoever has none. */
export function checkOptions({
  service,
  memory,
  secrets,
  workers,
  background = "here",
  dimensions = {},
}: AnyOptions): void {
  const refuse = (where: string, why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where: `createReprise${where}`, why, mend });
  };
  if (typeof service !== "string" || service === "" || /\p{Surrogate}/u.test(service)) {
    const why = "'service' is empty, or holds half of a character.";
    refuse("", why, "It is part of every record's identity: name the service.");
  }
  if (secrets !== undefined && !["refuse", "warn", "off"].includes(secrets)) {
    refuse(", secrets", "it is no policy.", "Say 'refuse', 'warn' or 'off'.");
  }
  for (const [name, kind] of Object.entries(dimensions)) {
    if (kind !== "shared" && kind !== "personal") {
      refuse(`, dimensions.${name}`, "it is neither 'shared' nor 'personal'.", "Say whether it names a person.");
    }
  }
  if (background !== "here" && background !== "elsewhere") {
    refuse(
      ", background",
      "it is neither 'here' nor 'elsewhere'.",
      "Say 'elsewhere' in a function, else leave it out.",
    );
  }
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 0)) {
    refuse(", workers", "it is no whole number from 0 on.", "Say how many runs this instance may have under way.");
  }
  if (memory === undefined || memory === null) return;
  if (memory.maxBytes !== undefined && memory.maxEntries !== undefined) {
    refuse(", memory", "it is bounded in bytes and in entries.", "Choose one of maxBytes and maxEntries.");
  }
  const isBounded = memory.maxBytes !== undefined || memory.maxEntries !== undefined;
  if (isBounded && !["lru", "lfu", "nearest-expiry"].includes(memory.eviction as string)) {
    refuse(", memory.eviction", "it is no policy.", "Say who leaves: 'lru', 'lfu' or 'nearest-expiry'.");
  }
}
