import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";

/** Emulators of the clouds' stores, each a process of its own with its data in memory. */

interface Emulator {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

const { resolve } = createRequire(import.meta.url);
const lateMs = 60_000;

export async function startAzurite(): Promise<Emulator> {
  const program = join(dirname(resolve("azurite/package.json")), "dist/src/table/main.js");
  return start(program, (port) => [
    ...["--tableHost", "127.0.0.1", "--tablePort", String(port)],
    ...["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence"],
  ]);
}

export async function startDynalite(): Promise<Emulator> {
  const program = join(dirname(resolve("dynalite/package.json")), "cli.js");
  return start(program, (port) => ["--host", "127.0.0.1", "--port", String(port), "--createTableMs", "0"]);
}

async function start(program: string, words: (port: number) => readonly string[]): Promise<Emulator> {
  const port = await freePort();
  const server = spawn(process.execPath, [program, ...words(port)], { stdio: "ignore" });
  const gone = once(server, "close");
  const stop = async () => {
    server.kill("SIGKILL");
    await gone;
  };
  process.once("exit", () => server.kill("SIGKILL"));
  try {
    await answers(port, server);
    return { port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function answers(port: number, server: ChildProcess): Promise<void> {
  const until = Date.now() + lateMs;
  while (Date.now() < until && server.exitCode === null) {
    const socket = connect(port, "127.0.0.1");
    const isThere = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the emulator ended, or did not answer in time");
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
