import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { insist } from "../base/insist.ts";
import { LastAnswer } from "../base/last-answer.ts";
import { counterOf, numberOf } from "../contract/appended.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Source } from "../contract/source.ts";
import { createOutboxCounters, type OutboxCounters } from "./counters.ts";
import { deadLettersOf } from "./dead-letters.ts";
import type { AnyOutboxDeclaration, OutboxQueue, OutboxStanding } from "./declaration.ts";
import { areQueue, type OutboxHost, type OutboxStores } from "./host.ts";
import { encodeMessage, messageOf } from "./message.ts";
import { OtherForms } from "./other-forms.ts";
import { QueueReceiver } from "./receiver.ts";
import { Relay } from "./relay.ts";
import { type OutboxSettings, outboxSettingsOf } from "./settings.ts";
import { Waiter } from "./waiter.ts";

/** The outboxes of one instance. */
export interface Outboxes {
  /** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE, REPRISE_NAME_TWICE */
  readonly declare: (declaration: AnyOutboxDeclaration) => DeclaredOutbox;
  readonly list: () => readonly DeclaredOutbox[];
  /** Takes the ledger that is open. @throws REPRISE_BAD_DECLARATION where messages cannot be committed in it */
  readonly connect: (ledger: Ledger<unknown>) => void;
  /** Begins to send with what is declared, and from then on with what is declared later. */
  readonly start: () => void;
  /** Sends once what is there, for a process that begins nothing by itself. No batch begins after `endsAt`. Never rejects. */
  readonly relay: (endsAt: number) => Promise<void>;
  /** Begins to send nothing any more, and waits for what is under way; messages can be published still. */
  readonly drain: () => Promise<void>;
}

/** With its types erased; `OutboxVerb` gives them back. */
export interface DeclaredOutbox extends OutboxQueue<unknown, unknown> {
  readonly declaration: AnyOutboxDeclaration;
  readonly settings: OutboxSettings;
  readonly counters: OutboxCounters;
  /** What waits, as the ledger told it last while this instance is open; `null`: nobody knows. */
  readonly lastStanding: () => OutboxStanding | null;
}

export function createOutboxes(host: OutboxHost): Outboxes {
  const declared = new Map<string, OneOutbox>();
  let state: "waits" | "started" | "drained" = "waits";
  let ledger: Ledger<unknown> | undefined;
  return {
    declare: (declaration) => {
      const settings = outboxSettingsOf(host.service, declaration);
      const { name } = settings;
      // two would send each other's messages
      if (declared.has(name)) throw new RepriseError("REPRISE_NAME_TWICE", { kind: "outbox", name });
      const outbox = new OneOutbox(host, settings);
      if (ledger !== undefined) outbox.connect(ledger);
      declared.set(name, outbox);
      if (state === "started") outbox.start();
      return outbox;
    },
    list: () => [...declared.values()],
    connect: (opened) => {
      ledger = opened;
      for (const outbox of declared.values()) outbox.connect(opened);
    },
    start: () => {
      state = "started";
      for (const outbox of declared.values()) outbox.start();
    },
    relay: async (endsAt) => {
      await Promise.all([...declared.values()].map((outbox) => outbox.relay(endsAt)));
    },
    drain: async () => {
      state = "drained";
      await Promise.all([...declared.values()].map((outbox) => outbox.stop()));
    },
  };
}

class OneOutbox implements DeclaredOutbox {
  readonly name: string;
  readonly declaration: AnyOutboxDeclaration;
  readonly counters = createOutboxCounters();
  readonly settings: OutboxSettings;
  readonly #host: OutboxHost;
  readonly #waiter = new Waiter();
  readonly #otherForms: OtherForms;
  #stores: OutboxStores | undefined;
  #relay: Relay | undefined;
  #last: LastAnswer<OutboxStanding | null> | undefined;

  constructor(host: OutboxHost, settings: OutboxSettings) {
    this.name = settings.name;
    this.declaration = settings.declaration;
    this.#host = host;
    this.settings = settings;
    this.#otherForms = new OtherForms(settings.name);
  }

  connect(ledger: Ledger<unknown>): void {
    this.#stores = this.#on(ledger);
    const { standingEveryMs: everyMs, standingMs: withinMs } = defaults.outbox;
    const { clock } = this.#stores;
    this.#last = new LastAnswer({ clock, ask: this.standing, unknown: null, everyMs, withinMs });
  }

  start(): void {
    this.#relaying()?.start();
  }

  async relay(endsAt: number): Promise<void> {
    await this.#relaying()?.relay(endsAt);
  }

  #relaying(): Relay | undefined {
    const { to } = this.declaration;
    if (to !== undefined && this.#stores !== undefined) this.#relay ??= new Relay(this.#stores, to);
    return this.#relay;
  }

  async stop(): Promise<void> {
    // the ledger closes soon
    this.#last?.stop();
    await this.#relay?.stop();
  }

  readonly publishIn = async (tx: unknown, given: unknown): Promise<void> => {
    const message = await messageOf(this.settings, given);
    // whoever holds a transaction may hold the very connection that the ledger waits for to open
    const { registers } = await this.#connected(defaults.ledger.joinMs);
    await registers.appendIn(tx, this.settings.names.messages, encodeMessage(message));
    this.counters.published += 1;
    this.#waiter.published();
  };

  readonly lastStanding = () => this.#last?.latest ?? null;

  readonly counts = () => ({ ...this.counters });

  readonly standing = async () => {
    const { clock, registers } = await this.#connected();
    const { messages } = this.settings.names;
    const [oldest] = await insist(clock, () => registers.list({ prefix: messages, after: null, limit: 1 }));
    if (oldest === undefined) return { waiting: 0, oldestAt: null };
    const counted = await insist(clock, () => registers.read(counterOf(messages)));
    return { waiting: Number(counted?.value) - numberOf(oldest.name) + 1, oldestAt: new Date(oldest.at) };
  };

  readonly source = (): Source => {
    if (this.declaration.to !== undefined) {
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: `outbox '${this.name}'`,
        why: `its messages go to '${this.declaration.to.name}', so none is received from here.`,
        mend: "Receive them there, or leave out 'to'.",
      });
    }
    return {
      name: `outbox ${this.name}`,
      delays: false,
      horizon: async () => null,
      standing: async () => {
        const { waiting } = await this.standing();
        const { clock, registers, settings } = await this.#connected();
        const query = { prefix: settings.names.deadLetters, after: null, limit: defaults.outbox.mostCounted };
        const setAside = await insist(clock, () => registers.list(query));
        return { waiting, setAside: setAside.length };
      },
      open: async (most) => new QueueReceiver(await this.#connected(), most),
      deadLetters: async () => deadLettersOf(await this.#connected()),
    };
  };

  async #connected(waitMs?: number): Promise<OutboxStores> {
    // also while the instance closes: what is under way publishes still
    this.#stores ??= this.#on(await this.#host.ledger(waitMs));
    return this.#stores;
  }

  #on(ledger: Ledger<unknown>): OutboxStores {
    const { registers, leases } = ledger;
    if (!areQueue(registers) || leases === undefined) {
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: `outbox '${this.name}'`,
        why: `ledger '${ledger.name}' has no transactions that a message could be committed in, or keeps no leases.`,
        mend: "Use one that has and does.",
      });
    }
    const clock = this.#host.clock();
    return {
      ...{ ledger, registers, leases, clock },
      settings: this.settings,
      instance: this.#host.instance,
      counters: this.counters,
      waiter: this.#waiter,
      otherForms: this.#otherForms,
      closing: this.#host.closing,
    };
  }
}
