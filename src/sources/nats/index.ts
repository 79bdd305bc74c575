import { systemClock } from "../../base/clock.ts";
import { RepriseError } from "../../base/errors.ts";
import { withDeadline } from "../../base/promise.ts";
import type { Delivery, Receiver, Settlement, Source } from "../../contract/source.ts";
import { Inbox } from "../inbox.ts";
import { checkApart, sentAtName } from "../letters.ts";
import { Locks } from "../locks.ts";
import { lookAtDeadLetters } from "./dead-letters.ts";
import { copyHeaders, headerNames, headerOf, oneLine, sentAtOf } from "./headers.ts";
import type {
  JetStream,
  JetStreamConsumer,
  JetStreamConsumerConfig,
  JetStreamMessage,
  NatsConnection,
  NatsHeaders,
} from "./shapes.ts";

export { type NatsPublisherOptions, natsPublisher } from "./publisher.ts";
export type {
  JetStream,
  JetStreamConsumer,
  JetStreamConsumerConfig,
  JetStreamManager,
  JetStreamMessage,
  JetStreamMessages,
  NatsConnection,
  NatsHeaders,
  StoredMessage,
} from "./shapes.ts";

export interface NatsOptions<Connection extends NatsConnection> {
  /** Connects anew, with `@nats-io/transport-node`. One that does not reconnect by itself is noticed sooner. */
  readonly connect: () => Promise<Connection>;
  /** Of `@nats-io/jetstream`. */
  readonly jetstream: (connection: Connection) => JetStream;
  /** Of `@nats-io/transport-node`. */
  readonly headers: () => NatsHeaders;
  readonly stream: string;
  /**
   * A durable one that exists, with `ack_policy` explicit and no `backoff`; its `ack_wait` is how long a message is kept from
   * others.
   */
  readonly consumer: string;
  /** A subject of a stream that exists, for what is set aside. A copy is stored there before the message is ended. */
  readonly deadLetter: string;
}

/**
 * A server waits so long for messages to hand out, then it is asked again. It is the least that the client allows: a receiver
 * that stops waits for it, for nobody can take a request back without losing what is on its way.
 */
const expiresMs = 1_000;
/** What was settled last is on its way for so long at most, when a receiver closes. */
const flushMs = 2_000;
const nanosecondsInMs = 1_000_000;

/**
 * A durable consumer of a stream of NATS JetStream. Its horizon is the stream's `max_age`. It delays by itself. A server keeps
 * what it has delivered `max_deliver` times in the stream and says so to nobody: leave it without a bound, for attempts are
 * counted in the ledger. What is set aside carries `x-reprise-reason` and `x-reprise-why`, and its id is its sequence number.
 *
 * @example
 * const source = nats({ connect: () => connect({ servers }), jetstream, headers, stream: "SEATS", consumer: "book", deadLetter: "dead.seats" });
 */
export function nats<Connection extends NatsConnection>(options: NatsOptions<Connection>): Source {
  const { connect, jetstream, stream, consumer, deadLetter, headers } = options;
  const name = `nats ${stream} ${consumer}`;
  return {
    name,
    delays: true,
    horizon: async () => {
      const connection = await connect();
      try {
        const { config } = await (await jetstream(connection).streams.get(stream)).info();
        return config.max_age === 0 ? null : config.max_age / nanosecondsInMs;
      } finally {
        await connection.close();
      }
    },
    standing: async () => {
      const connection = await connect();
      try {
        const client = jetstream(connection);
        const { num_pending: waiting } = await (await client.consumers.get(stream, consumer)).info();
        const { streams } = await client.jetstreamManager();
        const asked = { subjects_filter: deadLetter };
        const { subjects } = (await streams.info(await streams.find(deadLetter), asked)).state;
        return { waiting, setAside: subjects?.[deadLetter] ?? 0 };
      } finally {
        await connection.close();
      }
    },
    deadLetters: async () => {
      const connection = await connect();
      try {
        const asked = { stream, deadLetter, headers, source: name };
        return await lookAtDeadLetters(connection, jetstream(connection), asked);
      } catch (error) {
        await connection.close();
        throw error;
      }
    },
    open: async (most, inOrder = false) => {
      const connection = await connect();
      try {
        const client = jetstream(connection);
        const durable = await client.consumers.get(stream, consumer);
        const { config } = await durable.info();
        const lockMs = lockOf(name, config);
        const { streams } = await client.jetstreamManager();
        // with none what is set aside could be stored nowhere: better now than with the first such message
        const stores = await streams.find(deadLetter);
        if (stores === stream && takes(config, deadLetter)) checkApart(name, deadLetter, deadLetter);
        return new JetStreamReceiver(connection, client, durable, { ...options, most, lockMs, inOrder });
      } catch (error) {
        await connection.close();
        throw error;
      }
    },
  };
}

/** Whether a message of the subject is delivered by the consumer. */
function takes({ filter_subject: one, filter_subjects: several }: JetStreamConsumerConfig, subject: string): boolean {
  const filters = [...(one === undefined || one === "" ? [] : [one]), ...(several ?? [])];
  return filters.length === 0 || filters.some((filter) => matches(filter, subject));
}

function matches(filter: string, subject: string): boolean {
  const [expected, given] = [filter.split("."), subject.split(".")];
  const rest = expected.indexOf(">");
  const compared = rest === -1 ? expected : expected.slice(0, rest);
  if (rest === -1 ? given.length !== compared.length : given.length <= rest) return false;
  return compared.every((token, place) => token === "*" || token === given[place]);
}

/** @throws REPRISE_BAD_DECLARATION where it does not keep each message from others until it is settled, or for one time */
function lockOf(where: string, { ack_policy: policy, ack_wait: ackWait, backoff }: JetStreamConsumerConfig): number {
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
  };
  if (policy !== undefined && policy !== "explicit") {
    // "all" settles what is still at work beside it, "none" what nobody has begun
    refuse(
      `its consumer acknowledges by '${policy}'.`,
      "Give it ack_policy 'explicit': each message is settled alone.",
    );
  }
  if (backoff !== undefined && backoff.length > 0) {
    // a renewal at a third of ack_wait may come after the lock that the server gave instead
    refuse(
      "its consumer has a 'backoff', which replaces 'ack_wait'.",
      "Remove it, and say 'retryIn' where it is consumed.",
    );
  }
  return (ackWait ?? 30_000 * nanosecondsInMs) / nanosecondsInMs;
}

interface Asked {
  readonly deadLetter: string;
  readonly headers: () => NatsHeaders;
  readonly most: number;
  readonly lockMs: number;
  readonly inOrder: boolean;
}

class JetStreamReceiver implements Receiver {
  readonly #connection: NatsConnection;
  readonly #client: JetStream;
  readonly #durable: JetStreamConsumer;
  readonly #asked: Asked;
  readonly #inbox = new Inbox<JetStreamMessage>();
  /** Requests that the server has not ended. None of them rejects. */
  readonly #requests = new Set<Promise<void>>();
  /** Given back when nothing is on its way any more: a request of ours would be handed it at once, behind what it precedes. */
  #returned: JetStreamMessage[] = [];
  /** Asked for and not here yet. */
  #coming = 0;
  readonly #locks: Locks<JetStreamMessage>;
  #isStopped = false;
  #hasGivenBack = false;
  #isClosed = false;

  constructor(connection: NatsConnection, client: JetStream, durable: JetStreamConsumer, asked: Asked) {
    this.#connection = connection;
    this.#client = client;
    this.#durable = durable;
    this.#asked = asked;
    this.#locks = new Locks(asked.lockMs);
    const gone = () => {
      this.#isClosed = true;
      this.#inbox.break(new Error("the connection to NATS is closed"));
    };
    connection.closed().then(gone, gone);
  }

  readonly pull = async (most: number, signal: AbortSignal): Promise<readonly Delivery[]> => {
    for (;;) {
      const messages = await this.#inbox.pull(most, signal, () => {
        const wanted = Math.min(most, this.#asked.most - this.#locks.size) - this.#coming;
        if (wanted > 0) this.#request(wanted);
        else if (this.#coming === 0) this.#locks.whenOneEnds(() => this.#inbox.wake());
      });
      const mine = messages.filter((message) => this.#isKept(message));
      if (mine.length > 0 || signal.aborted) return mine.map((message) => this.#deliveryOf(message));
    }
  };

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
      const beat = new Promise<void>((resolve) => setTimeout(resolve, this.#asked.lockMs / 3).unref());
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
    this.#coming += count;
    let left = count;
    const receive = async () => {
      for await (const message of await this.#durable.fetch({ max_messages: count, expires: expiresMs })) {
        left -= 1;
        this.#coming -= 1;
        this.#locks.keep(message);
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
    return [...this.#returned, ...this.#inbox.waiting].filter((message) => this.#locks.stateOf(message) !== "over");
  }

  #waitsToReturn(): boolean {
    return (this.#asked.inOrder || this.#isStopped) && !this.#hasGivenBack;
  }

  #giveBack(message: JetStreamMessage): void {
    message.nak();
    this.#locks.release(message);
  }

  #isKept(message: JetStreamMessage): boolean {
    const state = this.#locks.stateOf(message);
    if (state === "late") this.#renew(message);
    return state !== "over";
  }

  #renew(message: JetStreamMessage): void {
    message.working();
    this.#locks.keep(message);
  }

  #deliveryOf(message: JetStreamMessage): Delivery {
    const isGone = () => this.#inbox.isBroken;
    return {
      read: () => JSON.parse(new TextDecoder().decode(message.data)),
      sentAt: sentAtOf(message),
      isRepeated: message.redelivered,
      lockMs: this.#asked.lockMs,
      renew: async () => {
        if (isGone()) return "lost";
        // nobody answers: whoever is too late does no harm, for the next owner's delivery has its own
        this.#renew(message);
        return "renewed";
      },
      settle: async (settlement) => {
        if (isGone()) return "lost";
        if (settlement.is === "return" && settlement.afterMs === 0 && this.#waitsToReturn()) {
          this.#locks.keep(message);
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
        this.#locks.release(message);
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
    const { deadLetter, headers: create } = this.#asked;
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
