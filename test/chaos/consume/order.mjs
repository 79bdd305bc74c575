// One process, many keys, some messages fail at first: `node order.mjs --help`.
import { parseArgs } from "node:util";
import { createReprise, unchecked } from "reprise";
import { postgresLedger } from "reprise/postgres";
import { openStage } from "./stage.mjs";

const { values } = parseArgs({
  options: {
    broker: { type: "string", default: "rabbitmq" },
    messages: { type: "string", default: "10000" },
    keys: { type: "string", default: "100" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(
    "A consumer with 64 messages at once and a lane for each key; a tenth of them fails at the first attempt.\n" +
      "Exits 1 if two messages of a key ran in another order than they were sent in.\n\n" +
      "  --broker rabbitmq (or nats, redis-streams)  --messages 10000  --keys 100  --json\n",
  );
  process.exit(0);
}
const [messages, keys] = [values.messages, values.keys].map(Number);
// as services have it: the order of what a process loses while it stands still is not promised
const stage = await openStage(values.broker, 30_000);
const sent = Array.from({ length: messages }, (_, index) => ({ lane: index % keys, place: Math.floor(index / keys) }));
await stage.queue.send(sent.map((message) => JSON.stringify(message)));

const reprise = createReprise({
  ...{ service: "shop", undecided: "listed" },
  ledger: postgresLedger({ pool: stage.pool, schema: stage.schema }),
});
const begun = new Set();
// what is committed: a run whose transaction falls apart is called again
await stage.pool.query(`create table ${stage.schema}.lane (lane int primary key, next int not null)`);
await stage.pool.query(`insert into ${stage.schema}.lane select lane, 0 from generate_series(0, $1) lane`, [keys - 1]);
let [inversions, failures] = [0, 0];
const book = reprise.operation({
  ...{ name: "seat.book", input: unchecked(), principal: "everyone", retention: "1d", costIfTwice: "trust" },
  ...{ effects: "database", identity: ({ lane, place }) => [lane, place] },
  run: async ({ input: { lane, place }, tx }) => {
    const name = `${lane}/${place}`;
    const fails = !begun.has(name) && (place + lane) % 10 === 0;
    begun.add(name);
    // counted when it is called: a neighbour in its transaction may fail before it does
    if (fails) failures += 1;
    await tx.query(`insert into ${stage.schema}.booking values ($1)`, [name]);
    if (fails) throw new Error("it fails at first");
    const inOrder = `with before as (select lane, next from ${stage.schema}.lane where lane = $1 for update)
      update ${stage.schema}.lane set next = $2 from before where lane.lane = before.lane returning before.next as next`;
    const [before] = await tx.query(inOrder, [lane, place + 1]);
    if (before?.next !== place) inversions += 1;
  },
});
const beganAt = performance.now();
const consumer = reprise.consume(book, stage.source, {
  ...{ deliveredWithin: "1d", atOnce: 64, retryIn: ["20ms"] },
  inOrderBy: ({ lane }) => lane,
});
await reprise.start();
await stage.untilEmpty(() => {
  const { ran, replayed } = consumer.counts();
  // what lost its lock after its commit is acknowledged when it comes again
  return ran + replayed === messages;
});
await reprise.close();
const { ran, replayed, setAside, lost } = consumer.counts();
const result = {
  ...{ broker: values.broker, messages, keys, failures, inversions, ran, lost, replayed },
  setAside: Object.values(setAside).reduce((sum, one) => sum + one, 0),
  seconds: Number(((performance.now() - beganAt) / 1_000).toFixed(1)),
};
await stage.drop();
const holds = inversions === 0 && ran + replayed === messages && result.setAside === 0 && failures > 0;
stage.tell(result, holds, values.json);
