// Consumers of messages, killed at five points: `npm run -s crash:consume -- --help`.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import pg from "pg";
import { openBroker } from "./brokers.mjs";

const { values } = parseArgs({
  options: {
    broker: { type: "string", default: "rabbitmq" },
    effects: { type: "string", default: "database" },
    kills: { type: "string", default: "50" },
    processes: { type: "string", default: "2" },
    copies: { type: "string", default: "6" },
    naive: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(
    "Processes take messages, several copies of each, with a PostgreSQL ledger, and are killed with SIGKILL at five points in turn.\n" +
      "Exits 1 if what a message brings about happened twice, or not at all.\n\n" +
      "  --broker rabbitmq (or nats, redis-streams, bullmq, sqs, kafka, service-bus, service-bus-sessions)\n" +
      "  --effects database (or external: a gateway that honours keys)\n" +
      "  --kills 50  --processes 2  --copies 6  --naive (look, work, write down, acknowledge)  --json\n",
  );
  process.exit(0);
}
const [kills, processes, copies] = [values.kills, values.processes, values.copies].map(Number);
const { broker, effects, naive } = values;
const points = ["received", "claimed", "effect", "recorded", "acknowledged"];
const batch = 6;

/** Charges each call, unless it brings a key that was charged before. */
const charges = new Map();
const keys = new Set();
const server = createServer(async (request, response) => {
  let key = "";
  for await (const chunk of request) key += chunk;
  const reference = request.url.slice(1);
  if (key === "" || !keys.has(key)) charges.set(reference, (charges.get(reference) ?? 0) + 1);
  if (key !== "") keys.add(key);
  response.end("charged");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}`;

const id = randomUUID().slice(0, 8);
const [name, schema] = [`crash-${id}`, `crash_${id}`];
const pool = new pg.Pool({
  connectionString: process.env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/test",
  max: 2,
});
await pool.query(`create schema ${schema}`);
await pool.query(`create table ${schema}.booking (reference text)`);
await pool.query(`create table ${schema}.seen (reference text primary key)`);
const queue = await (await openBroker(broker)).create(name);
const worker = fileURLToPath(new URL("worker.mjs", import.meta.url));
const beganAt = performance.now();
const killedAt = Object.fromEntries(points.map((point) => [point, 0]));
let [killed, planned, sent] = [0, 0, 0];

const start = (settings) => {
  const all = { broker, name, schema, url, effects, naive, killAt: "", killAtCall: 1, ...settings };
  const child = spawn(process.execPath, [worker, JSON.stringify(all)], { stdio: ["pipe", "inherit", "inherit"] });
  child.stdin.on("error", () => {});
  return child;
};

/** Some messages for each process that is to be killed, its copies behind each other and among others'. */
async function send() {
  const references = Array.from({ length: batch }, (_, index) => `R-${sent + index}`);
  sent += batch;
  for (let copy = 0; copy < copies; copy += 1) {
    await queue.send(references.map((reference) => JSON.stringify({ reference })));
  }
}

async function slot() {
  while (planned < kills) {
    const killAt = points[planned % points.length];
    planned += 1;
    await send();
    const child = start({ killAt, killAtCall: 1 + Math.floor(Math.random() * batch) });
    // where the others were quicker there may be nothing to be killed at
    const more = setInterval(() => void send().catch(() => {}), 3_000);
    const { code, signal } = await new Promise((resolve) => {
      child.on("exit", (code, signal) => resolve({ code, signal }));
    });
    clearInterval(more);
    if (signal !== "SIGKILL") throw new Error(`a worker ended with ${code ?? signal}`);
    killed += 1;
    killedAt[killAt] += 1;
    if (!values.json) process.stderr.write(`\r${killed} of ${kills} killed `);
  }
}
await Promise.all(Array.from({ length: processes }, slot));

// one that is left alone finishes what the killed ones left
const last = start({});
const happened = async () => {
  if (effects === "external") return new Map(charges);
  const { rows } = await pool.query(`select reference, count(*)::int as n from ${schema}.booking group by reference`);
  return new Map(rows.map(({ reference, n }) => [reference, n]));
};
const until = performance.now() + 120_000;
for (let quiet = 0; quiet < 3 && performance.now() < until; ) {
  await new Promise((resolve) => setTimeout(resolve, 500));
  quiet = (await queue.left()) === 0 && (await happened()).size === sent ? quiet + 1 : 0;
}
last.stdin.write("close\n");
await new Promise((resolve) => last.on("exit", resolve));
const effectsOf = await happened();
const result = {
  broker,
  effects,
  kills: killed,
  messages: sent * copies,
  identities: sent,
  most: Math.max(...effectsOf.values()),
  twice: [...effectsOf.values()].filter((count) => count > 1).length,
  lost: sent - effectsOf.size,
  left: await queue.left(),
  setAside: await queue.setAside(),
  killedAt,
  seconds: Number(((performance.now() - beganAt) / 1_000).toFixed(1)),
};
await queue.drop();
await pool.query(`drop schema ${schema} cascade`);
await pool.end();
server.close();
server.closeAllConnections();

const holds = result.twice + result.lost + result.left + result.setAside === 0 && killed >= kills;
if (values.json) process.stdout.write(`${JSON.stringify({ ...result, holds })}\n`);
else {
  process.stderr.write("\r");
  for (const [key, value] of Object.entries(result)) {
    process.stdout.write(`${key.padEnd(12)} ${typeof value === "object" ? JSON.stringify(value) : value}\n`);
  }
  process.stdout.write(holds ? "Each happened once, and none was lost.\n" : "It does not hold.\n");
}
process.exit(holds ? 0 : 1);
