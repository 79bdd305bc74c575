import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import { nats } from "reprise/nats";

const servers = process.env.NATS_SERVER ?? "127.0.0.1:4222";

export const onNats = {
  source: (name) =>
    nats({
      connect: () => connect({ servers, reconnect: false }),
      ...{ jetstream, headers, stream: name, consumer: "work", deadLetter: `${name}-dead` },
    }),
  async create(name, lockMs = 2_000) {
    const connection = await connect({ servers });
    const manager = await jetstreamManager(connection);
    const streams = [name, `${name}-dead`];
    for (const stream of streams) await manager.streams.add({ name: stream, subjects: [stream] });
    // as long as a crash is waited for
    const nanoseconds = 1_000_000;
    const consumer = {
      durable_name: "work",
      ack_policy: "explicit",
      ack_wait: lockMs * nanoseconds,
      max_ack_pending: -1,
    };
    await manager.consumers.add(name, consumer);
    const client = jetstream(connection);
    return {
      send: async (bodies) => {
        for (const body of bodies) await client.publish(name, body);
      },
      left: async () => {
        const { num_pending, num_ack_pending } = await manager.consumers.info(name, "work");
        return num_pending + num_ack_pending;
      },
      setAside: async () => (await manager.streams.info(`${name}-dead`)).state.messages,
      drop: async () => {
        for (const stream of streams) await manager.streams.delete(stream);
        await connection.close();
      },
    };
  },
  async receive(name, most, handle) {
    const consumer = await jetstream(await connect({ servers })).consumers.get(name, "work");
    await consumer.consume({
      max_messages: most,
      callback: async (message) => {
        await handle(message.string());
        message.ack();
      },
    });
  },
};
