import { describe, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { type SourceAdapter, sourceSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "../support/environment.ts";
import { natsStage, natsVersion } from "../support/nats.ts";
import { queue } from "../support/queue.ts";
import { rabbitmqStage, rabbitmqVersion } from "../support/rabbitmq.ts";
import { noRedisHere } from "../support/redis.ts";
import { redisStreamsStage, streamClients } from "../support/redis-streams.ts";

const unseen = { not: "its source does not look at what is set aside" };

const adapters: readonly { readonly adapter: SourceAdapter; readonly missing: string | undefined }[] = [
  ...[false, true].map((delays) => ({
    adapter: {
      name: delays ? "a queue in this process, with locks" : "a queue in this process",
      can: { cut: true as const, deadLetters: true as const },
      open: async () => {
        const broker = queue({ clock: systemClock, delays, lockMs: delays ? 600 : null });
        return {
          source: broker.source,
          send: async (body: string) => broker.send(body),
          setAside: async () => broker.deadLetters,
          sendAside: async (body: string) => broker.sendAside(body),
          cut: async () => broker.crash(),
          close: async () => {},
        };
      },
    },
    missing: undefined,
  })),
  {
    adapter: { name: "rabbitmq", can: { cut: true, deadLetters: unseen }, open: rabbitmqStage },
    missing: (await rabbitmqVersion()) === undefined ? "no RabbitMQ answers" : undefined,
  },
  {
    adapter: { name: "nats", can: { cut: true, deadLetters: unseen }, open: natsStage },
    missing: (await natsVersion()) === undefined ? "no NATS with JetStream answers" : undefined,
  },
  ...Object.entries(streamClients).map(([name, connect]) => ({
    adapter: {
      name: `redis streams through ${name}`,
      can: { cut: true as const, deadLetters: unseen },
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
