// A scheduled worker, overlapping itself, killed at six points: `npm run -s crash:schedule -- --help`.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { declareEnrich, openLedger } from "./enrich.mjs";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "300" },
    processes: { type: "string", default: "2" },
    naive: { type: "boolean", default: false },
    keyless: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(
    "Processes enrich customers on one schedule (a SQLite ledger): a price that a gateway bills by the call and answers\n" +
      "differently each time, into blobs. They are killed with SIGKILL at six points in turn. Exits 1 if a customer was\n" +
      "billed twice or a blob was written with differing bytes.\n\n" +
      "  --kills 300  --processes 2  --naive (the loop without Reprise)  --keyless (a gateway that honours no key)  --json\n",
  );
  process.exit(0);
}
const [kills, processes] = [values.kills, values.processes].map(Number);
const { naive, keyless } = values;
const points = ["tick written", "effect started", "effect sent", "pinned", "blob written", "tick done"];
const customers = 500 + kills * 20;

/** Bills each call, unless it brings a key that was billed before; keeps what every blob was ever written with. */
const bills = new Map();
const answers = new Map();
const blobs = new Map();
let calls = 0;
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => {
    body += chunk;
  });
  request.on("end", () => {
    const [, kind, id] = request.url.split("/");
    if (kind === "price") {
      calls += 1;
      const isKnown = body !== "" && answers.has(body);
      if (!isKnown) {
        bills.set(id, (bills.get(id) ?? 0) + 1);
        answers.set(body, Math.random());
      }
      response.end(String(answers.get(body)));
    } else {
      const seen = blobs.get(id) ?? new Set();
      blobs.set(id, seen.add(createHash("sha256").update(body).digest("hex")));
      response.end("stored");
    }
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}`;

const folder = mkdtempSync(join(tmpdir(), "reprise-schedule-"));
const path = join(folder, "ledger.db");
await (await openLedger(path, customers)).close();
const worker = fileURLToPath(new URL("worker.mjs", import.meta.url));
const beganAt = performance.now();
const killedAt = Object.fromEntries(points.map((point) => [point, 0]));
let [killed, planned] = [0, 0];

/** Starts processes one after the other until enough were killed, then lets the last one close. */
async function slot() {
  while (planned < kills) {
    const killAt = points[planned % points.length];
    planned += 1;
    const isTick = killAt.startsWith("tick");
    const settings = {
      ...{ path, url, customers, naive, keyless, killAt },
      killAtCall: isTick ? 1 : 1 + Math.floor(Math.random() * 6),
    };
    const child = spawn(process.execPath, [worker, JSON.stringify(settings)], {
      stdio: ["pipe", "inherit", "inherit"],
    });
    child.stdin.on("error", () => {});
    const { code, signal } = await new Promise((resolve) => {
      child.on("exit", (code, signal) => resolve({ code, signal }));
    });
    if (signal !== "SIGKILL") throw new Error(`a worker ended with ${code ?? signal}`);
    killed += 1;
    killedAt[killAt] += 1;
    if (!values.json) process.stderr.write(`\r${killed} of ${kills} killed `);
  }
}
await Promise.all(Array.from({ length: processes }, slot));

// one that is left alone finishes what the killed ones left
const child = spawn(process.execPath, [worker, JSON.stringify({ path, url, customers, naive, keyless, killAt: "" })], {
  stdio: ["pipe", "inherit", "inherit"],
});
const ledger = await openLedger(path, 0);
const left = async () => {
  const rows = await ledger.transaction((tx) => tx.query("select id from customer where marked = 0"));
  return rows.filter(({ id }) => bills.has(String(id))).length;
};
const stateOf = async (state) =>
  (await ledger.recent({ limit: customers, operation: "customer.enrich", state })).length;
const until = performance.now() + 60_000;
while ((await left()) > (keyless ? await stateOf("unknown") : 0) && performance.now() < until) {
  await new Promise((resolve) => setTimeout(resolve, 200));
}
const unfinished = await left();
child.stdin.write("close\n");
await new Promise((resolve) => child.on("exit", resolve));
const unknown = naive ? 0 : await stateOf("unknown");
let ticks = {};
if (!naive) {
  const { reprise, schedule } = declareEnrich({ ledger, client: {}, customers, keyless });
  const ends = (await schedule.standing()).ticks;
  for (const { is, ticks: count } of ends) ticks = { ...ticks, [is]: (ticks[is] ?? 0) + (count ?? 0) };
  await reprise.close();
} else await ledger.close();
server.close();
server.closeAllConnections();
rmSync(folder, { recursive: true, force: true });

const result = {
  kills: killed,
  customers: bills.size,
  calls,
  billedTwice: [...bills.values()].filter((count) => count > 1).length,
  differentBlobs: [...blobs.values()].filter(({ size }) => size > 1).length,
  unfinished,
  unknown,
  killedAt,
  ticks,
  seconds: Number(((performance.now() - beganAt) / 1_000).toFixed(1)),
};
// without a key, what was sent and not answered waits for a person
const holds = result.billedTwice + result.differentBlobs === 0 && unfinished <= unknown && killed >= kills;
if (values.json) process.stdout.write(`${JSON.stringify({ ...result, holds })}\n`);
else {
  process.stderr.write("\r");
  for (const [name, value] of Object.entries(result)) {
    process.stdout.write(`${name.padEnd(14)} ${typeof value === "object" ? JSON.stringify(value) : value}\n`);
  }
  process.stdout.write(
    holds ? "Nobody was billed twice, and no blob was written differently.\n" : "It does not hold.\n",
  );
}
process.exit(holds || naive ? 0 : 1);
