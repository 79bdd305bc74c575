import { systemClock } from "../../base/clock.ts";
import { withDeadline } from "../../base/promise.ts";
import type { Delivery, Receiver, Settlement } from "../../contract/source.ts";
import { sentAtName } from "../letters.ts";
import { LockedInbox } from "../locked-inbox.ts";
import { copyHeaders, headerNames, headerOf, oneLine, sentAtOf } from "./headers.ts";
import type { JetStream, JetStreamConsumer, JetStreamMessage, NatsConnection, NatsHeaders } from "./shapes.ts";

export interface JetStreamReceiverOptions {
  readonly deadLetter: string;
  readonly headers: () => NatsHeaders;
  readonly most: number;
  readonly lockMs: number;
  readonly inOrder: boolean;
}

/**
 * A server waits so long for messages to hand out, then it is asked again. It is the least that the client allows: a receiver
 * that stops waits for it, for nobody can take a request back without losing what is on its way.
 */
const expiresMs = 1_000;
/** What was settled last is on its way for so long at most, when a receiver closes. */
const flushMs = 2_000;

export class JetStreamReceiver implements Receiver {
  readonly #connection: NatsConnection;
  readonly #client: JetStream;
  readonly #durable: JetStreamConsumer;
  readonly #options: JetStreamReceiverOptions;
  readonly #inbox: LockedInbox<JetStreamMessage>;
  /** Requests that the server has not ended. None of them rejects. */
  readonly #requests = new Set<Promise<void>>();
  /** Given back when nothing is on its way any more: a request of ours would be handed it at once, behind what it precedes. */
  #returned: JetStreamMessage[] = [];
  /** Asked for and not here yet. */
  #coming = 0;
  #isStopped = false;
  #hasGivenBack = false;
  #isClosed = false;

  constructor(
    connection: NatsConnection,
    client: JetStream,
    durable: JetStreamConsumer,
    options: JetStreamReceiverOptions,
  ) {
    this.#connection = connection;
    this.#client = client;
    this.#durable = durable;
    this.#options = options;
    this.#inbox = new LockedInbox({
      ...options,
      ask: (count) => this.#request(count - this.#coming),
      renew: async (message) => this.#renew(message),
    });
    const gone = () => {
      this.#isClosed = true;
      this.#inbox.break(new Error("the connection to NATS is closed"));
    };
    connection.closed().then(gone, gone);
  }

  readonly pull = async (most: number, signal: AbortSignal): Promise<readonly Delivery[]> =>
    (await this.#inbox.pullKept(most, signal)).map((message) => this.#deliveryOf(message));

  readonly stop = async (first: Promise<unknown>): Promise<void> => {
    if (this.#isClosed || this.#hasGivenBack) return;
    this.#isStopped = true;
    const nothingComes = Promise.all([first, ...this.#requests]);
    let waits = true;
    void nothingComes.then(() => {
      waits = false;
    });
    // what waits here until then is kept: the server would put it before what precedes it
    while (waits && !this.#isClosed) {
      const beat = new Promise<void>((resolve) => setTimeout(resolve, this.#options.lockMs / 3).unref());
      await Promise.race([nothingComes, beat]);
      for (const message of this.#kept()) this.#renew(message);
    }
    const left = this.#kept();
    this.#inbox.drain();
    this.#returned = [];
    this.#hasGivenBack = true;
    // handed out again in the order in which it is given back, before what is new
    for (const message of left.sort((one, other) => one.seq - other.seq)) this.#giveBack(message);
  };

  readonly close = async (): Promise<void> => {
    if (this.#isClosed) return;
    await this.stop(Promise.resolve());
    this.#inbox.break(new Error("it is closed"));
    // a client that closes drops what it has not sent yet
    const late = () => new Error("NATS does not answer");
    await withDeadline(systemClock, flushMs, this.#connection.flush(), late).catch(() => {});
    await this.#connection.close();
  };

  /** What comes after whoever asked has left waits for the next one, or to be given back. */
  #request(count: number): void {
    if (count <= 0) return;
    this.#coming += count;
    let left = count;
    const receive = async () => {
      for await (const message of await this.#durable.fetch({ max_messages: count, expires: expiresMs })) {
        left -= 1;
        this.#coming -= 1;
        this.#inbox.add(message);
      }
    };
    const received = receive().then(
      () => {
        this.#coming -= left;
        this.#inbox.wake();
      },
      (error: unknown) => this.#inbox.break(error instanceof Error ? error : new Error("NATS refused a request")),
    );
    this.#requests.add(received);
    void received.then(() => this.#requests.delete(received));
  }

  /** What is to be given back, and is no other's yet. */
  #kept(): JetStreamMessage[] {
    return [...this.#returned, ...this.#inbox.waiting].filter((message) => !this.#inbox.isOver(message));
  }

  #waitsToReturn(): boolean {
    return (this.#options.inOrder || this.#isStopped) && !this.#hasGivenBack;
  }

  #giveBack(message: JetStreamMessage): void {
    message.nak();
    this.#inbox.release(message);
  }

  /** Nobody answers: whoever is too late does no harm, for the next owner's delivery has its own. */
  #renew(message: JetStreamMessage): "renewed" {
    message.working();
    this.#inbox.keep(message);
    return "renewed";
  }

  #deliveryOf(message: JetStreamMessage): Delivery {
    const isGone = () => this.#inbox.isBroken;
    return {
      read: () => JSON.parse(new TextDecoder().decode(message.data)),
      sentAt: sentAtOf(message),
      isRepeated: message.redelivered,
      lockMs: this.#options.lockMs,
      renew: async () => (isGone() ? "lost" : this.#renew(message)),
      settle: async (settlement) => {
        if (isGone()) return "lost";
        if (settlement.is === "return" && settlement.afterMs === 0 && this.#waitsToReturn()) {
          this.#inbox.keep(message);
          this.#returned.push(message);
          return "settled";
        }
        if (settlement.is === "dead-letter") {
          const isThere = await this.#setAside(message, settlement).then(
            () => true,
            () => false,
          );
          if (!isThere && !isGone()) return "refused";
        }
        this.#inbox.release(message);
        if (isGone()) return "lost";
        if (settlement.is === "return") message.nak(settlement.afterMs);
        else if (settlement.is === "acknowledge") message.ack();
        else message.term();
        return "settled";
      },
    };
  }

  async #setAside(
    message: JetStreamMessage,
    { reason, why }: Extract<Settlement, { readonly is: "dead-letter" }>,
  ): Promise<void> {
    const { deadLetter, headers: create } = this.#options;
    const { data, subject, headers: sent } = message;
    const headers = copyHeaders(sent, create);
    headers.append(headerNames.reason, reason);
    headers.append(headerNames.why, oneLine(why));
    headers.append(headerNames.subject, subject);
    // the broker would tell when it was set aside
    if (headerOf(sent, sentAtName) === null) headers.append(sentAtName, String(sentAtOf(message)));
    await this.#client.publish(deadLetter, data, { headers });
  }
}
