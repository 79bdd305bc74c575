// SIGTERM with many messages in flight: `node drain.mjs --help`.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openStage } from "./stage.mjs";

const { values } = parseArgs({
  options: {
    broker: { type: "string", default: "rabbitmq" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(
    "A process has 64 of 200 messages at work when it is told to end; a second one receives what is left.\n" +
      "Exits 1 if a message that the first one finished is delivered again, or one is lost or done twice.\n\n" +
      "  --broker rabbitmq (or nats, redis-streams)  --json\n",
  );
  process.exit(0);
}
const [messages, atOnce] = [200, 64];
const stage = await openStage(values.broker);
await stage.queue.send(Array.from({ length: messages }, (_, index) => JSON.stringify({ reference: `R-${index}` })));

const start = (workMs) => {
  const settings = { ...{ broker: values.broker, name: stage.name, schema: stage.schema }, atOnce, workMs };
  const child = fork(fileURLToPath(new URL("drain-worker.mjs", import.meta.url)), [JSON.stringify(settings)]);
  const delivered = new Set();
  const finished = new Set();
  let working = 0;
  let full = () => {};
  const isFull = new Promise((resolve) => {
    full = resolve;
  });
  child.on("message", ({ is, reference }) => {
    if (is === "delivered") delivered.add(reference);
    if (is === "began") working += 1;
    if (is === "finished") {
      working -= 1;
      finished.add(reference);
    }
    if (working === atOnce) full();
  });
  const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve(code ?? signal)));
  return { child, delivered, finished, isFull, ended };
};
const first = start(1_500);
await first.isFull;
first.child.kill("SIGTERM");
const code = await first.ended;
const second = start(5);
await stage.untilEmpty(() => first.finished.size + second.finished.size >= messages);
second.child.kill("SIGTERM");
await second.ended;
const done = await stage.counted();
const result = {
  ...{ broker: values.broker, inFlight: atOnce, exit: code, finished: first.finished.size },
  redelivered: [...first.finished].filter((reference) => second.delivered.has(reference)).length,
  lost: messages - done.size,
  twice: [...done.values()].filter((count) => count > 1).length,
  setAside: await stage.queue.setAside(),
};
await stage.drop();
const { redelivered, lost, twice, setAside } = result;
stage.tell(
  result,
  code === 0 && first.finished.size >= atOnce && redelivered + lost + twice + setAside === 0,
  values.json,
);
