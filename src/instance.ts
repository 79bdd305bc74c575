import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { Abortable } from "./base/abortable.ts";
import { type Clock, systemClock } from "./base/clock.ts";
import { defaults } from "./base/defaults.ts";
import { RepriseError } from "./base/errors.ts";
import { createEvents } from "./base/events.ts";
import { withDeadline } from "./base/promise.ts";
import { createCaches } from "./cache/caches.ts";
import type { CacheCounters } from "./cache/counters.ts";
import type { CacheDeclaration } from "./cache/declaration.ts";
import type { CacheEvents, Tell } from "./cache/events.ts";
import { type Consumers, createConsumers } from "./consume/consumers.ts";
import type { ConsumeDeclaration, ConsumeOptions } from "./consume/declaration.ts";
import type { Ledger } from "./contract/ledger.ts";
import type { Source } from "./contract/source.ts";
import { checkDecided } from "./decisions/check.ts";
import {
  decideCache,
  decideConsumer,
  decideLoad,
  decideOperation,
  decideOutbox,
  decideRoute,
  decideSchedule,
} from "./decisions/decide.ts";
import type { Decided } from "./decisions/decided.ts";
import { createLeases, type Leases } from "./lease/hold.ts";
import type { LeaseDeclaration } from "./lease/surface.ts";
import type { LoadDeclaration } from "./load/declaration.ts";
import { createLoads } from "./load/loads.ts";
import type { Inside, WatchedRoute } from "./observe/inside.ts";
import { startJournal } from "./observe/journal.ts";
import { createSampler, type Sampler } from "./observe/working-set/sampler.ts";
import { type AnchorOptions, type Anchors, createAnchors } from "./operation/anchor.ts";
import type { OperationDeclaration } from "./operation/declaration.ts";
import type { OperationEvents } from "./operation/events.ts";
import { createOperations } from "./operation/operations.ts";
import { type AnyOptions, boundOf, checkOptions, type StartOptions } from "./options.ts";
import type { AnyOutboxDeclaration } from "./outbox/declaration.ts";
import { createOutboxes, type Outboxes } from "./outbox/outboxes.ts";
import type { ScheduleDeclaration } from "./schedule/declaration.ts";
import type { ScheduleEvents } from "./schedule/events.ts";
import { createSchedules, type Schedules } from "./schedule/schedules.ts";

function readsOf({ memory, stale, shared, source, failed }: CacheCounters): number {
  return memory + stale + shared + source + failed;
}

/** One instance: collects declarations, owns start and close, and lets what operations commit change caches. */
export class Instance {
  readonly #options: AnyOptions;
  readonly #caches: ReturnType<typeof createCaches>;
  readonly #operations: ReturnType<typeof createOperations>;
  readonly #loads: ReturnType<typeof createLoads>;
  readonly #schedules: Schedules;
  readonly #consumers: Consumers;
  readonly #outboxes: Outboxes;
  readonly #anchors: Anchors;
  readonly #leases: Leases;
  readonly #sampler: Sampler | undefined;
  readonly #events = createEvents<CacheEvents & OperationEvents & ScheduleEvents>();
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
  #aside = false;
  #closed: Promise<void> | undefined;
  #journal: { readonly stop: () => Promise<void> } | undefined;

  constructor(options: AnyOptions) {
    checkOptions(options);
    const { service, owner, memory, dimensions = {} } = options;
    const production = process.env["NODE_ENV"] === "production";
    this.#options = options;
    this.#ledger = options.ledger;
    this.#clock = options.clock ?? systemClock;
    this.#aside = options.background === "elsewhere";
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
        ledger: (waitMs) => this.#openLedger(waitMs),
        ledgerName: () => this.#ledger?.name ?? "none",
        committed: (operation, input) => this.#caches.changed(operation, input),
        tell: this.#events.emit,
        closing: this.#closing,
      },
      owner,
      options.workers ?? defaults.background.workers,
    );
    this.#loads = createLoads(
      {
        ...{ service, instance, clock, closing: this.#closing },
        ledger: () => this.#openLedger(),
        connected: async () => {
          const ledger = await this.#connect();
          if (ledger === undefined) throw new RepriseError("REPRISE_NO_LEDGER", { name: service });
          return ledger;
        },
      },
      owner,
    );
    this.#schedules = createSchedules(
      {
        service,
        instance,
        clock,
        connected: () => this.#connect(),
        operation: (declaration) => this.#operations.declare(declaration),
        tell: this.#events.emit,
        closing: this.#closing,
      },
      owner,
      options.workers !== 0,
    );
    this.#consumers = createConsumers({
      ...{ service, clock, closing: this.#closing },
      ownerOf: (operation) => this.#operations.list().find(({ name }) => name === operation)?.owner,
    });
    this.#outboxes = createOutboxes({
      ...{ service, instance, clock, closing: this.#closing },
      ledger: (waitMs) => this.#openLedger(waitMs),
    });
    this.#anchors = createAnchors({ service, instance, clock, closing: this.#closing });
    const ledger = async () => {
      await this.#open();
      return this.#ledger;
    };
    const use = () => {
      if (this.#closed !== undefined) throw new RepriseError("REPRISE_CLOSED", { service });
      this.#use();
    };
    this.#leases = createLeases({ service, instance, clock, use, ledger, closing: this.#closing });
    this.#inside = {
      service,
      instance,
      startedAt,
      clock,
      ledger: () => this.#ledger,
      anchorLedgers: () => this.#anchors.ledgers(),
      started: () => this.#open(),
      connected: () => this.#connect(),
      stayAside: () => {
        this.#aside = true;
      },
      keepUp: (leftMs) => this.#keepUp(leftMs),
      closing: this.#closing.signal,
      caches: () => this.#caches.list().map((cache) => ({ ...cache, owner: cache.declaration.owner ?? owner })),
      operations: () => this.#operations.list(),
      loads: () => this.#loads.list(),
      schedules: () => this.#schedules.list(),
      consumers: () => this.#consumers.list(),
      outboxes: () => this.#outboxes.list(),
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
        this.#needLedger(declaration);
        return this.#operations.declare(declaration);
      },
      load: (declaration: LoadDeclaration) => {
        this.#needLedger(declaration);
        return this.#loads.declare(declaration);
      },
      schedule: (declaration: ScheduleDeclaration) => {
        this.#needLedger(declaration);
        return this.#schedules.declare(declaration);
      },
      consume: (operation: ConsumeDeclaration["operation"], source: Source, options: ConsumeOptions<never> = {}) => {
        this.#needLedger(source);
        return this.#consumers.declare({ operation, source, options });
      },
      outbox: (declaration: AnyOutboxDeclaration) => {
        this.#needLedger(declaration);
        return this.#outboxes.declare(declaration);
      },
      anchor: (options: AnchorOptions<unknown>) => this.#anchors.declare(options),
      lease: (name: string, declaration?: LeaseDeclaration) => this.#leases.declare(name, declaration),
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

  /** What the compiler says first; this is for whoever has none. */
  /** @param declaration not every caller's types were checked */
  #needLedger(declaration: { readonly name: string } | undefined): void {
    if (this.#options.ledger !== undefined) return;
    throw new RepriseError("REPRISE_NO_LEDGER", { name: String(declaration?.name) });
  }

  #decisions(): readonly Decided[] {
    const { owner, dimensions = {}, sources, secrets } = this.#options;
    return [
      ...this.#caches
        .list()
        .map(({ declaration, changes }) =>
          decideCache(declaration, changes(), owner, dimensions, { sources, secrets }),
        ),
      // a schedule answers for the runs of its ticks
      ...this.#operations
        .list()
        .filter(({ declaration }) => declaration["~schedule"] !== true)
        .map(({ declaration }) => decideOperation(declaration, owner)),
      ...this.#loads.list().map(({ declaration }) => decideLoad(declaration, owner)),
      ...this.#schedules.list().map(({ declaration }) => decideSchedule(declaration, owner)),
      ...this.#consumers.list().map((consumer) => decideConsumer(consumer)),
      ...this.#outboxes.list().map((outbox) => decideOutbox(outbox, owner)),
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
    if (ledger !== undefined) {
      this.#caches.checkJournal(ledger.writes, ledger.name);
      this.#loads.start(ledger);
      this.#schedules.check(ledger);
      this.#outboxes.connect(ledger);
    }
    this.#outside(() => {
      this.#caches.start();
      if (ledger === undefined) return;
      this.#operations.start(ledger, !this.#aside);
      if (this.#options.background === "elsewhere") this.#consumers.refuse(nothingHere());
      if (this.#aside) return;
      this.#schedules.start(ledger);
      this.#consumers.start(ledger);
      this.#outboxes.start();
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
   * A cached read is a use too, and so is a lease with a store of its own. It is rejected where what is declared may not
   * start, and waits for nothing else: it needs no ledger.
   */
  #use(): void {
    if (this.#opening !== undefined || this.#closed !== undefined) return;
    checkDecided(this.#decisions(), this.#options.undecided ?? "refused");
    this.#outside(() => this.#caches.start());
    this.#open().catch(() => {});
  }

  async #openLedger(waitMs = Infinity): Promise<Ledger<unknown>> {
    const ledger = this.#ledger;
    if (ledger === undefined) throw new RepriseError("REPRISE_NO_LEDGER", { name: this.#options.service });
    const late = () => new RepriseError("REPRISE_LEDGER_BUSY", { ledger: ledger.name, afterMs: waitMs });
    const opening = this.#open();
    await (waitMs === Infinity ? opening : withDeadline(this.#clock, waitMs, opening, late));
    return ledger;
  }

  async #keepUp(leftMs: number): Promise<void> {
    const endsAt = this.#clock.monotonic() + leftMs;
    const ledger = await this.#openLedger(leftMs);
    // a broker that does not answer is said by the relay itself, and keeps nobody beyond the time
    const relay = () => {
      const left = Math.max(0, endsAt - this.#clock.monotonic());
      return withDeadline(this.#clock, left, this.#outboxes.relay(endsAt), () => new Error("time is up")).catch(
        () => {},
      );
    };
    const relaying = relay();
    try {
      await this.#operations.keepUp(ledger, endsAt);
    } finally {
      await relaying;
    }
    // also what those runs have published
    await relay();
  }

  /** Also while the instance closes: what was acknowledged is then brought to its source. */
  async #openJournalOfWrites(): Promise<Ledger<unknown>["writes"]> {
    await (this.#opening ?? this.#open());
    return this.#ledger?.writes;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#opening?.catch(() => {}), this.#connecting?.catch(() => {})]);
    const closed = new RepriseError("REPRISE_CLOSED", { service: this.#options.service });
    const drained = Promise.all([
      this.#loads.drain(),
      Promise.all([this.#schedules.drain(), this.#consumers.drain()]).then(() => this.#operations.drain()),
      this.#outboxes.drain(),
      this.#leases.drain(),
      this.#caches.close({ drainMs: defaults.drainMs }),
    ]);
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

function nothingHere(): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", {
    where: "consumer",
    why: 'its instance begins nothing by itself (background: "elsewhere").',
    mend: "Consume in an instance that does, or let the platform call a function for each message.",
  });
}
