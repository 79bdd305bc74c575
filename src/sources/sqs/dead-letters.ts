import type { DeadLetter, DeadLetters } from "../../contract/source.ts";
import { whyName } from "../letters.ts";
import { enteredAt, reasonOf, sentAt, textOf } from "./attributes.ts";
import { sendAgain } from "./sending.ts";
import type { SqsClient, SqsMessage } from "./shapes.ts";

export interface SqsDeadLettersOptions {
  readonly client: SqsClient;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
}

/** Whoever looks keeps them from others for so long, should it never close. */
const keptSeconds = 300;
/** A request that waits asks all servers, one that does not only some. */
const waitSeconds = 1;
const mostInOne = 10;

/** A queue that cannot be browsed: what is looked at is received, and given back at the end. */
export class SqsDeadLetters implements DeadLetters {
  readonly #options: SqsDeadLettersOptions;
  readonly #held = new Map<string, SqsMessage>();
  #isClosed = false;

  constructor(options: SqsDeadLettersOptions) {
    this.#options = options;
  }

  readonly list = async (most: number, ending?: AbortSignal): Promise<readonly DeadLetter[]> => {
    const { client, deadLetterUrl } = this.#options;
    while (this.#held.size < most && ending?.aborted !== true) {
      if (this.#isClosed) throw new Error("it is closed");
      const { Messages = [] } = await client.receiveMessage({
        ...{ QueueUrl: deadLetterUrl, MaxNumberOfMessages: Math.min(most - this.#held.size, mostInOne) },
        ...{ WaitTimeSeconds: waitSeconds, VisibilityTimeout: keptSeconds },
        ...{ MessageSystemAttributeNames: ["All"], MessageAttributeNames: ["All"] },
      });
      // whoever was late has left, and nobody would give them back
      if (this.#isClosed) {
        await this.#giveBack(Messages);
        continue;
      }
      // one that was held for too long comes again, with another handle
      for (const message of Messages) this.#held.set(message.MessageId ?? "", message);
      if (Messages.length === 0) break;
    }
    const all = [...this.#held.values()].sort((one, other) => (enteredAt(one) ?? 0) - (enteredAt(other) ?? 0));
    return all.slice(0, most).map(letterOf);
  };

  readonly redrive = async ({ id }: DeadLetter): Promise<"done" | "gone"> => {
    const message = this.#held.get(id);
    if (message === undefined) return "gone";
    await sendAgain(this.#options, message);
    return this.#remove(id, message);
  };

  readonly discard = async ({ id }: DeadLetter): Promise<"done" | "gone"> => {
    const message = this.#held.get(id);
    return message === undefined ? "gone" : this.#remove(id, message);
  };

  readonly close = async (): Promise<void> => {
    this.#isClosed = true;
    const left = [...this.#held.values()];
    this.#held.clear();
    await this.#giveBack(left);
  };

  async #giveBack(left: readonly SqsMessage[]): Promise<void> {
    const { client, deadLetterUrl } = this.#options;
    for (let from = 0; from < left.length; from += mostInOne) {
      const Entries = left.slice(from, from + mostInOne).map(({ ReceiptHandle }, index) => ({
        ...{ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 },
      }));
      await client.changeMessageVisibilityBatch({ QueueUrl: deadLetterUrl, Entries });
    }
  }

  async #remove(id: string, { ReceiptHandle }: SqsMessage): Promise<"done"> {
    const { client, deadLetterUrl } = this.#options;
    const Entries = [{ Id: "0", ReceiptHandle }];
    const { Failed = [] } = await client.deleteMessageBatch({ QueueUrl: deadLetterUrl, Entries });
    if (Failed[0] !== undefined) throw new Error(`SQS refused to delete it: ${Failed[0].Code}`);
    this.#held.delete(id);
    return "done";
  }
}

function letterOf(message: SqsMessage): DeadLetter {
  const reason = reasonOf(message);
  return {
    id: message.MessageId ?? "",
    read: () => JSON.parse(message.Body ?? ""),
    sentAt: sentAt(message),
    // SQS itself keeps the instant of the first sending
    setAsideAt: reason === null ? null : enteredAt(message),
    reason,
    why: textOf(message, whyName),
    bytes: Buffer.byteLength(message.Body ?? ""),
  };
}
