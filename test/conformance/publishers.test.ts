import { type PublisherAdapter, publisherSuite } from "../../src/testing/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { natsStage, natsVersion } from "../support/nats.ts";
import { rabbitmqStage, rabbitmqVersion } from "../support/rabbitmq.ts";
import { noRedisHere } from "../support/redis.ts";
import { redisStreamsStage, streamClients } from "../support/redis-streams.ts";
import { describeSuite } from "../support/suite.ts";

function suite(adapter: PublisherAdapter, missing: string | undefined): void {
  const note = missing === undefined ? undefined : `${cannotRunHere}${missing}`;
  describeSuite(`the suite of publishers on ${adapter.name}`, publisherSuite(adapter), note);
}

const rabbitmq = (await rabbitmqVersion()) === undefined ? "no RabbitMQ answers" : undefined;
suite({ name: "rabbitmq", can: { cut: true, nowhere: true }, open: rabbitmqStage }, rabbitmq);

const nats = (await natsVersion()) === undefined ? "no NATS with JetStream answers" : undefined;
suite({ name: "nats", can: { cut: true, nowhere: true }, open: natsStage }, nats);

for (const [client, connect] of Object.entries(streamClients)) {
  const nowhere = { not: "a stream is made by whoever adds to it" };
  const can = { cut: true as const, nowhere };
  suite({ name: `redis streams through ${client}`, can, open: () => redisStreamsStage(connect) }, noRedisHere());
}
