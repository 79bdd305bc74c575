import { randomUUID } from "node:crypto";
import { systemClock } from "../../base/clock.ts";
import { pause } from "../../base/promise.ts";
import type { DeadLetter, DeadLetters } from "../../contract/source.ts";
import { whyName } from "../letters.ts";
import { copyOf, endedName, reasonOf, sentAtOf, textOf } from "./headers.ts";
import { connectProducer, maxWaitTimeInMs } from "./receiver.ts";
import type {
  KafkaAdmin,
  KafkaBatchPayload,
  KafkaClient,
  KafkaConsumer,
  KafkaMessage,
  KafkaProducer,
} from "./shapes.ts";

export interface KafkaDeadLettersOptions {
  readonly kafka: KafkaClient;
  readonly topic: string;
  readonly group: string;
  readonly deadLetter: string;
}

/** A topic is read to its end within it. */
const patienceMs = 30_000;
const lookAgainMs = 20;

interface Found {
  readonly id: string;
  readonly message: KafkaMessage;
}

/**
 * A topic of what is set aside, all of it. Nothing can be removed from a topic: of what is sent again or discarded a record
 * behind it says that it is no more, until retention ends both.
 */
export class KafkaDeadLetters implements DeadLetters {
  readonly #options: KafkaDeadLettersOptions;
  readonly #groupId: string;
  readonly #consumer: KafkaConsumer;
  readonly #admin: KafkaAdmin;
  #producer: KafkaProducer | undefined;
  readonly #found = new Map<string, Found>();
  readonly #ended = new Set<string>();
  /** Of each partition the next offset. */
  readonly #positions = new Map<number, bigint>();
  #crash: Error | undefined;

  static async open(options: KafkaDeadLettersOptions): Promise<KafkaDeadLetters> {
    const letters = new KafkaDeadLetters(options);
    try {
      await letters.#begin();
      return letters;
    } catch (error) {
      await letters.close().catch(() => {});
      throw error;
    }
  }

  constructor(options: KafkaDeadLettersOptions) {
    this.#options = options;
    // whoever looks sees all of it, whatever others look at
    this.#groupId = `${options.group}.look.${randomUUID()}`;
    this.#admin = options.kafka.admin();
    this.#consumer = options.kafka.consumer({ groupId: this.#groupId, maxWaitTimeInMs });
  }

  readonly list = async (most: number): Promise<readonly DeadLetter[]> => {
    await this.#catchUp();
    const left = [...this.#found.values()].filter(({ id }) => !this.#ended.has(id));
    return left
      .sort(({ message: one }, { message: other }) => Number(one.timestamp) - Number(other.timestamp))
      .slice(0, most)
      .map(letterOf);
  };

  readonly redrive = (letter: DeadLetter): Promise<"done" | "gone"> =>
    this.#end(letter, async (producer, message) => {
      await producer.send({ topic: this.#options.topic, acks: -1, messages: [copyOf(message, {})] });
    });

  readonly discard = (letter: DeadLetter): Promise<"done" | "gone"> => this.#end(letter, async () => {});

  readonly close = async (): Promise<void> => {
    await this.#consumer.disconnect();
    // a broker forgets it by itself, after some days
    await this.#admin.deleteGroups([this.#groupId]).catch(() => {});
    await this.#admin.disconnect();
    await this.#producer?.disconnect();
  };

  async #begin(): Promise<void> {
    const { kafka, deadLetter } = this.#options;
    this.#consumer.on("consumer.crash", ({ payload }) => {
      this.#crash = payload.error;
    });
    this.#producer = await connectProducer(kafka);
    await this.#admin.connect();
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [deadLetter], fromBeginning: true });
    await this.#consumer.run({ autoCommit: false, eachBatch: async ({ batch }) => this.#take(batch) });
  }

  #take(batch: KafkaBatchPayload["batch"]): void {
    for (const message of batch.messages) {
      const ended = textOf(message, endedName);
      const id = `${batch.partition}-${message.offset}`;
      if (ended === null) this.#found.set(id, { id, message });
      else this.#ended.add(ended);
    }
    this.#positions.set(batch.partition, BigInt(batch.lastOffset()) + 1n);
  }

  /** Until all is read that is there by now. */
  async #catchUp(): Promise<void> {
    const until = performance.now() + patienceMs;
    const offsets = await this.#admin.fetchTopicOffsets(this.#options.deadLetter);
    const isBehind = () =>
      offsets.some(({ partition, high, low }) => BigInt(high) > (this.#positions.get(partition) ?? BigInt(low)));
    while (isBehind()) {
      if (this.#crash !== undefined) throw this.#crash;
      if (performance.now() > until) throw new Error("Kafka does not hand out what is set aside");
      await pause(systemClock, lookAgainMs);
    }
  }

  /** Does it with one that is here still, and then writes down that it is no more. */
  async #end(
    { id }: DeadLetter,
    first: (producer: KafkaProducer, message: KafkaMessage) => Promise<void>,
  ): Promise<"done" | "gone"> {
    await this.#catchUp();
    const found = this.#found.get(id);
    if (found === undefined || this.#ended.has(id) || this.#producer === undefined) return "gone";
    await first(this.#producer, found.message);
    const ended = { key: found.message.key, value: null, headers: { [endedName]: id } };
    await this.#producer.send({ topic: this.#options.deadLetter, acks: -1, messages: [ended] });
    this.#ended.add(id);
    return "done";
  }
}

function letterOf({ id, message }: Found): DeadLetter {
  const reason = reasonOf(message);
  return {
    id,
    read: () => JSON.parse(message.value?.toString("utf8") ?? ""),
    sentAt: sentAtOf(message),
    setAsideAt: reason === null ? null : Number(message.timestamp),
    reason,
    why: textOf(message, whyName),
    bytes: message.value?.byteLength ?? 0,
  };
}
