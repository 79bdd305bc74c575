import { Abortable } from "../base/abortable.ts";
import { insist } from "../base/insist.ts";
import { onAbort } from "../base/signals.ts";
import { UnderWay } from "../base/under-way.ts";
import { numberOf } from "../contract/appended.ts";
import type { Register } from "../contract/registers.ts";
import type { Delivery, Receiver, Settlement } from "../contract/source.ts";
import type { Taken } from "../lease/take.ts";
import { HandOut } from "./hand-out.ts";
import type { OutboxStores } from "./host.ts";
import { decodeMessage, encodeSetAside } from "./message.ts";
import { takeTurn } from "./turn.ts";

interface Held {
  readonly taken: Taken;
  readonly handOut: HandOut;
}

/** Hands out the messages of an outbox, in one process at a time: the others wait for its lease. */
export class QueueReceiver implements Receiver {
  readonly #stores: OutboxStores;
  readonly #most: number;
  /** Aborted when the lease is lost or it is closed: from then on nothing is settled. */
  readonly #ending = new Abortable();
  readonly #settling = new UnderWay<Promise<unknown>>();
  #holding: Promise<Held | null> | undefined;
  /** The newest that was read: whatever is committed later comes behind it. */
  #after: string | null = null;
  #unsettled = 0;
  /** It takes nothing more: another may receive once all that it was handed is settled. */
  #isStopped = false;
  /** What was given back, oldest first. */
  #returned: Register[] = [];
  #changed = () => {};

  constructor(stores: OutboxStores, most: number) {
    this.#stores = stores;
    this.#most = most;
  }

  readonly pull = async (most: number, signal: AbortSignal): Promise<readonly Delivery[]> => {
    const waiting = new Abortable();
    const stop = onAbort(signal, () => waiting.abort(new Error("nobody waits")));
    if (signal.aborted) waiting.abort(new Error("nobody waits"));
    const ignore = this.#ending.onAbort((reason) => waiting.abort(reason));
    try {
      const held = await this.#hold(waiting.signal);
      while (held !== null && waiting.reason === undefined) {
        const room = Math.min(most, this.#most - this.#unsettled);
        const found = room > 0 ? await this.#take(held.handOut, room, waiting) : [];
        if (found.length > 0) return found;
        await this.#change(room > 0, waiting.signal);
      }
    } catch (error) {
      this.#stores.otherForms.tell(error);
      this.#ending.abort(error instanceof Error ? error : new Error("its ledger refused it"));
    } finally {
      stop();
      ignore();
    }
    if (this.#ending.reason !== undefined) throw this.#ending.reason;
    return [];
  };

  readonly stop = async (first: Promise<unknown>): Promise<void> => {
    await first;
    this.#isStopped = true;
    if (this.#unsettled === 0) await this.#giveBack();
  };

  readonly close = async (): Promise<void> => {
    this.#ending.abort(new Error("it is closed"));
    // whoever receives next must not be handed what is settled a moment later
    await Promise.allSettled(this.#settling);
    await this.#giveBack();
  };

  async #giveBack(): Promise<void> {
    const held = await this.#holding?.catch(() => null);
    this.#holding = undefined;
    await held?.taken.giveBack();
  }

  /** `null`: the signal aborted before the lease was free. */
  async #hold(signal: AbortSignal): Promise<Held | null> {
    this.#holding ??= this.#begin(signal);
    const held = await this.#holding;
    if (held === null) this.#holding = undefined;
    return held;
  }

  async #begin(signal: AbortSignal): Promise<Held | null> {
    const taken = await takeTurn(this.#stores, signal);
    if (taken === null) return null;
    taken.lease.losing.onAbort((reason) => this.#ending.abort(reason));
    try {
      return { taken, handOut: await HandOut.begin(this.#stores, taken.grip.token) };
    } catch (error) {
      await taken.giveBack();
      throw error;
    }
  }

  async #take(handOut: HandOut, room: number, waiting: Abortable): Promise<readonly Delivery[]> {
    const again = this.#returned.splice(0, room);
    const isNew = again.length < room ? await this.#read(room - again.length, waiting) : [];
    const last = isNew.at(-1)?.name;
    const known = new Set(isNew.filter(({ name }) => handOut.has(name)));
    if (last !== undefined) {
      await handOut.advance(last);
      this.#after = last;
    }
    // whoever closed it meanwhile has given back what is not settled
    if (this.#ending.reason !== undefined) return [];
    this.#unsettled += again.length + isNew.length;
    return [
      ...again.map((register) => this.#deliveryOf(register, true)),
      ...isNew.map((register) => this.#deliveryOf(register, known.has(register))),
    ];
  }

  async #read(limit: number, waiting: Abortable): Promise<readonly Register[]> {
    const { clock, registers, settings, waiter } = this.#stores;
    const query = { prefix: settings.names.messages, after: this.#after, limit };
    const found = await insist(clock, () => registers.list(query));
    if (found.length > 0) waiter.found();
    // whoever has left is handed nothing
    return waiting.reason === undefined ? found : [];
  }

  /** Until there is room, or something to read. */
  #change(hasRoom: boolean, signal: AbortSignal): Promise<void> {
    if (hasRoom) {
      const looking = new AbortController();
      const stop = onAbort(signal, () => looking.abort());
      // also what is given back is looked for
      this.#changed = () => looking.abort();
      return this.#stores.waiter.wait(this.#stores.clock, looking.signal).finally(stop);
    }
    return new Promise((resolve) => {
      const stop = onAbort(signal, resolve);
      this.#changed = () => {
        stop();
        resolve();
      };
    });
  }

  #deliveryOf(register: Register, isRepeated: boolean): Delivery {
    // what another version wrote stays: an instance of that one is handed it, when it has the lease
    const { body, sentAt, isRedriven } = decodeMessage(register);
    return {
      read: () => JSON.parse(body),
      sentAt,
      isRepeated: isRepeated || isRedriven,
      lockMs: null,
      settle: async (settlement) => {
        if (this.#ending.reason !== undefined) return "lost";
        const settling = this.#settle(register, settlement);
        const leave = this.#settling.add(settling);
        try {
          return await settling;
        } finally {
          leave();
          this.#unsettled -= 1;
          this.#changed();
          if (this.#isStopped && this.#unsettled === 0) await this.#giveBack();
        }
      },
    };
  }

  async #settle(register: Register, settlement: Settlement): Promise<"settled" | "lost"> {
    const { clock, registers } = this.#stores;
    const { name, version } = register;
    if (settlement.is === "return") {
      this.#returned = [...this.#returned, register].sort((a, b) => numberOf(a.name) - numberOf(b.name));
      return "settled";
    }
    if (settlement.is === "dead-letter") await this.#setAside(register, settlement);
    return (await insist(clock, () => registers.remove(name, version))) ? "settled" : "lost";
  }

  /** Under the message's own number: a crash before its removal sets it aside once more, in the same place. */
  async #setAside(
    register: Register,
    { reason, why }: Extract<Settlement, { readonly is: "dead-letter" }>,
  ): Promise<void> {
    const { clock, registers, settings } = this.#stores;
    const message = decodeMessage(register);
    const name = settings.names.deadLetters + register.name.slice(settings.names.messages.length);
    await insist(clock, () => registers.replace(name, encodeSetAside({ message, reason, why }), null));
  }
}
