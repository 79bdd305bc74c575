// A load is killed and called again until it is done: `npm run -s crash:load -- --help`.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { databases } from "./databases.mjs";

const { values } = parseArgs({
  options: {
    database: { type: "string", default: "postgres" },
    rows: { type: "string", default: "20000" },
    kills: { type: "string", default: "100" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(
    "A load is killed with SIGKILL at random instants, inside a window's transaction, at its commit and between two, and\n" +
      "called again until it is done. Exits 1 if the table is then not the one that a run without kills leaves, or the\n" +
      `counts are not those of one run.\n\n  --database ${Object.keys(databases).join(" | ")}  --rows 20000  --kills 100  --json\n`,
  );
  process.exit(0);
}
const [rows, kills] = [values.rows, values.kills].map(Number);
if (![rows, kills].every(Number.isInteger) || rows < 100 || kills < 1 || !Object.hasOwn(databases, values.database)) {
  process.stderr.write(
    "--rows is a whole number from 100, --kills from 1, --database one of those that --help lists\n",
  );
  process.exit(2);
}

const schema = `reprise_chaos_${randomBytes(6).toString("hex")}`;
const place = await databases[values.database](schema);
const worker = fileURLToPath(new URL("worker.mjs", import.meta.url));
const points = ["any instant", "before the fence", "at the commit", "between windows"];
const cuts = [{ rows: Math.floor(rows / 20) }, { by: "day", each: "7d" }];
const killedAt = Object.fromEntries(points.map((point) => [point, 0]));
let [killed, calls] = [0, 0];

/** Calls the load once. `null`: it was killed. */
function call(windows, killAt) {
  calls += 1;
  const settings = {
    database: values.database,
    schema,
    windows,
    killAt,
    killAtWindow: 1 + Math.floor(Math.random() * 6),
  };
  const child = spawn(process.execPath, [worker, JSON.stringify(settings)], { stdio: ["ignore", "pipe", "inherit"] });
  let result = null;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line !== "began") result = JSON.parse(line);
    else if (killAt === points[0]) setTimeout(() => child.kill("SIGKILL"), Math.random() ** 2 * 1_500);
  });
  return new Promise((resolve, reject) => {
    child.on("exit", (code, signal) => {
      if (code === 0) return resolve(result);
      if (signal !== "SIGKILL") return reject(new Error(`the load ended with ${code ?? signal}`));
      killed += 1;
      killedAt[killAt] += 1;
      resolve(null);
    });
  });
}

const classes = ["read", "inserted", "updated", "unchanged", "refusedOlder", "tied", "duplicates", "keyless"];
const countsOf = (counts) => JSON.stringify(classes.map((name) => counts[name]));
let known = 0;

/**
 * Until it is done, killed at least so often if it lives long enough. What it counted: of the first run, for one that was
 * killed when that had ended already is called again, and finds nothing to do.
 */
async function loaded(windows, kills) {
  await place.reset();
  for (let left = kills; ; left -= 1) {
    const result = await call(windows, left > 0 ? points[Math.floor(Math.random() * points.length)] : undefined);
    if (result?.status === "done") {
      const [counts] = result.runs.slice(0, result.runs.length - known).slice(-1);
      known = result.runs.length;
      return countsOf(counts);
    }
    if (result?.status === "refused") throw new Error(`the load is refused: ${JSON.stringify(result.because)}`);
    await place.endLeases();
  }
}

const beganAt = performance.now();
let [differing, miscounted, runs] = [0, 0, 0];
try {
  await place.create(rows);
  const clean = [];
  for (const windows of cuts) {
    const counts = await loaded(windows, 0);
    clean.push({ hash: await place.hash(), counts });
  }
  if (clean[0].hash !== clean[1].hash) differing += 1;
  while (killed < kills) {
    const cut = runs % cuts.length;
    const counts = await loaded(cuts[cut], 1 + Math.floor(Math.random() * 6));
    runs += 1;
    if ((await place.hash()) !== clean[cut].hash) differing += 1;
    if (counts !== clean[cut].counts) miscounted += 1;
    if (!values.json) process.stderr.write(`\r${killed} of ${kills} killed, ${runs} runs done `);
  }
} finally {
  await place.drop();
}
const seconds = Number(((performance.now() - beganAt) / 1_000).toFixed(1));
const holds = differing + miscounted === 0;
const result = {
  database: values.database,
  rows,
  kills: killed,
  runs,
  calls,
  differing,
  miscounted,
  killedAt,
  seconds,
};
if (values.json) process.stdout.write(`${JSON.stringify({ ...result, holds })}\n`);
else {
  process.stderr.write("\r");
  for (const [name, value] of Object.entries(result)) {
    process.stdout.write(`${name.padEnd(12)} ${typeof value === "object" ? JSON.stringify(value) : value}\n`);
  }
  process.stdout.write(holds ? "Every run left the table of one without kills.\n" : "It does not hold.\n");
}
process.exit(holds ? 0 : 1);
