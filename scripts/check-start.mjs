// Starts the platform as a newcomer does, `npm start`, and waits for its answer: at most a minute, as the README's reader does.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const atMostMs = 60_000;

const port = await new Promise((resolve, reject) => {
  const server = createServer();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});

// not the data of a platform that runs here
const data = mkdtempSync(join(tmpdir(), "reprise-start-"));
const platform = spawn("npm", ["start"], {
  env: { ...process.env, PORT: String(port), BOOKING_DATA: data },
  stdio: ["ignore", "pipe", "pipe"],
  detached: true,
});
let said = "";
for (const stream of [platform.stdout, platform.stderr]) {
  stream.on("data", (chunk) => {
    said += chunk;
  });
}
const ended = new Promise((resolve) => platform.once("exit", resolve));
const beganAt = performance.now();
const answers = async () => {
  try {
    const [health, page] = await Promise.all(
      ["healthz", "reprise"].map((path) => fetch(`http://localhost:${port}/${path}`)),
    );
    return health.ok && page.ok;
  } catch {
    return false;
  }
};

let healthy = false;
while (!healthy && platform.exitCode === null && performance.now() - beganAt < atMostMs) {
  await new Promise((resolve) => setTimeout(resolve, 250));
  healthy = await answers();
}
const seconds = ((performance.now() - beganAt) / 1_000).toFixed(1);
if (platform.exitCode === null) process.kill(-platform.pid, "SIGINT");
await ended;
rmSync(data, { recursive: true, force: true });
if (!healthy) {
  process.stderr.write(`${said}\nThe platform did not answer on /healthz and /reprise within ${atMostMs / 1_000} s.\n`);
  process.exit(1);
}
process.stdout.write(`The platform answered ${seconds} s after npm start.\n`);
