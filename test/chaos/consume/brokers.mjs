// A queue of its own on each broker: what creates it, sends to it, and receives from it with and without the library.

const brokers = {
  rabbitmq: async () => (await import("./brokers/rabbitmq.mjs")).onRabbitmq,
  nats: async () => (await import("./brokers/nats.mjs")).onNats,
  "redis-streams": async () => (await import("./brokers/redis-streams.mjs")).onRedisStreams,
  bullmq: async () => (await import("./brokers/bullmq.mjs")).onBullmq,
  sqs: async () => (await import("./brokers/sqs.mjs")).onSqs,
  kafka: async () => (await import("./brokers/kafka.mjs")).onKafka,
  "service-bus": async () => (await import("./brokers/service-bus.mjs")).onServiceBus,
  "service-bus-sessions": async () => (await import("./brokers/service-bus.mjs")).onServiceBusSessions,
};

/** A process loads the client of its own broker only: most of its time would go into those of the others. */
export const openBroker = (name) => brokers[name]();
