import { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { RepriseError } from "../base/errors.ts";
import type { LastAnswer } from "../base/last-answer.ts";
import { sha256 } from "../base/names.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Registers } from "../contract/registers.ts";
import type { SourceStanding } from "../contract/source.ts";
import type { Carried } from "../operation/carry.ts";
import type { AnyRefused } from "../operation/outcome.ts";
import { Attempts } from "./attempts.ts";
import { Batch, type Executes } from "./batch.ts";
import { type ConsumeCounters, type ConsumeCounts, createConsumeCounters } from "./counters.ts";
import type { ConsumeDeclaration, Consumer, RedriveCounts, RedriveOptions } from "./declaration.ts";
import { checkChoice, type LetterChoice } from "./letter-choice.ts";
import { ReadyBatch } from "./ready.ts";
import { Receiving } from "./receiving.ts";
import { type LetterCounts, type LookedLetters, SetAside } from "./set-aside.ts";
import { type ConsumeSettings, consumeSettingsOf, registersOf } from "./settings.ts";
import { askStanding, lastStandingOf } from "./standing.ts";

/** What the instance lends to its consumers. */
export interface ConsumeHost {
  readonly service: string;
  readonly clock: () => Clock;
  /** Who answers for an operation. */
  readonly ownerOf: (operation: string) => string | undefined;
  /** Aborted when the instance closes and no longer waits. */
  readonly closing: Abortable;
}

/** The consumers of one instance. */
export interface Consumers {
  /** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_NAME_TWICE */
  readonly declare: (declaration: ConsumeDeclaration) => Consumer;
  readonly list: () => readonly DeclaredConsumer[];
  /** Begins to receive with what is declared, and from then on with what is declared later. */
  readonly start: (ledger: Ledger<unknown>) => void;
  /** None of them ever begins, for this reason. */
  readonly refuse: (reason: RepriseError) => void;
  /** Gives back what has not begun, and waits for the rest. */
  readonly drain: () => Promise<void>;
}

/** A consumer as its instance sees it. */
export interface DeclaredConsumer {
  readonly name: string;
  /** Its operation's. */
  readonly owner: string | undefined;
  readonly declaration: ConsumeDeclaration;
  readonly settings: ConsumeSettings;
  readonly counters: ConsumeCounters;
  /** Of its source, in milliseconds; `null`: nothing ends redelivery; `undefined`: nobody has asked, here. */
  readonly horizonMs: () => number | null | undefined;
  /** How much there is, as the broker told it last while this receives; `null`: this does not receive. */
  readonly lastStanding: () => SourceStanding | null;
  readonly standing: () => Promise<SourceStanding>;
  readonly letters: (choice: LetterChoice) => Promise<LookedLetters>;
  readonly redriveLetters: (choice: LetterChoice) => Promise<LetterCounts>;
  readonly discardLetters: (choice: LetterChoice) => Promise<LetterCounts>;
}

export function createConsumers(host: ConsumeHost): Consumers {
  const declared = new Map<string, RunningConsumer>();
  let ledger: Ledger<unknown> | undefined;
  let isDrained = false;
  let refused: RepriseError | undefined;
  return {
    declare: (declaration) => {
      const settings = consumeSettingsOf(declaration);
      const { name } = declaration.source;
      // two would take each other's messages
      if (declared.get(name)?.isClosed === false)
        throw new RepriseError("REPRISE_NAME_TWICE", { kind: "consumer", name });
      const running = new RunningConsumer(host, declaration, settings);
      declared.set(name, running);
      if (refused !== undefined) running.refuse(refused);
      if (isDrained) void running.close();
      else if (ledger !== undefined) running.start(ledger);
      return running;
    },
    list: () => [...declared.values()],
    start: (opened) => {
      ledger = opened;
      for (const running of declared.values()) running.start(opened);
    },
    refuse: (reason) => {
      refused = reason;
      for (const running of declared.values()) running.refuse(reason);
    },
    drain: async () => {
      isDrained = true;
      await Promise.all([...declared.values()].map((running) => running.close()));
    },
  };
}

/** `null`: each message is executed by itself. */
function batchOf(
  { batch }: ConsumeSettings,
  { "~carry": { execute: alone, together } }: Carried<unknown, unknown, AnyRefused>,
  ledger: Ledger<unknown>,
  clock: Clock,
): Executes | null {
  if (batch === null || together === undefined) return null;
  const { most, withinMs } = batch;
  if (withinMs !== null) return new Batch(clock, together, { most, withinMs });
  // one after the other in one transaction gains little, and what holds it up holds up all
  return ledger.batch === undefined ? null : new ReadyBatch(clock, { alone, together }, most);
}

class RunningConsumer implements Consumer, DeclaredConsumer {
  readonly name: string;
  readonly owner: string | undefined;
  readonly ready: Promise<void>;
  readonly declaration: ConsumeDeclaration;
  readonly settings: ConsumeSettings;
  readonly counters = createConsumeCounters();
  readonly #host: ConsumeHost;
  readonly #draining = new Abortable();
  readonly #byHand = new Set<Promise<unknown>>();
  #lastStanding: LastAnswer<SourceStanding> | undefined;
  #horizonMs: number | null | undefined;
  #began = () => {};
  #refused: (reason: Error) => void = () => {};
  #receiving: Receiving | undefined;
  #paused = false;
  #isClosed = false;

  constructor(host: ConsumeHost, declaration: ConsumeDeclaration, settings: ConsumeSettings) {
    this.name = declaration.source.name;
    this.owner = host.ownerOf(declaration.operation.name);
    this.#host = host;
    this.declaration = declaration;
    this.settings = settings;
    this.ready = new Promise((resolve, reject) => {
      this.#began = resolve;
      this.#refused = reject;
    });
    // whoever does not ask is told by the warning
    this.ready.catch(() => {});
  }

  readonly counts = (): ConsumeCounts => structuredClone(this.counters);
  readonly pause = (): void => this.#pause(true);
  readonly resume = (): void => this.#pause(false);
  readonly close = async (): Promise<void> => {
    this.#draining.abort(new RepriseError("REPRISE_CLOSED", { service: this.#host.service }));
    this.#refused(new RepriseError("REPRISE_CLOSED", { service: this.#host.service }));
    await Promise.all([this.#receiving?.drained(), Promise.allSettled(this.#byHand)]);
    this.#isClosed = true;
  };
  /** Says that it never begins. */
  readonly refuse = (reason: RepriseError): void => this.#refused(reason);
  readonly redrive = async (options: RedriveOptions = {}): Promise<RedriveCounts> => {
    checkChoice(this.name, options, ["reason", "most"]);
    const { reason, most } = options;
    const { done: redriven, gone, more } = await this.redriveLetters({ reason, most });
    return { redriven, gone, more };
  };

  readonly horizonMs = () => this.#horizonMs;
  readonly lastStanding = () => (this.#draining.reason === undefined ? (this.#lastStanding?.latest ?? null) : null);
  readonly standing = () => this.#doByHand(() => askStanding(this.declaration.source, this.#host.clock()));
  readonly letters = (choice: LetterChoice) => this.#doByHand(() => this.#setAside.list(choice));
  readonly redriveLetters = (choice: LetterChoice) => this.#doByHand(() => this.#setAside.redrive(choice));
  readonly discardLetters = (choice: LetterChoice) => this.#doByHand(() => this.#setAside.discard(choice));

  /** Nothing of it is under way any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  start(ledger: Ledger<unknown>): void {
    if (this.#draining.reason !== undefined) return;
    const { declaration, settings, counters } = this;
    const { operation, source } = declaration;
    const refused = (reason: Error) => {
      this.#refused(reason);
      process.emitWarning(`${settings.where} does not begin: ${reason.message}`, { code: "REPRISE_CONSUMER_REFUSED" });
    };
    let registers: Registers<unknown>;
    try {
      registers = registersOf(settings, ledger);
    } catch (reason) {
      refused(reason as Error);
      return;
    }
    const clock = this.#host.clock();
    // of its operation and its source, both as they are shared by every process
    const prefix = `consume/${sha256(JSON.stringify([this.#host.service, operation.name, source.name])).slice(0, 32)}/`;
    const carried = operation as unknown as Carried<unknown, unknown, AnyRefused>;
    const stores = {
      ...{ settings, source, clock },
      operation: carried,
      batch: batchOf(settings, carried, ledger, clock),
      attempts: new Attempts(registers, clock, prefix),
      counters,
      draining: this.#draining,
      closing: this.#host.closing,
    };
    this.#lastStanding = lastStandingOf(source, clock);
    const horizon = (ms: number | null) => {
      this.#horizonMs = ms;
    };
    this.#receiving = new Receiving(stores, { began: this.#began, horizon, refused });
    this.#receiving.paused = this.#paused;
    this.#receiving.start();
  }

  get #setAside(): SetAside {
    return new SetAside(this.declaration.source, this.#host.clock());
  }

  /** Also before it receives, and beside it; `close` waits for its end. */
  #doByHand<T>(work: () => Promise<T>): Promise<T> {
    const { reason } = this.#draining;
    if (reason !== undefined) return Promise.reject(reason);
    const doing = work();
    this.#byHand.add(doing);
    const leave = () => void this.#byHand.delete(doing);
    doing.then(leave, leave);
    return doing;
  }

  #pause(paused: boolean): void {
    this.#paused = paused;
    if (this.#receiving !== undefined) this.#receiving.paused = paused;
  }
}
