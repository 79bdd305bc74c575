import { Abortable } from "../base/abortable.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { insist } from "../base/insist.ts";
import { labelOfError } from "../base/label.ts";
import { withDeadline } from "../base/promise.ts";
import type { Publisher, Sender } from "../contract/publisher.ts";
import type { Register } from "../contract/registers.ts";
import type { Lease } from "../lease/lease.ts";
import type { OutboxStores } from "./host.ts";
import { decodeMessage } from "./message.ts";
import { takeTurn } from "./turn.ts";
import { rest } from "./waiter.ts";

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

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock } = this.#stores;
    const { signal } = this.#draining;
    const { awayMs } = defaults.outbox;
    let pauseMs: number = awayMs.least;
    while (!signal.aborted) {
      try {
        await this.#holding(() => {
          pauseMs = awayMs.least;
        });
      } catch (error) {
        this.#warn(error);
      }
      // whoever else holds the lease meanwhile goes on where this one stood
      await rest(clock, pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, awayMs.most);
    }
  }

  /**
   * While it holds the lease. Resolves when it stops; rejects where it cannot go on.
   * @param sent called when something was sent, or when less is sent next: the pause after that is short
   */
  async #holding(sent: () => void): Promise<void> {
    const taken = await takeTurn(this.#stores, this.#draining.signal);
    if (taken === null) return;
    const ending = new Abortable();
    const stop = this.#draining.onAbort((reason) => ending.abort(reason));
    taken.lease.losing.onAbort((reason) => ending.abort(reason));
    const sending: { sender?: Sender } = {};
    try {
      await this.#send(taken.lease, ending.signal, sending, sent);
    } finally {
      stop();
      await this.#close(sending.sender);
      await taken.giveBack();
    }
  }

  async #send(lease: Lease, signal: AbortSignal, sending: { sender?: Sender }, sent: () => void): Promise<void> {
    const { clock, registers, settings, counters, waiter } = this.#stores;
    while (!signal.aborted) {
      const query = { prefix: settings.names.messages, after: null, limit: this.#most };
      const head = await insist(clock, () => registers.list(query));
      if (head.length === 0) {
        await waiter.wait(clock, signal);
        continue;
      }
      waiter.found();
      try {
        sending.sender ??= await this.#open();
        // where it is lost, whoever has it by now sends the same
        lease.check();
        const { sender } = sending;
        await this.#inTime("sending", sender.send(head.map(outgoing)), defaults.outbox.sendMs).catch((error) => {
          this.#most = Math.max(1, Math.floor(head.length / 2));
          if (head.length > 1) sent();
          throw error;
        });
      } catch (error) {
        counters.failed += 1;
        throw error;
      }
      this.#most = Math.min(this.#most * 2, defaults.outbox.batch);
      counters.relayed += head.length;
      this.#warned = false;
      // nothing is committed behind what was read, so this is all of it and nothing else
      const last = head.at(-1)?.name ?? "";
      await insist(clock, async () => registers.removeThrough?.(settings.names.messages, last));
      sent();
    }
    // what ended it but a stop is an error to whoever began it
    if (this.#draining.reason === undefined) lease.check();
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
  #warn(error: unknown): void {
    if (this.#warned || this.#draining.reason !== undefined) return;
    this.#warned = true;
    const { name } = this.#stores.settings;
    process.emitWarning(
      `Outbox '${name}' cannot send to '${this.#to.name}' (${labelOfError(error)}) and tries again, in order; until it can, this is said once.`,
      { code: "REPRISE_OUTBOX_WAITS" },
    );
  }
}

function outgoing(register: Register) {
  const { id, body, sentAt } = decodeMessage(register);
  return { id, body, sentAt };
}
