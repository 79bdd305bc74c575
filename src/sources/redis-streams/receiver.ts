import { randomUUID } from "node:crypto";
import { systemClock } from "../../base/clock.ts";
import { withDeadline } from "../../base/promise.ts";
import type { Delivery, Receiver, Settlement } from "../../contract/source.ts";
import { LockedInbox } from "../locked-inbox.ts";
import { setAsideFields } from "./dead-letters.ts";
import { type Entry, entriesOf, fieldOf, sentAtOf } from "./entries.ts";
import { leave, setAside, touch } from "./scripts.ts";
import { disconnect, type StreamClient, send } from "./shapes.ts";

export interface StreamReceiverOptions {
  readonly stream: string;
  readonly group: string;
  readonly deadLetter: string;
  readonly field: string;
  readonly lockMs: number;
  readonly most: number;
}

/** A read waits so long for entries, then it asks again, also for what others have left. */
const blockMs = 1_000;
/** What a receiver gives back is on its way for so long at most, when it closes. */
const flushMs = 2_000;
/** Where a search of the pending entries begins, and what it answers at their end. */
const beginning = "0-0";

/** As one receiver was handed it. */
type Received = Entry & { readonly isRepeated: boolean };

export class StreamReceiver implements Receiver {
  readonly #client: StreamClient;
  readonly #waiting: StreamClient;
  readonly #options: StreamReceiverOptions;
  readonly #me = `reprise-${randomUUID()}`;
  readonly #inbox: LockedInbox<Received>;
  /** Up to where it has looked for what others have left: one search goes past some entries only. */
  #searched = beginning;
  #reading = false;
  #isStopped = false;

  constructor(client: StreamClient, waiting: StreamClient, options: StreamReceiverOptions) {
    this.#client = client;
    this.#waiting = waiting;
    this.#options = options;
    this.#inbox = new LockedInbox({
      ...options,
      ask: (count) => this.#read(count),
      renew: (entry) => this.#renew(entry),
    });
  }

  readonly pull = async (most: number, signal: AbortSignal): Promise<readonly Delivery[]> =>
    (await this.#inbox.pullKept(most, signal)).map((entry) => this.#deliveryOf(entry));

  readonly stop = async (first: Promise<unknown>): Promise<void> => {
    if (this.#inbox.isBroken) return;
    this.#isStopped = true;
    // a read that waits would take entries from others: it ends with its connection
    disconnect(this.#waiting);
    await first;
    if (this.#inbox.isBroken) return;
    await this.#giveBack(this.#inbox.drain());
  };

  readonly close = async (): Promise<void> => {
    if (this.#inbox.isBroken) return;
    this.#inbox.break(new Error("it is closed"));
    const { stream, group, lockMs } = this.#options;
    try {
      // a read that waits would bring entries after this: it ends with its connection
      if (!this.#isStopped) disconnect(this.#waiting);
      const leaving = send(this.#client, ["EVAL", leave, "1", stream, group, this.#me, String(lockMs)]);
      // a Redis that is away answers nothing, and what connects to it again and again keeps the process alive
      await withDeadline(systemClock, flushMs, leaving, () => new Error("Redis does not answer"));
    } finally {
      disconnect(this.#client);
    }
  };

  /** What comes after whoever asked has left waits for the next one. */
  #read(count: number): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#entries(count).then(
      (entries) => {
        this.#reading = false;
        if (this.#isStopped) {
          this.#giveBack(entries).catch(() => {});
          return;
        }
        for (const entry of entries) this.#inbox.add(entry);
        this.#inbox.wake();
      },
      (error: unknown) => {
        // stopping and closing end a read that waits
        if (this.#isStopped || this.#inbox.isBroken) return;
        this.#inbox.break(error instanceof Error ? error : new Error("Redis refused to be read from"));
        disconnect(this.#client);
        disconnect(this.#waiting);
      },
    );
  }

  async #giveBack(entries: readonly Received[]): Promise<void> {
    for (const entry of entries) {
      await this.#touch(entry.id, this.#options.lockMs);
      this.#inbox.release(entry);
    }
  }

  /** What others have left comes before what is new. */
  async #entries(count: number): Promise<readonly Received[]> {
    const { stream, group, lockMs } = this.#options;
    const claim = ["XAUTOCLAIM", stream, group, this.#me, String(lockMs), this.#searched] as const;
    const claimed = (await send(this.#client, [...claim, "COUNT", String(count)])) as readonly unknown[];
    this.#searched = String(claimed[0]);
    const left = received(claimed[1], true);
    if (left.length > 0) return left;
    const read = ["XREADGROUP", "GROUP", group, this.#me, "COUNT", String(count), "BLOCK", String(blockMs)] as const;
    const answer = await send(this.#waiting, [...read, "STREAMS", stream, ">"]);
    return received(ofOneStream(answer), false);
  }

  #deliveryOf(entry: Received): Delivery {
    const { field, lockMs } = this.#options;
    return {
      read: () => JSON.parse(fieldOf(entry, field) ?? ""),
      sentAt: sentAtOf(entry),
      isRepeated: entry.isRepeated,
      lockMs,
      renew: () => this.#renew(entry),
      settle: async (settlement) => {
        if (this.#inbox.isBroken) return "lost";
        let isRefused = false;
        try {
          return (await this.#settle(entry, settlement)) ? "settled" : "lost";
        } catch (error) {
          // one script moves it: where that fails it is kept, as where there is no memory left for it there
          isRefused = settlement.is === "dead-letter" && !this.#inbox.isBroken;
          if (isRefused) return "refused";
          throw error;
        } finally {
          if (!isRefused) this.#inbox.release(entry);
        }
      },
    };
  }

  async #renew(entry: Received): Promise<"renewed" | "lost"> {
    if (!(await this.#touch(entry.id, 0))) return "lost";
    this.#inbox.keep(entry);
    return "renewed";
  }

  async #settle(entry: Received, settlement: Settlement): Promise<boolean> {
    const { stream, group, deadLetter, lockMs } = this.#options;
    const { id } = entry;
    switch (settlement.is) {
      case "acknowledge":
        return Number(await send(this.#client, ["XACK", stream, group, id])) === 1;
      case "return":
        return this.#touch(id, lockMs);
      case "dead-letter": {
        const written = setAsideFields(entry, settlement);
        const command = ["EVAL", setAside, "2", stream, deadLetter, group, this.#me, id, ...written] as const;
        return Number(await send(this.#client, command)) === 1;
      }
    }
  }

  async #touch(id: string, idleMs: number): Promise<boolean> {
    const { stream, group } = this.#options;
    const command = ["EVAL", touch, "1", stream, group, this.#me, id, String(idleMs)] as const;
    return Number(await send(this.#client, command)) === 1;
  }
}

/** Of an answer by stream: pairs, or a map, by the version of the protocol that the client speaks. */
function ofOneStream(answer: unknown): unknown {
  if (answer === null || answer === undefined) return [];
  if (Array.isArray(answer)) return (answer[0] as readonly unknown[] | undefined)?.[1];
  return (answer instanceof Map ? [...answer.values()] : Object.values(answer))[0];
}

function received(entries: unknown, isRepeated: boolean): readonly Received[] {
  return entriesOf(entries).map((entry) => ({ ...entry, isRepeated }));
}
