// On an emulator that a run starts for itself: its address goes to the run's processes in the environment.
import { SQS } from "@aws-sdk/client-sqs";
import { sqs } from "reprise/sqs";

const sqsClient = () =>
  new SQS({
    endpoint: process.env.SQS_ENDPOINT,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
const urlOf = async (client, QueueName) => (await client.getQueueUrl({ QueueName })).QueueUrl;

export const onSqs = {
  source: async (name) => {
    const client = sqsClient();
    const [queueUrl, deadLetterUrl] = [await urlOf(client, name), await urlOf(client, `${name}-dead`)];
    return sqs({ client, queueUrl, deadLetterUrl });
  },
  async create(name) {
    const { startFauxqs } = await import("fauxqs");
    const server = await startFauxqs({ port: 0, logger: false });
    process.env.SQS_ENDPOINT = `http://127.0.0.1:${server.port}`;
    const client = sqsClient();
    for (const QueueName of [name, `${name}-dead`]) {
      // as long as a crash is waited for
      await client.createQueue({ QueueName, Attributes: { VisibilityTimeout: "2" } });
    }
    const counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
    const count = async (queue) => {
      const QueueUrl = await urlOf(client, queue);
      const { Attributes } = await client.getQueueAttributes({ QueueUrl, AttributeNames: counts });
      return counts.reduce((sum, one) => sum + Number(Attributes[one]), 0);
    };
    return {
      send: async (bodies) => {
        const QueueUrl = await urlOf(client, name);
        for (const MessageBody of bodies) await client.sendMessage({ QueueUrl, MessageBody });
      },
      left: () => count(name),
      setAside: () => count(`${name}-dead`),
      drop: async () => {
        client.destroy();
        await server.stop();
      },
    };
  },
  async receive(name, most, handle) {
    const client = sqsClient();
    const QueueUrl = await urlOf(client, name);
    for (;;) {
      const { Messages = [] } = await client.receiveMessage({
        QueueUrl,
        MaxNumberOfMessages: most,
        WaitTimeSeconds: 1,
      });
      await Promise.all(
        Messages.map(async ({ Body, ReceiptHandle }) => {
          await handle(Body);
          await client.deleteMessage({ QueueUrl, ReceiptHandle });
        }),
      );
    }
  },
};
