import { systemClock } from "../../base/clock.ts";
import { withDeadline } from "../../base/promise.ts";
import type { Delivery, Receiver, Settlement } from "../../contract/source.ts";
import { Inbox } from "../inbox.ts";
import { reasonName, whyName } from "../letters.ts";
import { copyOf, sentAtOf } from "./headers.ts";
import { decodeNote, encodeNote, Partition } from "./partition.ts";
import type {
  KafkaAdmin,
  KafkaBatchPayload,
  KafkaClient,
  KafkaConsumer,
  KafkaMessage,
  KafkaProducer,
} from "./shapes.ts";

export interface KafkaReceiverOptions {
  readonly kafka: KafkaClient;
  readonly topic: string;
  readonly group: string;
  readonly deadLetter: string;
  readonly consumer?: { readonly sessionTimeout?: number; readonly heartbeatInterval?: number } | undefined;
  readonly most: number;
}

/** A broker waits so long for messages before it answers: closing waits for that. */
export const maxWaitTimeInMs = 500;
/** Whoever waits for room tells so often that it lives. */
const heartbeatMs = 1_000;
/**
 * The client sends again for longer what the brokers do not take. Whoever settles waits for 8 s, and then gives up the
 * connection with all that is under way.
 */
const copyMs = 6_000;
/** The group has moved on: what is under way is another's. */
const lostTypes = new Set<unknown>(["REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID"]);

/** From one joining of the group to the next: what was received in it can be settled in it. */
class Term {
  readonly partitions = new Map<number, Partition>();
  /** In the inbox and handed out. */
  unsettled = 0;
  isOver = false;
}

interface Kept {
  readonly message: KafkaMessage;
  readonly partition: Partition;
  readonly term: Term;
  readonly isRepeated: boolean;
}

export class KafkaReceiver implements Receiver {
  readonly #options: KafkaReceiverOptions;
  readonly #consumer: KafkaConsumer;
  readonly #admin: KafkaAdmin;
  readonly #inbox = new Inbox<Kept>();
  #producer: Promise<KafkaProducer> | undefined;
  #term = new Term();
  #isStopped = false;
  #wake = () => {};
  #committing: Promise<void> = Promise.resolve();
  #nextCommit: Promise<void> | undefined;

  static async open(options: KafkaReceiverOptions): Promise<KafkaReceiver> {
    const receiver = new KafkaReceiver(options);
    try {
      await receiver.#begin();
      return receiver;
    } catch (error) {
      await receiver.close().catch(() => {});
      throw error;
    }
  }

  constructor(options: KafkaReceiverOptions) {
    const { kafka, group, consumer = {} } = options;
    this.#options = options;
    this.#admin = kafka.admin();
    // one that crashed is opened anew by whoever receives, and not by itself
    const retry = { restartOnFailure: async () => false };
    this.#consumer = kafka.consumer({ maxWaitTimeInMs, ...consumer, groupId: group, retry });
  }

  readonly pull = async (most: number, signal: AbortSignal): Promise<readonly Delivery[]> =>
    (await this.#inbox.pull(most, signal)).map((kept) => this.#deliveryOf(kept));

  /** What nobody has pulled is not committed, and comes to others once it is closed. */
  readonly stop = async (): Promise<void> => {
    this.#isStopped = true;
    this.#inbox.drain();
  };

  readonly close = async (): Promise<void> => {
    this.#inbox.break(new Error("it is closed"));
    this.#wake();
    // what is on its way would be lost with the connection
    await this.#committing.catch(() => {});
    await this.#nextCommit?.catch(() => {});
    await this.#consumer.disconnect();
    await this.#admin.disconnect();
    await (await this.#producer?.catch(() => undefined))?.disconnect();
  };

  async #begin(): Promise<void> {
    const consumer = this.#consumer;
    consumer.on("consumer.group_join", () => {
      this.#term.isOver = true;
      this.#term = new Term();
      this.#inbox.drain();
      this.#wake();
    });
    consumer.on("consumer.crash", ({ payload }) => this.#inbox.break(payload.error));
    await this.#admin.connect();
    // with none what is set aside could be stored nowhere: better now than with the first such message
    await this.#admin.fetchTopicOffsets(this.#options.deadLetter);
    await consumer.connect();
    await consumer.subscribe({ topics: [this.#options.topic], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatch: (payload) => this.#take(payload) });
  }

  async #take({ batch, heartbeat }: KafkaBatchPayload): Promise<void> {
    const term = this.#term;
    const isOver = () => term.isOver || this.#inbox.isBroken;
    const { most } = this.#options;
    const partition = term.partitions.get(batch.partition) ?? (await this.#enter(term, batch));
    const end = BigInt(batch.lastOffset()) + 1n;
    for (const message of batch.messages) {
      const offset = BigInt(message.offset);
      // a batch that failed half-way comes again
      if (offset < partition.position) continue;
      while ((this.#isStopped || term.unsettled >= most) && !isOver()) {
        await this.#room();
        await heartbeat();
      }
      if (isOver()) return;
      if (offset >= partition.noted) {
        // before anything is handed out, and for many at once
        const ahead = offset + BigInt(most);
        const before = partition.noted;
        partition.noted = ahead < end ? ahead : end;
        await this.#commit(term).catch((error: unknown) => {
          // the client hands over the batch once more, and nothing of it may be handed out without a note
          partition.noted = before;
          throw error;
        });
        if (isOver()) return;
      }
      partition.begin(offset);
      term.unsettled += 1;
      this.#inbox.add({ message, partition, term, isRepeated: offset < partition.suspectUntil });
    }
    await heartbeat();
  }

  /** What the last owner of the partition has left. */
  async #enter(term: Term, batch: KafkaBatchPayload["batch"]): Promise<Partition> {
    const { group: groupId, topic } = this.#options;
    const [of] = await this.#admin.fetchOffsets({ groupId, topics: [topic] });
    const left = of?.partitions.find(({ partition }) => partition === batch.partition);
    const isFirst = left === undefined || Number(left.offset) < 0;
    // somebody else has committed: of what was there before this, nobody knows what was handed out
    const unknown = isFirst ? 0n : BigInt(batch.highWatermark);
    const position = BigInt(batch.messages[0]?.offset ?? "0");
    const partition = new Partition(batch.partition, position, decodeNote(left?.metadata ?? null) ?? unknown);
    term.partitions.set(batch.partition, partition);
    return partition;
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, heartbeatMs);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** All that may be committed at its beginning. Those who ask while another is on its way share the next. */
  #commit(term: Term): Promise<void> {
    this.#nextCommit ??= this.#committing
      .catch(() => {})
      .then(() => {
        this.#nextCommit = undefined;
        this.#committing = this.#sendCommit();
        return this.#committing;
      });
    return this.#nextCommit.then(() => {
      if (term.isOver) throw new Error("the group has moved on");
    });
  }

  async #sendCommit(): Promise<void> {
    const offsets = [...this.#term.partitions.values()].map(({ number, committable, noted }) => ({
      ...{ topic: this.#options.topic, partition: number },
      ...{ offset: String(committable), metadata: encodeNote(noted) },
    }));
    if (offsets.length > 0) await this.#consumer.commitOffsets(offsets);
  }

  #deliveryOf(kept: Kept): Delivery {
    const { message, partition, term, isRepeated } = kept;
    const isLost = () => term.isOver || this.#inbox.isBroken;
    return {
      read: () => JSON.parse(message.value?.toString("utf8") ?? ""),
      sentAt: sentAtOf(message),
      isRepeated,
      group: groupOf(message, partition.number),
      lockMs: null,
      settle: async (settlement) => {
        if (isLost()) return "lost";
        if (settlement.is === "return") {
          this.#inbox.add({ ...kept, isRepeated: true });
          return "settled";
        }
        const isThere = settlement.is !== "dead-letter" || (await this.#setAside(message, settlement));
        if (isLost()) return "lost";
        return isThere ? this.#end(kept) : "refused";
      },
    };
  }

  async #end({ message, partition, term }: Kept): Promise<"settled" | "lost"> {
    term.unsettled -= 1;
    this.#wake();
    // behind one that is not done it is delivered again after a crash
    if (!partition.end(BigInt(message.offset))) return "settled";
    try {
      await this.#commit(term);
      return "settled";
    } catch (error) {
      if (term.isOver || lostTypes.has((error as { readonly type?: unknown }).type)) return "lost";
      throw error;
    }
  }

  /** A copy that the brokers have; a crash before the commit leaves two of it. False: they do not take it, or not in time. */
  async #setAside(
    message: KafkaMessage,
    { reason, why }: Extract<Settlement, { readonly is: "dead-letter" }>,
  ): Promise<boolean> {
    const { kafka, deadLetter } = this.#options;
    const copy = copyOf(message, { [reasonName]: reason, [whyName]: why });
    const connecting = this.#producer ?? connectProducer(kafka);
    this.#producer = connecting;
    const sending = connecting.then((producer) => producer.send({ topic: deadLetter, acks: -1, messages: [copy] }));
    // one that could not connect never will
    connecting.catch(() => {
      if (this.#producer === connecting) this.#producer = undefined;
    });
    const late = () => new Error("Kafka does not take what is set aside");
    return withDeadline(systemClock, copyMs, sending, late).then(
      () => true,
      () => false,
    );
  }
}

/** Each partition has its own order; a key is any bytes. */
function groupOf({ key }: KafkaMessage, partition: number): string | undefined {
  return key === null ? undefined : `${partition} ${key.toString("latin1")}`;
}

/** One request at a time: two could change places where one is repeated. */
export async function connectProducer(kafka: KafkaClient): Promise<KafkaProducer> {
  const producer = kafka.producer({ maxInFlightRequests: 1 });
  await producer.connect();
  return producer;
}
