import { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { RepriseError } from "../base/errors.ts";
import { sha256 } from "../base/names.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Carried } from "../operation/carry.ts";
import type { AnyRefused } from "../operation/outcome.ts";
import { Attempts } from "./attempts.ts";
import { Batch } from "./batch.ts";
import { type ConsumeCounters, type ConsumeCounts, createConsumeCounters } from "./counters.ts";
import type { ConsumeDeclaration, Consumer } from "./declaration.ts";
import { Receiving } from "./receiving.ts";
import { type ConsumeSettings, consumeSettingsOf } from "./settings.ts";

/** What the instance lends to its consumers. */
export interface ConsumeHost {
  readonly service: string;
  readonly clock: () => Clock;
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
  /** Gives back what has not begun, and waits for the rest. */
  readonly drain: () => Promise<void>;
}

export interface DeclaredConsumer {
  readonly name: string;
  readonly declaration: ConsumeDeclaration;
  readonly counters: ConsumeCounters;
}

export function createConsumers(host: ConsumeHost): Consumers {
  const declared = new Map<string, DeclaredConsumer & { readonly running: RunningConsumer }>();
  let ledger: Ledger<unknown> | undefined;
  let isDrained = false;
  return {
    declare: (declaration) => {
      const settings = consumeSettingsOf(declaration);
      const { name } = declaration.source;
      // two would take each other's messages
      if (declared.has(name)) throw new RepriseError("REPRISE_NAME_TWICE", { kind: "consumer", name });
      const counters = createConsumeCounters();
      const running = new RunningConsumer(host, declaration, settings, counters);
      declared.set(name, { name, declaration, counters, running });
      if (isDrained) void running.close();
      else if (ledger !== undefined) running.start(ledger);
      return running;
    },
    list: () => [...declared.values()],
    start: (opened) => {
      ledger = opened;
      for (const { running } of declared.values()) running.start(opened);
    },
    drain: async () => {
      isDrained = true;
      await Promise.all([...declared.values()].map(({ running }) => running.close()));
    },
  };
}

class RunningConsumer implements Consumer {
  readonly name: string;
  readonly ready: Promise<void>;
  readonly #host: ConsumeHost;
  readonly #declaration: ConsumeDeclaration;
  readonly #settings: ConsumeSettings;
  readonly #counters: ConsumeCounters;
  readonly #draining = new Abortable();
  #began = () => {};
  #refused: (reason: Error) => void = () => {};
  #receiving: Receiving | undefined;
  #paused = false;

  constructor(
    host: ConsumeHost,
    declaration: ConsumeDeclaration,
    settings: ConsumeSettings,
    counters: ConsumeCounters,
  ) {
    this.name = declaration.source.name;
    this.#host = host;
    this.#declaration = declaration;
    this.#settings = settings;
    this.#counters = counters;
    this.ready = new Promise((resolve, reject) => {
      this.#began = resolve;
      this.#refused = reject;
    });
    // whoever does not ask is told by the warning
    this.ready.catch(() => {});
  }

  readonly counts = (): ConsumeCounts => structuredClone(this.#counters);
  readonly pause = (): void => this.#pause(true);
  readonly resume = (): void => this.#pause(false);
  readonly close = async (): Promise<void> => {
    this.#draining.abort(new RepriseError("REPRISE_CLOSED", { service: this.#host.service }));
    this.#refused(new RepriseError("REPRISE_CLOSED", { service: this.#host.service }));
    await this.#receiving?.drained();
  };

  start(ledger: Ledger<unknown>): void {
    if (this.#draining.reason !== undefined) return;
    const { registers } = ledger;
    const { operation, source } = this.#declaration;
    const settings = this.#settings;
    const refused = (reason: Error) => {
      this.#refused(reason);
      process.emitWarning(`${settings.where} does not begin: ${reason.message}`, { code: "REPRISE_CONSUMER_REFUSED" });
    };
    if (registers === undefined) {
      const why = `ledger '${ledger.name}' keeps no registers, so nobody can count the attempts at a message.`;
      const mend = "Use a ledger that does.";
      refused(new RepriseError("REPRISE_BAD_DECLARATION", { where: settings.where, why, mend }));
      return;
    }
    const clock = this.#host.clock();
    // of its operation and its source, both as they are shared by every process
    const prefix = `consume/${sha256(JSON.stringify([this.#host.service, operation.name, source.name])).slice(0, 32)}/`;
    const carried = operation as unknown as Carried<unknown, unknown, AnyRefused>;
    const { together } = carried["~carry"];
    const stores = {
      ...{ settings, source, clock },
      operation: carried,
      batch: settings.batch === null || together === undefined ? null : new Batch(clock, together, settings.batch),
      attempts: new Attempts(registers, clock, prefix),
      counters: this.#counters,
      draining: this.#draining,
      closing: this.#host.closing,
    };
    this.#receiving = new Receiving(stores, { began: this.#began, refused });
    this.#receiving.paused = this.#paused;
    this.#receiving.start();
  }

  #pause(paused: boolean): void {
    this.#paused = paused;
    if (this.#receiving !== undefined) this.#receiving.paused = paused;
  }
}
