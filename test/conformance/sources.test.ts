import { describe, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { type SourceAdapter, sourceSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "../support/environment.ts";
import { natsStage, natsVersion } from "../support/nats.ts";
import { queue } from "../support/queue.ts";
import { rabbitmqStage, rabbitmqVersion } from "../support/rabbitmq.ts";
import { noRedisHere } from "../support/redis.ts";
import { redisStreamsStage, streamClients } from "../support/redis-streams.ts";

const adapters: readonly { readonly adapter: SourceAdapter; readonly missing: string | undefined }[] = [
  ...[
    { name: "a queue in this process" },
    { name: "a queue in this process, with locks", delays: true, lockMs: 600 },
    { name: "a queue in this process, which pushes", pushes: true },
  ].map(({ name, ...how }) => ({
    adapter: {
      name,
      can: { cut: true as const },
      open: async () => {
        const broker = queue({ clock: systemClock, ...how });
        return {
          source: broker.source,
          send: async (body: string) => broker.send(body),
          setAside: async () => broker.deadLetters,
          cut: async () => broker.crash(),
          close: async () => {},
        };
      },
    },
    missing: undefined,
  })),
  {
    adapter: { name: "rabbitmq", can: { cut: true }, open: rabbitmqStage },
    missing: (await rabbitmqVersion()) === undefined ? "no RabbitMQ answers" : undefined,
  },
  {
    adapter: { name: "nats", can: { cut: true }, open: natsStage },
    missing: (await natsVersion()) === undefined ? "no NATS with JetStream answers" : undefined,
  },
  ...Object.entries(streamClients).map(([name, connect]) => ({
    adapter: {
      name: `redis streams through ${name}`,
      can: { cut: true as const },
      open: () => redisStreamsStage(connect),
    },
    missing: noRedisHere(),
  })),
];

for (const { adapter, missing } of adapters) {
  describe(`the suite of sources on ${adapter.name}`, () => {
    for (const { name, skip, run } of sourceSuite(adapter)) {
      test(name, async (context) => {
        if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        await run();
      });
    }
  });
}
