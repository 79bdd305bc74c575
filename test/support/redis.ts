import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";
import { cannotRunHere } from "./environment.ts";

/** Redis servers of a test's own, on random ports of the loopback, in temporary directories; whoever starts one stops it. */

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Sends the server a signal; with SIGKILL, waits until it is gone. */
  readonly signal: (name: "SIGKILL" | "SIGSTOP" | "SIGCONT") => Promise<void>;
  /** Starts it again on its port and its files. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Why no server can be started here; `undefined`: one can. */
export function noRedisHere(): string | undefined {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore", timeout: 10_000 });
    return undefined;
  } catch {
    return `${cannotRunHere}redis-server is not installed (Debian: apt-get install redis-server)`;
  }
}

const durable = ["--appendonly", "yes", "--save", ""];

export async function startRedis(settings: readonly string[] = durable): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), "reprise-redis-"));
  const port = await freePort();
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", directory, "--loglevel", "warning"];
  const start = () => {
    const server = spawn("redis-server", [...options, ...settings], { stdio: ["ignore", "pipe", "ignore"] });
    server.stdout.resume();
    // A child that rewrites the log outlives its server and still writes into the directory: it holds the output open, so
    // that "close" waits for it where "exit" does not.
    return { server, gone: new Promise<void>((resolve) => server.once("close", () => resolve())) };
  };
  let started = start();
  const running: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    signal: async (name) => {
      started.server.kill(name);
      if (name === "SIGKILL") await started.gone;
    },
    restart: async () => {
      started = start();
      await answering(port);
    },
    stop: async () => {
      started.server.kill("SIGKILL");
      await started.gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
  try {
    await answering(port);
    return running;
  } catch (error) {
    await running.stop();
    throw error;
  }
}

export interface RedisCluster {
  readonly servers: readonly RedisServer[];
  readonly stop: () => Promise<void>;
}

/** Three primaries without replicas. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const servers: RedisServer[] = [];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    for (let node = 0; node < 3; node++) {
      const bus = ["--cluster-port", `${await freePort()}`];
      servers.push(
        await startRedis([...durable, "--cluster-enabled", "yes", ...bus, "--cluster-node-timeout", "2000"]),
      );
    }
    const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
    execFileSync("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"], {
      stdio: "ignore",
      timeout: 30_000,
    });
    for (const { port } of servers) await until(() => asks(port, (redis) => redis.cluster("INFO"), /cluster_state:ok/));
    return { servers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function answering(port: number): Promise<void> {
  await until(() => asks(port, (redis) => redis.ping(), /PONG/));
}

/** Looks until it is so: what the server is doing cannot be awaited from outside. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error("the Redis server did not get ready in 20 s");
    await wait(20);
  }
}

async function asks(port: number, ask: (redis: Redis) => Promise<unknown>, wanted: RegExp): Promise<boolean> {
  const redis = new Redis({ port, host: "127.0.0.1", lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => {});
  try {
    await redis.connect();
    return wanted.test(String(await ask(redis)));
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
