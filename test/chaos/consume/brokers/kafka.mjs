// On a cluster that a run starts for itself: its address goes to the run's processes in the environment.
import { Kafka, logLevel } from "kafkajs";
import { kafka } from "reprise/kafka";
import { startKafkaMock } from "../../../support/kafka-mock.mjs";

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
