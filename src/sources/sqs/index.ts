import { RepriseError } from "../../base/errors.ts";
import { checkGiven } from "../../base/given.ts";
import type { Source } from "../../contract/source.ts";
import { checkApart } from "../letters.ts";
import { isFifo } from "./attributes.ts";
import { SqsDeadLetters } from "./dead-letters.ts";
import { SqsReceiver } from "./receiver.ts";
import type { SqsClient } from "./shapes.ts";

export { type SqsPublisherOptions, sqsPublisher } from "./publisher.ts";
export type {
  SqsAttribute,
  SqsBatch,
  SqsBatchAnswer,
  SqsClient,
  SqsMessage,
  SqsOutgoing,
  SqsRequestOptions,
} from "./shapes.ts";

export interface SqsOptions {
  /** An `SQS` of `@aws-sdk/client-sqs`, which the source does not close. */
  readonly client: SqsClient;
  /** Its visibility timeout is how long a message is kept from others. */
  readonly queueUrl: string;
  /**
   * The URL of a queue that exists, for what is set aside. A copy is sent there before the message is deleted. For a FIFO
   * queue, better a standard one: of a FIFO queue SQS shows ten of a group at a time.
   */
  readonly deadLetterUrl: string;
}

/** SQS keeps a message no longer. */
const longestMs = 14 * 86_400_000;

/**
 * A queue of Amazon SQS, standard or FIFO. Its horizon is the queue's retention; where its redrive policy names a queue for
 * dead letters, also what that one keeps, for a FIFO queue counts anew there. It delays by itself, up to 12 hours. Its
 * redrive policy, where it has one, allows many receives: attempts are counted in the ledger. What is set aside carries
 * `x-reprise-reason`, `x-reprise-why`, `x-reprise-sent-at` and, of a FIFO queue, `x-reprise-group`.
 *
 * @throws REPRISE_BAD_DECLARATION, also where `deadLetterUrl` is `queueUrl`
 * @example
 * const source = sqs({ client: new SQS({ region }), queueUrl, deadLetterUrl });
 */
export function sqs(options: SqsOptions): Source {
  // an 'SQSClient' of the same package has none of these methods
  checkGiven("sqs", options, { "client.getQueueAttributes": "function", queueUrl: "string", deadLetterUrl: "string" });
  const { client, queueUrl } = options;
  const name = `sqs ${queueUrl.slice(queueUrl.lastIndexOf("/") + 1)}`;
  checkApart(name, queueUrl, options.deadLetterUrl);
  return {
    name,
    delays: true,
    horizon: async () => {
      const { retentionMs, redrivePolicy } = await attributesOf(client, queueUrl);
      if (redrivePolicy === null) return retentionMs;
      const deadMs = await deadRetentionOf(client, redrivePolicy);
      // a standard queue keeps the instant of the first sending, a FIFO queue does not
      return isFifo(queueUrl) ? retentionMs + deadMs : Math.max(retentionMs, deadMs);
    },
    open: async (most) => {
      const { lockMs } = await attributesOf(client, queueUrl);
      if (lockMs === 0) {
        const why = "its visibility timeout is 0, so a message is kept from nobody.";
        const mend = "Set it to 30 seconds, or to what a message takes as a rule: it is renewed.";
        throw new RepriseError("REPRISE_BAD_DECLARATION", { where: `source '${name}'`, why, mend });
      }
      return new SqsReceiver({ ...options, most, lockMs });
    },
    standing: async () => {
      const [queue, dead] = await Promise.all([countsOf(client, queueUrl), countsOf(client, options.deadLetterUrl)]);
      // who looks at them keeps them from sight
      return { waiting: queue.waiting, setAside: dead.waiting + dead.handedOut };
    },
    deadLetters: async () => new SqsDeadLetters(options),
  };
}

interface QueueAttributes {
  readonly retentionMs: number;
  readonly lockMs: number;
  readonly redrivePolicy: { readonly deadLetterTargetArn: string } | null;
}

async function attributesOf(client: SqsClient, queueUrl: string): Promise<QueueAttributes> {
  const AttributeNames = ["MessageRetentionPeriod", "VisibilityTimeout", "RedrivePolicy"];
  const { Attributes = {} } = await client.getQueueAttributes({ QueueUrl: queueUrl, AttributeNames });
  const policy = Attributes["RedrivePolicy"];
  return {
    retentionMs: Number(Attributes["MessageRetentionPeriod"]) * 1_000,
    lockMs: Number(Attributes["VisibilityTimeout"]) * 1_000,
    redrivePolicy: policy === undefined || policy === "" ? null : JSON.parse(policy),
  };
}

/** About so many. */
async function countsOf(
  client: SqsClient,
  QueueUrl: string,
): Promise<{ readonly waiting: number; readonly handedOut: number }> {
  const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
  const { Attributes = {} } = await client.getQueueAttributes({ QueueUrl, AttributeNames });
  return {
    waiting: Number(Attributes["ApproximateNumberOfMessages"]),
    handedOut: Number(Attributes["ApproximateNumberOfMessagesNotVisible"]),
  };
}

/** What the queue keeps that SQS itself sets messages aside in; of one that may not be looked at, what it may be at most. */
async function deadRetentionOf(
  client: SqsClient,
  { deadLetterTargetArn }: { readonly deadLetterTargetArn: string },
): Promise<number> {
  const [, , , , account, name] = deadLetterTargetArn.split(":");
  try {
    const { QueueUrl } = await client.getQueueUrl({ QueueName: name, QueueOwnerAWSAccountId: account });
    return QueueUrl === undefined ? longestMs : (await attributesOf(client, QueueUrl)).retentionMs;
  } catch {
    return longestMs;
  }
}
