import { systemClock } from "../../src/base/clock.ts";
import type { SourceAdapter } from "../../src/testing/index.ts";
import { natsStage, natsVersion } from "../support/nats.ts";
import { queue } from "../support/queue.ts";
import { rabbitmqStage, rabbitmqVersion } from "../support/rabbitmq.ts";
import { noRedisHere } from "../support/redis.ts";
import { redisStreamsStage, streamClients } from "../support/redis-streams.ts";
import { sourceCases } from "../support/source-cases.ts";

const adapters: readonly { readonly adapter: SourceAdapter; readonly missing: string | undefined }[] = [
  ...[
    { name: "a queue in this process" },
    { name: "a queue in this process, with locks", delays: true, lockMs: 600 },
    { name: "a queue in this process, which pushes", pushes: true },
  ].map(({ name, ...how }) => ({
    adapter: {
      name,
      can: { cut: true as const, deadLetters: true as const },
      open: async () => {
        const broker = queue({ clock: systemClock, ...how });
        return {
          source: broker.source,
          send: async (body: string) => broker.send(body),
          setAside: async () => broker.deadLetters,
          sendAside: async (body: string) => broker.sendAside(body),
          refuse: async () => {
            broker.beforeSettling(async ({ is }) => (is === "dead-letter" ? "refused" : undefined));
            return async () => broker.beforeSettling(async () => {});
          },
          cut: async () => broker.crash(),
          close: async () => {},
        };
      },
    },
    missing: undefined,
  })),
  {
    adapter: { name: "rabbitmq", can: { cut: true, deadLetters: true }, open: rabbitmqStage },
    missing: (await rabbitmqVersion()) === undefined ? "no RabbitMQ answers" : undefined,
  },
  {
    adapter: { name: "nats", can: { cut: true, deadLetters: true }, open: natsStage },
    missing: (await natsVersion()) === undefined ? "no NATS with JetStream answers" : undefined,
  },
  ...Object.entries(streamClients).map(([name, connect]) => ({
    adapter: {
      name: `redis streams through ${name}`,
      can: { cut: true as const, deadLetters: true as const },
      open: () => redisStreamsStage(connect),
    },
    missing: noRedisHere(),
  })),
];

for (const { adapter, missing } of adapters) sourceCases(adapter, missing);
