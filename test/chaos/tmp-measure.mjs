import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import amqplib from "amqplib";
import pg from "pg";
import { createReprise, unchecked } from "reprise";
import { natsPublisher } from "reprise/nats";
import { postgresLedger } from "reprise/postgres";
import { rabbitmqPublisher } from "reprise/rabbitmq";

const url = "postgres://postgres@127.0.0.1:5432/test",
  amqp = "amqp://guest:guest@127.0.0.1:5672";
const schema = `reprise_measure_${process.pid}`;
const pool = new pg.Pool({ connectionString: url, max: 16 });
await pool.query(`create schema ${schema}; create table ${schema}.b (id text)`);
const queue = `reprise.measure.${process.pid}`;
const c = await amqplib.connect(amqp);
const ch = await c.createChannel();
await ch.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
const nc = await connect({ servers: "127.0.0.1:4222" });
const m = await jetstreamManager(nc);
await m.streams.add({ name: queue.replaceAll(".", "-"), subjects: [queue.replaceAll(".", "-")] });
const ledger = postgresLedger({ pool, schema });
const base = { message: unchecked(), id: (x) => x.id };
const many = async (n, at, work) => {
  let i = 0;
  const t = performance.now();
  await Promise.all(
    Array.from({ length: at }, async () => {
      while (i < n) await work(i++);
    }),
  );
  return (n / (performance.now() - t)) * 1000;
};
const N = 2000;
{
  const r = createReprise({ service: "m", undecided: "listed", ledger: { ...ledger, close: async () => {} } });
  const o = r.outbox({ ...base, name: "one" });
  await r.start();
  for (const at of [1, 16]) {
    const w = await many(N, at, (i) =>
      ledger.transaction((tx) => tx.query(`insert into ${schema}.b values ($1)`, [String(i)])),
    );
    const p = await many(N, at, (i) =>
      ledger.transaction(async (tx) => {
        await tx.query(`insert into ${schema}.b values ($1)`, [String(i)]);
        await o.publishIn(tx, { id: `m-${i}`, seat: i });
      }),
    );
    console.log(`${at} at once: tx/s without ${w.toFixed(0)}, with publishIn ${p.toFixed(0)}`);
  }
  // as a queue
  let n = 0;
  const op = r.operation({
    name: "x",
    input: unchecked(),
    ifRunsAgain: "replays",
    costIfTwice: "money",
    principal: "everyone",
    identity: (x) => [x.id],
    retention: "2d",
    effects: "database",
    run: async ({ tx, input }) => {
      n++;
      await tx.query(`insert into ${schema}.b values ($1)`, [input.id]);
    },
  });
  const t = performance.now();
  const consumer = r.consume(op, o.source(), { deliveredWithin: "1d" });
  while ((await o.standing()).waiting > 0) await new Promise((x) => setTimeout(x, 10));
  console.log(
    `queue: ${((consumer.counts().received / (performance.now() - t)) * 1000).toFixed(0)} msg/s, ran ${n}, received ${consumer.counts().received}`,
  );
  await r.close();
}
for (const [name, to] of [
  ["rabbit", rabbitmqPublisher({ connect: () => amqplib.connect(amqp), queue })],
  [
    "nats",
    natsPublisher({
      connect: () => connect({ servers: "127.0.0.1:4222" }),
      jetstream,
      headers,
      subject: queue.replaceAll(".", "-"),
    }),
  ],
]) {
  const w = createReprise({
    service: "m",
    undecided: "listed",
    workers: 0,
    ledger: { ...ledger, close: async () => {} },
  });
  const o1 = w.outbox({ ...base, name });
  await w.start();
  await many(N, 16, (i) => ledger.transaction((tx) => o1.publishIn(tx, { id: `m-${i}`, seat: i })));
  await w.close();
  const r = createReprise({ service: "m", undecided: "listed", ledger: { ...ledger, close: async () => {} } });
  const o = r.outbox({ ...base, name, to });
  const t = performance.now();
  await r.start();
  while ((await o.standing()).waiting > 0) await new Promise((x) => setTimeout(x, 10));
  console.log(`relay ${name}: ${((N / (performance.now() - t)) * 1000).toFixed(0)} msg/s`, o.counts());
  // latency from commit to confirmed
  const lat = [];
  for (let i = 0; i < 30; i++) {
    await new Promise((x) => setTimeout(x, 150));
    const was = o.counts().relayed;
    await ledger.transaction((tx) => o.publishIn(tx, { id: `l-${i}` }));
    const t0 = performance.now();
    while (o.counts().relayed === was) await new Promise((x) => setTimeout(x, 1));
    lat.push(performance.now() - t0);
  }
  lat.sort((a, b) => a - b);
  console.log(`latency after commit, same process: median ${lat[15].toFixed(0)} ms, worst ${lat[29].toFixed(0)} ms`);
  await r.close();
}
await ch.deleteQueue(queue);
await c.close();
await m.streams.delete(queue.replaceAll(".", "-"));
await nc.close();
await pool.query(`drop schema ${schema} cascade`);
await pool.end();
