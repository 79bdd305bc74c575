import type { Delivery, Receiver, Settlement } from "../../contract/source.ts";
import { LockedInbox } from "../locked-inbox.ts";
import { isFifo, sentAt } from "./attributes.ts";
import { Batches } from "./batches.ts";
import { sendAside } from "./sending.ts";
import type { SqsClient, SqsMessage } from "./shapes.ts";

export interface SqsReceiverOptions {
  readonly client: SqsClient;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
  readonly most: number;
  readonly lockMs: number;
}

/** A request waits so long for messages, the longest that SQS lets it, then it is asked again. */
const waitSeconds = 20;
/** An answer that is so much later than that does not come. */
const lateMs = 15_000;
/** A request brings ten at most. */
const mostInOne = 10;
/** SQS keeps a message from others for so long at most. */
const longestSeconds = 43_200;
/** Of a message that is another's, or nobody's, by now. Another code is a fault, and nobody knows what was done. */
const lostCodes = new Set(["ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"]);

export class SqsReceiver implements Receiver {
  readonly #options: SqsReceiverOptions;
  readonly #inbox: LockedInbox<SqsMessage>;
  readonly #settling = new Set<SqsMessage>();
  readonly #closing = new AbortController();
  readonly #deletions: Batches<{ readonly ReceiptHandle: string | undefined }>;
  readonly #changes: Batches<{ readonly ReceiptHandle: string | undefined; readonly VisibilityTimeout: number }>;
  #reading = false;

  constructor(options: SqsReceiverOptions) {
    const { client, queueUrl } = options;
    this.#options = options;
    this.#inbox = new LockedInbox({
      ...options,
      ask: (count) => this.#read(Math.min(count, mostInOne)),
      renew: (message) => this.#renew(message),
    });
    this.#deletions = new Batches(queueUrl, (batch) => client.deleteMessageBatch(batch));
    this.#changes = new Batches(queueUrl, (batch) => client.changeMessageVisibilityBatch(batch));
  }

  readonly pull = async (most: number, signal: AbortSignal): Promise<readonly Delivery[]> =>
    (await this.#inbox.pullKept(most, signal)).map((message) => this.#deliveryOf(message));

  readonly stop = async (first: Promise<unknown>): Promise<void> => {
    // what SQS hands out at this moment comes to others when its visibility timeout ends
    this.#closing.abort();
    await first;
    await this.#giveBack(this.#inbox.drain());
  };

  readonly close = async (): Promise<void> => {
    if (this.#inbox.isBroken) return;
    this.#inbox.break(new Error("it is closed"));
    this.#closing.abort();
    await this.#giveBack(this.#inbox.kept.filter((message) => !this.#settling.has(message)));
  };

  async #giveBack(messages: readonly SqsMessage[]): Promise<void> {
    const kept = messages.filter((message) => !this.#inbox.isOver(message));
    // once only: given back again, it would be taken from whoever has it by then
    for (const message of kept) this.#inbox.release(message);
    await Promise.all(kept.map((message) => this.#change(message, 0)));
  }

  /** What comes after whoever asked has left waits for the next one: a request that is ended would lose it for a while. */
  #read(count: number): void {
    if (this.#reading) return;
    this.#reading = true;
    const { client, queueUrl } = this.#options;
    const abortSignal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(waitSeconds * 1_000 + lateMs)]);
    const input = {
      ...{ QueueUrl: queueUrl, MaxNumberOfMessages: count, WaitTimeSeconds: waitSeconds },
      ...{ MessageSystemAttributeNames: ["All"], MessageAttributeNames: ["All"] },
    };
    client.receiveMessage(input, { abortSignal }).then(
      ({ Messages = [] }) => {
        this.#reading = false;
        for (const message of Messages) this.#inbox.add(message);
        // it stopped meanwhile: others wait for them
        if (this.#closing.signal.aborted) this.#giveBack(Messages).catch(() => {});
        this.#inbox.wake();
      },
      (error: unknown) => {
        if (this.#closing.signal.aborted) return;
        this.#inbox.break(error instanceof Error ? error : new Error("SQS refused to be read from"));
      },
    );
  }

  async #renew(message: SqsMessage): Promise<"renewed" | "lost"> {
    const renewed = await this.#change(message, this.#options.lockMs / 1_000);
    if (renewed) this.#inbox.keep(message);
    return renewed ? "renewed" : "lost";
  }

  #deliveryOf(message: SqsMessage): Delivery {
    return {
      read: () => JSON.parse(message.Body ?? ""),
      sentAt: sentAt(message),
      isRepeated: Number(message.Attributes?.["ApproximateReceiveCount"] ?? 2) > 1,
      // of a standard queue a group shares capacity, and has no order
      group: isFifo(this.#options.queueUrl) ? message.Attributes?.["MessageGroupId"] : undefined,
      lockMs: this.#options.lockMs,
      renew: () => this.#renew(message),
      settle: async (settlement) => {
        // from the end of its lock on it is another's: a handle that is over may still delete a message
        const isMine = () => !this.#inbox.isBroken && !this.#inbox.isOver(message);
        this.#settling.add(message);
        try {
          const isThere = !isMine() || settlement.is !== "dead-letter" || (await this.#setAside(message, settlement));
          if (!isMine()) return "lost";
          if (!isThere) return "refused";
          const settled = this.#settle(message, settlement).finally(() => this.#inbox.release(message));
          return (await settled) ? "settled" : "lost";
        } finally {
          this.#settling.delete(message);
        }
      },
    };
  }

  /** False: the queue for what is set aside does not take it, for it is gone, or lets in no message so large. */
  #setAside(message: SqsMessage, settlement: Extract<Settlement, { readonly is: "dead-letter" }>): Promise<boolean> {
    return sendAside(this.#options, message, settlement).then(
      () => true,
      () => false,
    );
  }

  async #settle(message: SqsMessage, settlement: Settlement): Promise<boolean> {
    if (settlement.is === "return") {
      return this.#change(message, Math.min(Math.ceil(settlement.afterMs / 1_000), longestSeconds));
    }
    return isDone(await this.#deletions.add({ ReceiptHandle: message.ReceiptHandle }));
  }

  async #change({ ReceiptHandle }: SqsMessage, seconds: number): Promise<boolean> {
    return isDone(await this.#changes.add({ ReceiptHandle, VisibilityTimeout: seconds }));
  }
}

function isDone(code: string | null): boolean {
  if (code === null) return true;
  if (lostCodes.has(code)) return false;
  throw new Error(`SQS refused it: ${code}`);
}
