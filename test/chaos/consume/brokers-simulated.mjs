// As brokers.mjs, on brokers that a run starts for itself: their addresses go to its processes in the environment.
import { SQS } from "@aws-sdk/client-sqs";
import { startFauxqs } from "fauxqs";
import { Kafka, logLevel } from "kafkajs";
import { kafka } from "reprise/kafka";
import { sqs } from "reprise/sqs";
import { startKafkaMock } from "../../support/kafka-mock.mjs";

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

process.env.KAFKAJS_NO_PARTITIONER_WARNING = "1";
const kafkaClient = () => new Kafka({ brokers: [process.env.KAFKA_BROKERS], logLevel: logLevel.NOTHING });
const member = { sessionTimeout: 4_000, heartbeatInterval: 300 };

export const onKafka = {
  source: (name) => ({
    ...kafka({
      kafka: kafkaClient(),
      topic: name,
      group: `${name}.work`,
      deadLetter: `${name}.dead`,
      consumer: member,
    }),
    // the mock describes no topic
    horizon: async () => null,
  }),
  async create(name) {
    const mock = await startKafkaMock();
    if (mock === undefined) throw new Error("there is no librdkafka, or nothing to compile with");
    process.env.KAFKA_BROKERS = mock.brokers;
    for (const topic of [name, `${name}.dead`]) await mock.create(topic, 4);
    const producer = kafkaClient().producer();
    await producer.connect();
    const admin = kafkaClient().admin();
    await admin.connect();
    return {
      send: async (bodies) => {
        await producer.send({ topic: name, messages: bodies.map((value) => ({ value })) });
      },
      left: async () => {
        const [committed] = await admin.fetchOffsets({ groupId: `${name}.work`, topics: [name] });
        const all = await admin.fetchTopicOffsets(name);
        return all.reduce((sum, { partition, high }) => {
          const at = Number(committed.partitions.find((one) => one.partition === partition)?.offset ?? -1);
          return sum + Number(high) - Math.max(at, 0);
        }, 0);
      },
      setAside: async () => {
        const all = await admin.fetchTopicOffsets(`${name}.dead`);
        return all.reduce((sum, { high }) => sum + Number(high), 0);
      },
      drop: async () => {
        await producer.disconnect();
        await admin.disconnect();
        await mock.stop();
      },
    };
  },
  async receive(name, most, handle) {
    const consumer = kafkaClient().consumer({ groupId: `${name}.work`, ...member });
    await consumer.connect();
    await consumer.subscribe({ topics: [name], fromBeginning: true });
    await consumer.run({
      partitionsConsumedConcurrently: most,
      eachMessage: ({ message }) => handle(message.value.toString()),
    });
  },
};
