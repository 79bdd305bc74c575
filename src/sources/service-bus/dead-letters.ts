import { randomUUID } from "node:crypto";
import type { DeadLetter, DeadLetters } from "../../contract/source.ts";
import { instantIn, reasonIn, sentAtName } from "../letters.ts";
import { type Entity, receiverOf } from "./entity.ts";
import { readBody, sentAtOf, setAsideAtName } from "./held.ts";
import { within } from "./line.ts";
import { isLost } from "./lock.ts";
import type {
  Properties,
  SentMessage,
  ServiceBusConnection,
  ServiceBusMessage,
  ServiceBusReceiver,
  ServiceBusSender,
} from "./shapes.ts";

/** So many at once are looked at, or locked while one is looked for. */
const batch = 100;
/** One that is there comes sooner. */
const waitMs = 2_000;
/** What says of a message that it was set aside, and is not its sender's. */
const written = ["DeadLetterReason", "DeadLetterErrorDescription", setAsideAtName];
/** The message's own id, before it was sent again. */
const firstIdName = "x-reprise-message-id";

/** Looks at the dead letters of a queue, or of a subscription, which stay where they are. */
export function deadLettersOf(client: ServiceBusConnection, entity: Entity): DeadLetters {
  const receiver = receiverOf(client, entity, { subQueueType: "deadLetter" });
  return new ServiceBusDeadLetters(client, receiver, client.createSender(entity.queue ?? entity.topic));
}

class ServiceBusDeadLetters implements DeadLetters {
  readonly #client: ServiceBusConnection;
  readonly #receiver: ServiceBusReceiver;
  readonly #sender: ServiceBusSender;
  /** Where each that was looked at stands, and where the first one does. */
  readonly #places = new Map<string, object>();
  #first: object | undefined;
  /** Locked while others were looked for. */
  readonly #locked = new Map<string, ServiceBusMessage>();

  constructor(client: ServiceBusConnection, receiver: ServiceBusReceiver, sender: ServiceBusSender) {
    this.#client = client;
    this.#receiver = receiver;
    this.#sender = sender;
  }

  readonly list = async (most: number): Promise<readonly DeadLetter[]> => {
    if (most <= 0) return [];
    const found: ServiceBusMessage[] = [];
    // the client goes on from what it looked at last, and the first one stays the first
    let more = await this.#look(most, this.#first);
    while (more.length > 0) {
      found.push(...more);
      this.#first ??= more[0]?.sequenceNumber;
      for (const one of more) if (one.sequenceNumber !== undefined) this.#places.set(idOf(one), one.sequenceNumber);
      if (found.length >= most) break;
      more = await this.#look(most - found.length, undefined);
    }
    return found.slice(0, most).map(letterOf);
  };

  readonly redrive = ({ id }: DeadLetter): Promise<"done" | "gone"> =>
    this.#with(id, async (message) => {
      await this.#sender.sendMessages(again(message));
      await this.#receiver.completeMessage(message);
    });

  readonly discard = ({ id }: DeadLetter): Promise<"done" | "gone"> =>
    this.#with(id, (message) => this.#receiver.completeMessage(message));

  readonly close = async (): Promise<void> => {
    const locked = [...this.#locked.values()];
    await within(Promise.all(locked.map((one) => this.#receiver.abandonMessage(one).catch(() => {}))));
    await within(this.#client.close());
  };

  #look(most: number, from: object | undefined): Promise<readonly ServiceBusMessage[]> {
    const options = from === undefined ? {} : { fromSequenceNumber: from };
    return this.#receiver.peekMessages(Math.min(most, batch), options);
  }

  /** A lock that ends meanwhile is taken anew, once. */
  async #with(id: string, work: (message: ServiceBusMessage) => Promise<void>): Promise<"done" | "gone"> {
    for (let turn = 0; ; turn += 1) {
      const message = await this.#lock(id);
      if (message === null) return "gone";
      this.#locked.delete(id);
      try {
        await work(message);
        return "done";
      } catch (error) {
        if (!isLost(error) || turn > 0) throw error;
      }
    }
  }

  /** By its number alone none can be locked, so all before it are. `null`: it is not here any more. */
  async #lock(id: string): Promise<ServiceBusMessage | null> {
    for (;;) {
      const found = this.#locked.get(id);
      // sent again under a lock that has ended, it might be there twice
      if (found !== undefined && (await this.#isLocked(found))) return found;
      if (!(await this.#isThere(id))) return null;
      const more = await this.#receiver.receiveMessages(batch, { maxWaitTimeInMs: waitMs });
      if (more.length === 0) throw new Error("somebody else has locked it: try again when that has ended");
      for (const one of more) this.#locked.set(idOf(one), one);
    }
  }

  async #isLocked(message: ServiceBusMessage): Promise<boolean> {
    try {
      await this.#receiver.renewMessageLock(message);
      return true;
    } catch (error) {
      if (!isLost(error)) throw error;
      this.#locked.delete(idOf(message));
      return false;
    }
  }

  /** Looking costs nothing, and finds what others have locked too. */
  async #isThere(id: string): Promise<boolean> {
    const place = this.#places.get(id);
    // one of a list of another time
    if (place === undefined) await this.list(Number.POSITIVE_INFINITY);
    const known = place ?? this.#places.get(id);
    if (known === undefined) return false;
    const [first] = await this.#look(1, known);
    return first !== undefined && idOf(first) === id;
  }
}

function idOf({ sequenceNumber }: ServiceBusMessage): string {
  return String(sequenceNumber);
}

function letterOf(message: ServiceBusMessage): DeadLetter {
  const { applicationProperties: properties, deadLetterReason, deadLetterErrorDescription } = message;
  const setAsideAt = instantIn(properties?.[setAsideAtName]);
  return {
    id: idOf(message),
    read: () => readBody(message),
    sentAt: sentAtOf(message),
    setAsideAt,
    // others write reasons too
    reason: setAsideAt === null ? null : reasonIn(deadLetterReason),
    why: deadLetterErrorDescription ?? deadLetterReason ?? null,
  };
}

/** Under an id of its own: within its window a queue that detects duplicates would drop it, and it would be lost. */
function again(message: ServiceBusMessage): SentMessage {
  const { body, contentType, correlationId, subject, to, replyTo, replyToSessionId, sessionId, partitionKey } = message;
  const sentAt = sentAtOf(message);
  const properties: Properties = { ...message.applicationProperties };
  for (const name of written) delete properties[name];
  if (sentAt !== null) properties[sentAtName] = String(sentAt);
  if (message.messageId !== undefined) properties[firstIdName] ??= String(message.messageId);
  const kept = { contentType, correlationId, subject, to, replyTo, replyToSessionId, sessionId, partitionKey };
  const given = Object.entries(kept).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), body, messageId: randomUUID(), applicationProperties: properties };
}
