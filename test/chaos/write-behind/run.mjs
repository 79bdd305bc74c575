// Processes write behind over one journal while they are killed: `npm run -s crash:write-behind -- --help`.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { declareViews, openSource } from "./views.mjs";

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "3" },
    keys: { type: "string", default: "2000" },
    writes: { type: "string", default: "10000" },
    kills: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(
    "Processes write behind over one journal (a SQLite file) into one source (another), and are killed with SIGKILL at\n" +
      "random instants, before and after the source commits, and before an acknowledgement is heard. Exits 1 if an\n" +
      "acknowledged write is lost, one arrived after a newer one of its key, one took effect twice, or a read gave less\n" +
      "than was acknowledged.\n\n  --processes 3  --keys 2000  --writes 10000  --kills 20  --json\n",
  );
  process.exit(0);
}
const [processes, keys, writes, kills] = [values.processes, values.keys, values.writes, values.kills].map(Number);
if (![processes, keys, writes, kills].every(Number.isInteger) || processes < 1 || keys < processes || writes < 1) {
  process.stderr.write("--processes, --keys (not fewer) and --writes are whole numbers from 1, --kills from 0\n");
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "reprise-write-behind-"));
const [ledgerPath, sourcePath] = [join(folder, "ledger.db"), join(folder, "source.db")];
const source = await openSource(sourcePath);
const worker = fileURLToPath(new URL("worker.mjs", import.meta.url));
const points = [
  "any instant",
  "before the source commits",
  "before the journal knows",
  "before the acknowledgement is heard",
];

/** The newest acknowledged write of each key. A key has one writer at a time, so its numbers rise with its writes. */
const newest = new Map();
const killedAt = Object.fromEntries(points.map((point) => [point, 0]));
let [acknowledged, killed, planned, incarnation, wrongReads, reads, finished] = [0, 0, 0, 0, 0, 0, 0];
let isEnough = false;
const running = new Set();

function start(slot) {
  incarnation += 1;
  const ids = Array.from({ length: keys }, (_, id) => id).filter((id) => id % processes === slot);
  const expected = [...newest].sort(() => Math.random() - 0.5).slice(0, 20);
  const killAt = planned < kills ? points[planned % points.length] : undefined;
  if (killAt !== undefined) planned += 1;
  const settings = {
    ...{ ledgerPath, sourcePath, ids, killAt, firstN: incarnation * 1_000_000 },
    killAtCall: 2 + Math.floor(Math.random() * 4),
    expected: expected.map(([id, n]) => ({ id, n })),
  };
  const child = spawn(process.execPath, [worker, JSON.stringify(settings)], { stdio: ["pipe", "pipe", "inherit"] });
  running.add(child);
  child.stdin.on("error", () => {});
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, n, read } = JSON.parse(line);
    if (read !== undefined) {
      reads += 1;
      if (!read) wrongReads += 1;
      return;
    }
    acknowledged += 1;
    newest.set(id, Math.max(newest.get(id) ?? 0, n));
    if (!values.json && acknowledged % 500 === 0) {
      process.stderr.write(`\r${acknowledged} of ${writes} acknowledged, ${killed} killed `);
    }
    finishWhenEnough();
  });
  if (killAt === points[0]) setTimeout(() => child.kill("SIGKILL"), 500 + Math.random() * 2_000);
  child.on("exit", (code) => {
    running.delete(child);
    if (code === 0) {
      finished += 1;
      return;
    }
    killed += 1;
    killedAt[killAt ?? "unplanned"] = (killedAt[killAt ?? "unplanned"] ?? 0) + 1;
    start(slot);
  });
  if (isEnough) child.stdin.write("close\n");
}
function finishWhenEnough() {
  if (isEnough || acknowledged < writes || killed < kills) return;
  isEnough = true;
  for (const child of running) child.stdin.write("close\n");
}

const beganAt = performance.now();
for (let slot = 0; slot < processes; slot += 1) start(slot);
while (finished < processes) await new Promise((resolve) => setTimeout(resolve, 50));
// what the last killed one held
const { reprise, views } = declareViews({ ledgerPath, source });
await reprise.start();
await views.flush();
const dead = (await views.dead()).length;
await reprise.close();
const seconds = (performance.now() - beganAt) / 1_000;

const rows = (sql) => source.transaction((tx) => tx.query(sql));
const held = new Map((await rows("select id, n from held")).map(({ id, n }) => [id, n]));
const received = await rows("select id, n, version from received order by place");
const effects = await rows("select id, n from effect order by place");
await source.close();
rmSync(folder, { recursive: true, force: true });

const last = new Map();
let [sentTwice, outOfOrder] = [0, 0];
for (const { id, n, version } of received) {
  const before = last.get(id);
  if (before?.version === version) sentTwice += 1;
  else if (before !== undefined && (version < before.version || n < before.n)) outOfOrder += 1;
  last.set(id, { n, version });
}
const result = {
  ...{ processes, keys, kills: killed, acknowledged, dead },
  lost: [...newest].filter(([id, n]) => (held.get(id) ?? -1) < n).length,
  outOfOrder,
  effectTwice: effects.length - new Set(effects.map(({ id, n }) => `${id} ${n}`)).size,
  received: received.length,
  sentTwice,
  reads: reads + acknowledged,
  wrongReads,
  killedAt,
  seconds: Number(seconds.toFixed(1)),
};
const holds =
  result.lost + result.outOfOrder + result.effectTwice + result.wrongReads + result.dead === 0 &&
  acknowledged >= writes &&
  killed >= kills;
if (values.json) process.stdout.write(`${JSON.stringify({ ...result, holds })}\n`);
else {
  process.stderr.write("\r");
  for (const [name, value] of Object.entries(result)) {
    process.stdout.write(`${name.padEnd(14)} ${typeof value === "object" ? JSON.stringify(value) : value}\n`);
  }
  process.stdout.write(
    holds ? "Every acknowledged write arrived, in order, and none took effect twice.\n" : "It does not hold.\n",
  );
}
process.exit(holds ? 0 : 1);
