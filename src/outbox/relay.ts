import { Abortable } from "../base/abortable.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { insist } from "../base/insist.ts";
import { labelOfError } from "../base/label.ts";
import { rest, withDeadline } from "../base/promise.ts";
import type { Publisher, Sender } from "../contract/publisher.ts";
import type { Register } from "../contract/registers.ts";
import type { Lease } from "../lease/lease.ts";
import type { OutboxStores } from "./host.ts";
import { decodeMessage } from "./message.ts";
import { takeTurn } from "./turn.ts";

/** From the lease on until it is given back. */
interface Round {
  readonly ending: Abortable;
  /** It waits for nobody and nothing. */
  readonly isOnce: boolean;
  /** Called after each batch. */
  readonly sent: () => void;
}

/**
 * Sends what was committed, oldest first, in one instance at a time, and removes it when the broker has it. Whatever goes
 * wrong in between, the head is sent again: the first copies of all messages stay in the order of their commits.
 */
export class Relay {
  readonly #stores: OutboxStores;
  readonly #to: Publisher;
  readonly #draining = new Abortable();
  #loop: Promise<void> | undefined;
  #warned = false;
  /** A broker that refuses a part of each batch takes its head by itself, and so gets on. */
  #most: number = defaults.outbox.batch;

  constructor(stores: OutboxStores, to: Publisher) {
    this.#stores = stores;
    this.#to = to;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Begins no batch any more, and waits for the one under way. */
  async stop(): Promise<void> {
    this.#draining.abort(new Error("the relay stops"));
    await this.#loop;
  }

  /**
   * Sends what is there, once, in a process that the platform ends: nothing where another one is at it, and no batch begins
   * after `endsAt`, by the monotonic clock. Never rejects.
   */
  async relay(endsAt: number): Promise<void> {
    const { clock } = this.#stores;
    const ending = new Abortable();
    const cancel = clock.timer(Math.max(0, endsAt - clock.monotonic()), () => ending.abort(new Error("time is up")));
    try {
      await this.#holding({ ending, isOnce: true, sent: () => {} });
    } catch (error) {
      this.#warn(error);
    }
    cancel();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock } = this.#stores;
    const { signal } = this.#draining;
    const { awayMs } = defaults.outbox;
    let pauseMs: number = awayMs.least;
    while (!signal.aborted) {
      try {
        const sent = () => {
          pauseMs = awayMs.least;
        };
        await this.#holding({ ending: new Abortable(), isOnce: false, sent });
      } catch (error) {
        this.#warn(error);
      }
      // whoever else holds the lease meanwhile goes on where this one stood
      await rest(clock, pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, awayMs.most);
    }
  }

  /** While it holds the lease. Resolves when it stops; rejects where it cannot go on. */
  async #holding(round: Round): Promise<void> {
    const { ending, isOnce } = round;
    const stop = this.#draining.onAbort((reason) => ending.abort(reason));
    try {
      const taken = await takeTurn(this.#stores, ending.signal, { waits: !isOnce });
      if (taken === null) return;
      taken.lease.losing.onAbort((reason) => ending.abort(reason));
      const sending: { sender?: Sender } = {};
      try {
        await this.#send(taken.lease, round, sending);
      } finally {
        await this.#close(sending.sender);
        await taken.giveBack();
      }
    } finally {
      stop();
    }
  }

  async #send(lease: Lease, { ending, isOnce, sent }: Round, sending: { sender?: Sender }): Promise<void> {
    const { signal } = ending;
    const { clock, registers, settings, counters, waiter } = this.#stores;
    while (!signal.aborted) {
      const query = { prefix: settings.names.messages, after: null, limit: this.#most };
      const head = await insist(clock, () => registers.list(query));
      if (head.length === 0) {
        if (isOnce) return;
        await waiter.wait(clock, signal);
        continue;
      }
      waiter.found();
      const sender = sending.sender ?? (await this.#counted(() => this.#open()));
      sending.sender = sender;
      // where it is lost, whoever has it by now sends the same
      lease.check();
      const { sendMs, batch } = defaults.outbox;
      const sendingAll = () => this.#inTime("sending", sender.send(head.map(outgoing)), sendMs);
      await this.#counted(sendingAll).catch((error) => {
        this.#most = Math.max(1, Math.floor(head.length / 2));
        if (head.length > 1) sent();
        throw error;
      });
      this.#most = Math.min(this.#most * 2, batch);
      counters.relayed += head.length;
      this.#warned = false;
      // nothing is committed behind what was read, so this is all of it and nothing else
      const last = head.at(-1)?.name ?? "";
      await insist(clock, () => registers.removeThrough(settings.names.messages, last));
      sent();
    }
    // what ended it but a stop is an error to whoever began it
    if (this.#draining.reason === undefined) lease.check();
  }

  /** Counts and says what fails of it: that is the broker's, and all else the ledger's. */
  async #counted<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#stores.counters.failed += 1;
      this.#warn(error, `cannot send to '${this.#to.name}'`);
      throw error;
    }
  }

  async #open(): Promise<Sender> {
    const opening = this.#to.open();
    try {
      return await this.#inTime("opening", opening, defaults.outbox.openMs);
    } catch (error) {
      opening.then((late) => late.close()).catch(() => {});
      throw error;
    }
  }

  async #close(sender: Sender | undefined): Promise<void> {
    if (sender === undefined) return;
    await this.#inTime("closing", sender.close(), defaults.outbox.closeMs).catch(() => {});
  }

  #inTime<T>(doing: string, work: Promise<T>, ms: number): Promise<T> {
    const { clock } = this.#stores;
    const late = () => new RepriseError("REPRISE_PUBLISHER_AWAY", { publisher: this.#to.name, doing });
    return withDeadline(clock, ms, work, late);
  }

  /** Said once for each time that it begins to go wrong. */
  #warn(error: unknown, what = "cannot read what it holds, or remove what it sent"): void {
    if (this.#warned || this.#draining.reason !== undefined) return;
    if (this.#stores.otherForms.tell(error)) return;
    this.#warned = true;
    const { name } = this.#stores.settings;
    process.emitWarning(
      `Outbox '${name}' ${what} (${labelOfError(error)}) and tries again, in order; until it can, this is said once.`,
      { code: "REPRISE_OUTBOX_WAITS" },
    );
  }
}

function outgoing(register: Register) {
  const { id, body, sentAt } = decodeMessage(register);
  return { id, body, sentAt };
}
