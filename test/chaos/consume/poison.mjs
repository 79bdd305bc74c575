// One message ends the process of whoever runs it: `node poison.mjs --help`.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openStage } from "./stage.mjs";

const { values } = parseArgs({
  options: {
    broker: { type: "string", default: "rabbitmq" },
    attempts: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(
    "A consumer with 32 messages at once, of which one kills its process whenever it runs; the process is started anew.\n" +
      "Exits 1 if another message is set aside, or that one after more or fewer runs than are allowed.\n\n" +
      "  --broker rabbitmq (or nats, redis-streams)  --attempts 3  --json\n",
  );
  process.exit(0);
}
const [messages, atOnce, attempts] = [100, 32, Number(values.attempts)];
const stage = await openStage(values.broker);
const references = Array.from({ length: messages }, (_, index) => (index === 20 ? "poison" : `R-${index}`));
await stage.queue.send(references.map((reference) => JSON.stringify({ reference })));

let [poisonRuns, crashes, innocentsSetAside] = [0, 0, 0];
const settings = { ...{ broker: values.broker, name: stage.name, schema: stage.schema }, atOnce, attempts };
const path = fileURLToPath(new URL("poison-worker.mjs", import.meta.url));
let ending = false;
let child;
const running = (async () => {
  while (!ending) {
    child = fork(path, [JSON.stringify(settings)]);
    child.on("message", ({ is, reference }) => {
      if (is === "run" && reference === "poison") poisonRuns += 1;
      if (is === "set-aside" && reference !== "poison") innocentsSetAside += 1;
    });
    const signal = await new Promise((resolve) => child.on("exit", (_, by) => resolve(by)));
    if (signal === "SIGKILL" && !ending) crashes += 1;
  }
})();
let setAside = 0;
await stage.untilEmpty(async () => {
  setAside = await stage.queue.setAside();
  // a broker may not count what somebody holds
  return setAside + (await stage.counted()).size >= messages;
});
ending = true;
child.kill("SIGTERM");
await running;
const done = await stage.counted();
const result = {
  ...{ broker: values.broker, attempts, crashes, poisonRuns, innocentsSetAside, setAside },
  lost: messages - 1 - done.size,
  twice: [...done.values()].filter((count) => count > 1).length,
};
await stage.drop();
const holds =
  poisonRuns === attempts &&
  crashes === attempts &&
  innocentsSetAside + result.lost + result.twice === 0 &&
  setAside === 1;
stage.tell(result, holds, values.json);
