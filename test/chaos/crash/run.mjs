// Processes race through the same identities on one ledger while they are killed: `npm run -s crash -- --help`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makePlace } from "./places.mjs";

const ledgers = ["sqlite", "postgres", "mariadb", "redis"];
const { values } = parseArgs({
  options: {
    ledger: { type: "string", default: "sqlite" },
    processes: { type: "string", default: "4" },
    identities: { type: "string", default: "1000" },
    kills: { type: "string", default: "200" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(
    "Races processes through orders (an effect outside, then a transaction) and notes (one transaction) on one ledger,\n" +
      "and kills them with SIGKILL meanwhile. Exits 1 if an effect or a row happened twice, or an acknowledged outcome\n" +
      "is lost. On Redis, which joins no transactions, an order is its effect alone, and there are no notes.\n\n" +
      `  --ledger ${ledgers.join("|")}  --processes 4  --identities 1000  --kills 200  --json\n`,
  );
  process.exit(0);
}
const [processes, identities, kills] = [values.processes, values.identities, values.kills].map(Number);
if (![processes, identities, kills].every(Number.isInteger) || processes < 1 || identities < 1 || kills < 0) {
  process.stderr.write("--processes and --identities are whole numbers from 1, --kills from 0\n");
  process.exit(2);
}
if (!ledgers.includes(values.ledger)) {
  process.stderr.write(`--ledger is one of ${ledgers.join(", ")}\n`);
  process.exit(2);
}

const { where, query, remove } = await makePlace(values.ledger);

// the other side: it honours keys, and counts what reached it
const charges = new Map();
let requests = 0;
const gateway = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const { key, id } = JSON.parse(body);
  requests += 1;
  if (!charges.has(key)) charges.set(key, { charge: `ch_${charges.size + 1}`, id });
  // long enough that kills fall between sending and answering too
  setTimeout(() => response.end(JSON.stringify(charges.get(key))), Math.random() * 10);
});
gateway.listen(0, "127.0.0.1");
await once(gateway, "listening");
const gatewayUrl = `http://127.0.0.1:${gateway.address().port}/`;

const acknowledged = new Map();
const contradictions = [];
let told = 0;
let executions = 0;
let killed = 0;
let finished = 0;
const total = query === undefined ? identities : identities * 2;
const worker = fileURLToPath(new URL("worker.mjs", import.meta.url));
const running = new Set();

function start() {
  const settings = JSON.stringify({ where, gatewayUrl, identities, lease: kills > 0 ? "1s" : "30s" });
  const child = spawn(process.execPath, [worker, settings], { stdio: ["ignore", "pipe", "ignore"] });
  running.add(child);
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { name, id, value, replayed } = JSON.parse(line);
    told += 1;
    if (!replayed) executions += 1;
    const before = acknowledged.get(`${name} ${id}`);
    const now = JSON.stringify(value);
    if (before !== undefined && before !== now) contradictions.push(`${name} ${id}`);
    acknowledged.set(`${name} ${id}`, now);
    if (!values.json && told % 500 === 0) {
      process.stderr.write(`\r${acknowledged.size} of ${total} acknowledged, ${killed} killed `);
    }
    // kills are spread over the work, each at a random instant of it
    if (killed < kills && acknowledged.size >= ((killed + 1) * total) / (kills + 1)) kill();
  });
  child.on("exit", (code) => {
    running.delete(child);
    if (code === 0) finished += 1;
    else start();
  });
}
function kill() {
  killed += 1;
  setTimeout(() => {
    const victims = [...running].filter((child) => child.exitCode === null && !child.killed);
    const victim = victims[Math.floor(Math.random() * victims.length)];
    if (victim === undefined) killed -= 1;
    else victim.kill("SIGKILL");
  }, Math.random() * 50);
}
const beganAt = performance.now();
for (let index = 0; index < processes; index += 1) start();
while (finished < processes) await new Promise((resolve) => setTimeout(resolve, 50));
const seconds = (performance.now() - beganAt) / 1_000;

const count = async (table) => Number((await query(`select count(*) as many from ${table}`))[0].many);
const twice = (table) => `(select id from ${table} group by id having count(*) > 1) t`;
const written = async () => ({
  orders: await count("orders"),
  ordersTwice: await count(twice("orders")),
  notes: await count("notes"),
  notesTwice: await count(twice("notes")),
});
const chargesOf = new Map();
for (const { id } of charges.values()) chargesOf.set(id, (chargesOf.get(id) ?? 0) + 1);
const result = {
  ledger: values.ledger,
  processes,
  identities,
  kills: killed,
  executions,
  ...(query === undefined ? {} : await written()),
  charges: charges.size,
  chargedTwice: [...chargesOf.values()].filter((times) => times > 1).length,
  requests,
  acknowledged: acknowledged.size,
  contradicted: contradictions.length,
  lost: 0,
  seconds: Math.round(seconds * 10) / 10,
};
// every acknowledged order is in the table, or else at the other side, with the charge that was told
const stored = new Map(
  query === undefined
    ? [...charges.values()].map(({ id, charge }) => [id, charge])
    : (await query("select id, charge from orders")).map((row) => [Number(row.id), row.charge]),
);
for (const [what, value] of acknowledged) {
  const [name, id] = what.split(" ");
  if (name === "order" && stored.get(Number(id)) !== JSON.parse(value).charge) result.lost += 1;
}
await remove();
gateway.close();

const holds =
  (query === undefined || (result.orders === identities && result.notes === identities)) &&
  result.charges === identities &&
  result.acknowledged === total &&
  (query === undefined || result.ordersTwice + result.notesTwice === 0) &&
  result.chargedTwice + result.contradicted + result.lost === 0 &&
  // without kills nothing is executed whose answer nobody heard
  (kills > 0 || result.executions === total);
if (values.json) process.stdout.write(`${JSON.stringify({ ...result, holds })}\n`);
else {
  process.stderr.write("\r");
  for (const [name, value] of Object.entries(result)) process.stdout.write(`${name.padEnd(14)} ${value}\n`);
  process.stdout.write(holds ? "Nothing happened twice and nothing acknowledged is lost.\n" : "It does not hold.\n");
}
process.exit(holds ? 0 : 1);
