import { randomUUID } from "node:crypto";
import { SQS } from "@aws-sdk/client-sqs";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import { sqs } from "../../src/sources/sqs/index.ts";
import type { SetAside, SourceStage } from "../../src/testing/index.ts";

let started: Promise<FauxqsServer> | undefined;

/** The real client of AWS, on an emulator in this process. */
export async function sqsClient(): Promise<SQS> {
  started ??= startFauxqs({ port: 0, logger: false });
  const { port } = await started;
  return new SQS({
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
}

export async function stopSqs(): Promise<void> {
  await (await started)?.stop();
  started = undefined;
}

/** The emulator takes half of what lies beyond the basic plane for no character, and refuses it. */
export function escapeHalves(json: string): string {
  return json.replace(/[\ud800-\udfff]/g, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

export interface SqsStageOptions {
  readonly fifo?: boolean;
  readonly deadLetterFifo?: boolean;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface SqsStage extends SourceStage {
  readonly client: SQS;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
}

/** A queue of its own, with one for what is set aside. In a FIFO queue each message is a group of its own. */
export async function sqsStage({
  fifo = false,
  deadLetterFifo = false,
  attributes = {},
}: SqsStageOptions = {}): Promise<SqsStage> {
  const client = await sqsClient();
  const create = async (isFifo: boolean, Attributes: Readonly<Record<string, string>>) => {
    const QueueName = `reprise-test-${randomUUID()}${isFifo ? ".fifo" : ""}`;
    const created = await client.createQueue({
      QueueName,
      Attributes: { ...Attributes, ...(isFifo && { FifoQueue: "true" }) },
    });
    return created.QueueUrl ?? "";
  };
  const queueUrl = await create(fifo, { VisibilityTimeout: "5", ...attributes });
  const deadLetterUrl = await create(deadLetterFifo, {});
  const send = async (QueueUrl: string, body: string) => {
    const id = randomUUID();
    const MessageBody = escapeHalves(body);
    await client.sendMessage({
      ...{ QueueUrl, MessageBody },
      ...(QueueUrl.endsWith(".fifo") && { MessageGroupId: id, MessageDeduplicationId: id }),
    });
  };
  return {
    ...{ client, queueUrl, deadLetterUrl },
    source: sqs({ client, queueUrl, deadLetterUrl }),
    send: (body) => send(queueUrl, body),
    sendAside: (body) => send(deadLetterUrl, body),
    setAside: async (count) => {
      const all: SetAside[] = [];
      while (all.length < count) {
        const { Messages = [] } = await client.receiveMessage({
          ...{ QueueUrl: deadLetterUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 },
          MessageAttributeNames: ["All"],
        });
        for (const { Body = "", MessageAttributes } of Messages) {
          all.push({ body: Body, reason: MessageAttributes?.["x-reprise-reason"]?.StringValue as SetAside["reason"] });
        }
      }
      return all;
    },
    refuse: async () => {
      const limit = async (bytes: number) => {
        const Attributes = { MaximumMessageSize: String(bytes) };
        await client.setQueueAttributes({ QueueUrl: deadLetterUrl, Attributes });
      };
      await limit(1_024);
      return () => limit(262_144);
    },
    cut: async () => {},
    close: async () => {
      for (const QueueUrl of [queueUrl, deadLetterUrl]) await client.deleteQueue({ QueueUrl });
      client.destroy();
    },
  };
}
