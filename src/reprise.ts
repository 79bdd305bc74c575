import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { Abortable } from "./base/abortable.ts";
import { type Clock, systemClock } from "./base/clock.ts";
import type { Config, Dimensions, RefusedCall } from "./base/config.ts";
import { defaults } from "./base/defaults.ts";
import { RepriseError } from "./base/errors.ts";
import { createEvents, type Events } from "./base/events.ts";
import { withDeadline } from "./base/promise.ts";
import { bytes, type Size } from "./base/size.ts";
import { createCaches } from "./cache/caches.ts";
import type { CacheCounters } from "./cache/counters.ts";
import type { CacheDeclaration, CacheVerbs } from "./cache/declaration.ts";
import type { CacheEvents, Tell } from "./cache/events.ts";
import type { AmbientContext } from "./cache/guard/context.ts";
import type { Bound, Eviction } from "./cache/memory/memory.ts";
import type { Ledger } from "./contract/ledger.ts";
import { checkDecided } from "./decisions/check.ts";
import { decideCache, decideOperation, decideRoute } from "./decisions/decide.ts";
import type { Decided } from "./decisions/decided.ts";
import type { Inside, WatchedRoute } from "./observe/inside.ts";
import { startJournal } from "./observe/journal.ts";
import { createSampler, type Sampler } from "./observe/working-set/sampler.ts";
import { type Anchor, type AnchorOptions, type Anchors, createAnchors } from "./operation/anchor.ts";
import type { OperationDeclaration, OperationVerb } from "./operation/declaration.ts";
import type { OperationEvents } from "./operation/events.ts";
import { createOperations } from "./operation/operations.ts";

type PersonalOf<D extends Dimensions> = { [K in keyof D]: D[K] extends "personal" ? K : never }[keyof D] & string;
type TxOf<L> = L extends Ledger<infer Tx> ? Tx : never;

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
   * at most; 0: it leaves them to others. Default 8.
   */
  readonly workers?: number | undefined;
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

export interface Reprise<C extends Config> {
  readonly cache: CacheVerbs<C>;
  readonly operation: C["ledger"] extends true
    ? OperationVerb<C>
    : RefusedCall<"this reprise has no ledger: give createReprise one">;
  /**
   * Makes transactions in another database effects that happen once: for tables beside which the ledger does not lie, or
   * cannot, as a ledger on Redis.
   *
   * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE
   * @example
   * const seats = reprise.anchor({ ledger: postgresLedger({ pool }), retention: "30d" });
   * // in a run: await effect("book", seats.transaction((tx) => insertBooking(tx, input)));
   */
  readonly anchor: <Tx>(options: AnchorOptions<Tx>) => Anchor<Tx>;
  /** Who and what a request is for. What a cache's loader reads of it must be in its scope. */
  readonly context: AmbientContext<C["dimension"]>;
  /** Tells what caches do, and successes that happened twice, without values. Returns what ends it. */
  readonly on: Events<CacheEvents & OperationEvents>["on"];
  /** Every declaration and watched route with its questions and answers, and what nobody has decided. */
  readonly decisions: () => readonly Decided[];
  /**
   * Opens and checks the stores, and begins the background work. The first use does it too; a test passes another ledger
   * and a clock.
   * @throws REPRISE_STARTED when stores are passed after the first use; REPRISE_LEDGER_AWAY; REPRISE_BAD_DECLARATION
   */
  readonly start: (instead?: StartOptions<C["tx"]>) => Promise<void>;
  /** Stops the background work, waits for what is under way (10 s), aborts the rest, and closes the ledger and those of anchors. */
  readonly close: () => Promise<void>;
  /** For the page, the journal and the transports. */
  readonly "~inside": Inside;
}

export interface StartOptions<Tx> {
  readonly ledger?: Ledger<Tx> | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Declares; opens nothing. Everything that runs again is declared on what it returns.
 *
 * @example
 * const reprise = createReprise({ service: "shop", undecided: "listed" });
 * const product = reprise.cache.readThrough({ name: "product", scope: ["id"], freshFor: "60s", load: ({ id }) => db.product(id) });
 * await product.get({ id: "p1" });
 */
export function createReprise<
  // biome-ignore lint/complexity/noBannedTypes: no dimensions at all
  const D extends Dimensions = {},
  const O extends string | undefined = undefined,
  U extends "refused" | "listed" = "refused",
  L extends Ledger<unknown> | undefined = undefined,
>(
  options: RepriseOptions<D, O, U, L>,
): Reprise<{
  dimension: keyof D & string;
  personal: PersonalOf<D>;
  owner: O;
  undecided: U;
  ledger: L extends undefined ? false : true;
  tx: TxOf<L>;
}> {
  const instance = new Instance(options);
  // the types were checked where the caller wrote them; inside, declarations are data
  return instance.surface() as unknown as ReturnType<typeof createReprise<D, O, U, L>>;
}

type AnyOptions = RepriseOptions<Dimensions, string | undefined, "refused" | "listed", Ledger<unknown> | undefined>;

function boundOf(memory: MemoryOptions | null | undefined): Bound {
  if (memory?.maxBytes !== undefined) {
    return { unit: "bytes", most: bytes(memory.maxBytes, "createReprise, memory.maxBytes") };
  }
  return { unit: "entries", most: memory?.maxEntries ?? defaults.cache.maxEntries };
}

/** What the compiler says first; this is for whoever has none. */
function checkOptions({ service, memory, secrets, workers, dimensions = {} }: AnyOptions): void {
  const refuse = (where: string, why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where: `createReprise${where}`, why, mend });
  };
  if (typeof service !== "string" || service === "") {
    refuse("", "'service' is empty.", "It is part of every record's identity: name the service.");
  }
  if (secrets !== undefined && !["refuse", "warn", "off"].includes(secrets)) {
    refuse(", secrets", "it is no policy.", "Say 'refuse', 'warn' or 'off'.");
  }
  for (const [name, kind] of Object.entries(dimensions)) {
    if (kind !== "shared" && kind !== "personal") {
      refuse(`, dimensions.${name}`, "it is neither 'shared' nor 'personal'.", "Say whether it names a person.");
    }
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

function readsOf({ memory, stale, shared, source, failed }: CacheCounters): number {
  return memory + stale + shared + source + failed;
}

/** One instance: collects declarations, owns start and close, and lets what operations commit change caches. */
class Instance {
  readonly #options: AnyOptions;
  readonly #caches: ReturnType<typeof createCaches>;
  readonly #operations: ReturnType<typeof createOperations>;
  readonly #anchors: Anchors;
  readonly #sampler: Sampler | undefined;
  readonly #events = createEvents<CacheEvents & OperationEvents>();
  readonly #closing = new Abortable();
  /** Background work must not see who happened to use the instance first. */
  readonly #outside = AsyncLocalStorage.snapshot();
  readonly #inside: Inside;
  readonly #routes: (() => readonly WatchedRoute[])[] = [];
  #ledger: Ledger<unknown> | undefined;
  #clock: Clock;
  #opening: Promise<void> | undefined;
  #connecting: Promise<Ledger<unknown> | undefined> | undefined;
  #used = false;
  #closed: Promise<void> | undefined;
  #journal: { readonly stop: () => Promise<void> } | undefined;

  constructor(options: AnyOptions) {
    checkOptions(options);
    const { service, owner, memory, dimensions = {} } = options;
    const production = process.env["NODE_ENV"] === "production";
    this.#options = options;
    this.#ledger = options.ledger;
    this.#clock = options.clock ?? systemClock;
    const clock = () => this.#clock;
    const startedAt = this.#clock.now();
    const instance = options.instance ?? `${hostname()}-${process.pid}-${randomBytes(2).toString("hex")}`;
    const watches = memory !== null && memory?.workingSet !== false;
    this.#sampler = watches ? this.#createSampler() : undefined;
    this.#caches = createCaches({
      service,
      clock,
      dimensions,
      bound: boundOf(memory),
      eviction: memory?.eviction ?? defaults.cache.eviction,
      keeps: memory !== null,
      sources: options.sources,
      policies: { secrets: options.secrets ?? (production ? "off" : "warn"), freeze: !production },
      sampler: this.#sampler,
      // the compiler compares no generic functions over a part of the names
      tell: this.#events.emit as Tell,
      journal: options.ledger === undefined ? undefined : () => this.#openJournalOfWrites(),
      used: () => this.#use(),
    });
    this.#operations = createOperations(
      {
        service,
        instance,
        clock,
        ledger: () => this.#openLedger(),
        committed: (operation, input) => this.#caches.changed(operation, input),
        tell: this.#events.emit,
        closing: this.#closing,
      },
      owner,
      options.workers ?? defaults.background.workers,
    );
    this.#anchors = createAnchors({ service, instance, clock, closing: this.#closing });
    this.#inside = {
      service,
      instance,
      startedAt,
      clock,
      ledger: () => this.#ledger,
      anchorLedgers: () => this.#anchors.ledgers(),
      started: () => this.#open(),
      connected: () => this.#connect(),
      closing: this.#closing.signal,
      caches: () => this.#caches.list().map((cache) => ({ ...cache, owner: cache.declaration.owner ?? owner })),
      operations: () => this.#operations.list(),
      memory: () => {
        const { bound, eviction, entries, bytes } = this.#caches.memory;
        return { entries: entries(), bytes: bytes(), bound, eviction, declared: memory !== undefined };
      },
      watchRoutes: (list) => this.#routes.push(list),
      routes: () => this.#routes.flatMap((list) => list()),
      curve: (cache) => this.#curve(cache),
    };
  }

  /** It is told how many reads there were in all, to correct for hot keys that the sample has or lacks by chance. */
  #createSampler(): Sampler {
    const { sampledKeys, windowMs } = defaults.workingSet;
    const reads = (cache?: number): number =>
      this.#caches
        .list()
        .filter(({ id }) => cache === undefined || id === cache)
        .reduce((sum, { counters }) => sum + readsOf(counters), 0);
    const now = () => this.#clock.monotonic();
    return createSampler({ most: sampledKeys, windowMs, now, reads });
  }

  #curve(cache: string | undefined) {
    if (cache === undefined) return this.#sampler?.curve();
    const found = this.#caches.list().find(({ name }) => name === cache);
    return found === undefined ? undefined : this.#sampler?.curve(found.id);
  }

  surface() {
    return {
      cache: {
        readThrough: (declaration: CacheDeclaration) => this.#caches.readThrough(declaration),
        cacheAside: (declaration: CacheDeclaration) => this.#caches.cacheAside(declaration),
        writeThrough: (declaration: CacheDeclaration) => this.#caches.writeThrough(declaration),
        writeBehind: (declaration: CacheDeclaration) => this.#caches.writeBehind(declaration),
      },
      operation: (declaration: OperationDeclaration) => {
        if (this.#options.ledger === undefined) throw new RepriseError("REPRISE_NO_LEDGER", { name: declaration.name });
        return this.#operations.declare(declaration);
      },
      anchor: (options: AnchorOptions<unknown>) => this.#anchors.declare(options),
      context: { run: this.#caches.ambient.run, get: this.#caches.ambient.get },
      on: this.#events.on,
      decisions: () => [
        ...this.#decisions(),
        ...this.#inside.routes().map((route) => decideRoute(route, this.#options.owner)),
      ],
      start: (instead: StartOptions<unknown> = {}) => this.#start(instead),
      close: () => {
        this.#closed ??= this.#close();
        return this.#closed;
      },
      "~inside": this.#inside,
    };
  }

  #decisions(): readonly Decided[] {
    const { owner, dimensions = {}, sources, secrets } = this.#options;
    return [
      ...this.#caches
        .list()
        .map(({ declaration, changes }) =>
          decideCache(declaration, changes(), owner, dimensions, { sources, secrets }),
        ),
      ...this.#operations.list().map(({ declaration }) => decideOperation(declaration, owner)),
    ];
  }

  async #start(instead: StartOptions<unknown>): Promise<void> {
    if (instead.ledger !== undefined || instead.clock !== undefined) {
      if (this.#opening !== undefined || this.#connecting !== undefined) {
        throw new RepriseError("REPRISE_STARTED", { service: this.#options.service });
      }
      this.#ledger = instead.ledger ?? this.#ledger;
      this.#clock = instead.clock ?? this.#clock;
    }
    await this.#open();
  }

  /** The first use opens; what fails to open is tried again by the next use. */
  #open(): Promise<void> {
    if (this.#closed !== undefined) {
      return Promise.reject(new RepriseError("REPRISE_CLOSED", { service: this.#options.service }));
    }
    this.#opening ??= this.#openOnce().catch((error: unknown) => {
      this.#opening = undefined;
      this.#connecting = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openOnce(): Promise<void> {
    checkDecided(this.#decisions(), this.#options.undecided ?? "refused");
    const ledger = await this.#connect();
    // closed while it opened: nothing may begin that nobody stops
    if (this.#closed !== undefined) return;
    if (ledger !== undefined) this.#caches.checkJournal(ledger.writes, ledger.name);
    this.#outside(() => {
      this.#caches.start();
      if (ledger === undefined) return;
      this.#operations.start(ledger);
      this.#journal = startJournal(this.#inside, ledger);
    });
  }

  /** Opens the ledger alone, once; what fails to open is tried again. */
  #connect(): Promise<Ledger<unknown> | undefined> {
    if (this.#closed !== undefined) {
      return Promise.reject(new RepriseError("REPRISE_CLOSED", { service: this.#options.service }));
    }
    this.#connecting ??= this.#connectOnce().catch((error: unknown) => {
      this.#connecting = undefined;
      throw error;
    });
    return this.#connecting;
  }

  async #connectOnce(): Promise<Ledger<unknown> | undefined> {
    const ledger = this.#ledger;
    if (ledger === undefined) return undefined;
    this.#used = true;
    const away = () => new RepriseError("REPRISE_LEDGER_AWAY", { ledger: ledger.name, doing: "opening" });
    await withDeadline(this.#clock, defaults.openMs, ledger.open(), away);
    return ledger;
  }

  /**
   * A cached read is a use too. It is rejected where what is declared may not start, and waits for nothing else: it needs
   * no ledger.
   */
  #use(): void {
    if (this.#opening !== undefined || this.#closed !== undefined) return;
    checkDecided(this.#decisions(), this.#options.undecided ?? "refused");
    this.#outside(() => this.#caches.start());
    this.#open().catch(() => {});
  }

  async #openLedger(): Promise<Ledger<unknown>> {
    await this.#open();
    if (this.#ledger === undefined) throw new RepriseError("REPRISE_NO_LEDGER", { name: this.#options.service });
    return this.#ledger;
  }

  /** Also while the instance closes: what was acknowledged is then brought to its source. */
  async #openJournalOfWrites(): Promise<Ledger<unknown>["writes"]> {
    await (this.#opening ?? this.#open());
    return this.#ledger?.writes;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#opening?.catch(() => {}), this.#connecting?.catch(() => {})]);
    const closed = new RepriseError("REPRISE_CLOSED", { service: this.#options.service });
    const drained = Promise.all([this.#operations.drain(), this.#caches.close({ drainMs: defaults.drainMs })]);
    await withDeadline(this.#clock, defaults.drainMs, drained, () => closed).catch(async () => {
      this.#closing.abort(closed);
      await withDeadline(this.#clock, defaults.abortMs, drained, () => closed).catch(() => {});
    });
    this.#closing.abort(closed);
    await this.#journal?.stop();
    // from here on nobody is given the ledger that closes
    this.#opening = undefined;
    // also one that opened after its deadline
    const disconnected = Promise.all([this.#used ? this.#ledger?.close() : undefined, this.#anchors.close()]);
    await withDeadline(this.#clock, defaults.drainMs, disconnected, () => closed).catch(() => {});
  }
}
