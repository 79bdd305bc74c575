import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort, until } from "./waiting.ts";

export interface RedisServer {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** A server of the measurement's own that keeps a log of all writes, as a ledger demands. Rejects where none is installed. */
export async function startRedis(): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), "reprise-bench-redis-"));
  const port = await freePort();
  const settings = [
    "--port",
    `${port}`,
    "--bind",
    "127.0.0.1",
    "--dir",
    directory,
    "--appendonly",
    "yes",
    "--save",
    "",
  ];
  const child = spawn("redis-server", settings, { stdio: "ignore" });
  const ended = Promise.race([once(child, "exit"), once(child, "error").then(([error]) => Promise.reject(error))]);
  const stop = async () => {
    child.kill("SIGKILL");
    await ended.catch(() => undefined);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await Promise.race([
      until(() => answers(port)),
      ended.then(() => Promise.reject(new Error("redis-server ended before it answered"))),
    ]);
    return { port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function answers(port: number): Promise<boolean> {
  const redis = new Redis({ port, host: "127.0.0.1", lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return (await redis.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}
