import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { TableClient } from "@azure/data-tables";
import { azuriteTable } from "./azurite-table.ts";
import { cannotRunHere } from "./environment.ts";
import type { ItemServer } from "./item-ledgers.ts";

/** Azurite's tables, on a port of their own of the loopback. */
export interface AzuriteTables extends ItemServer {
  readonly port: number;
  /** A client of its own, as another process would have. */
  readonly client: (table: string, port?: number) => TableClient;
}

const program = fileURLToPath(new URL("../../node_modules/azurite/dist/src/table/main.js", import.meta.url));
const clock = new URL("azurite-clock.mjs", import.meta.url).href;

/** Why none can be started here; `undefined`: one can. */
export function noAzuriteTablesHere(): string | undefined {
  return existsSync(program) ? undefined : `${cannotRunHere}azurite is not installed (npm install)`;
}

/** @param time `stands`: still, until it is told to go on */
export async function startAzuriteTables(time: "stands" | "goes on" = "stands"): Promise<AzuriteTables> {
  // it does not tell a port that it chose itself
  const port = await freePort();
  const place = ["--tableHost", "127.0.0.1", "--tablePort", String(port)];
  const settings = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence"];
  const server = spawn(process.execPath, ["--import", clock, program, ...place, ...settings], {
    stdio: ["ignore", "pipe", "ignore", "ipc"],
  });
  const gone = once(server, "close");
  const tell = async (message: string | number) => {
    const answered = once(server, "message");
    server.send(message);
    await answered;
  };
  const stop = async () => {
    server.kill("SIGKILL");
    await gone;
  };
  const late = setTimeout(() => server.kill("SIGKILL"), 60_000);
  try {
    if (server.stdout === null) throw new Error("its output is not read");
    await started(server.stdout);
    if (time === "stands") await tell("stand");
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(late);
    server.stdout?.resume();
  }
  const client = (table: string, at = port) => azuriteTable(at, table);
  return {
    port,
    client,
    drop: (table) => client(table).deleteTable(),
    passTime: tell,
    stop,
  };
}

async function started(output: Readable): Promise<void> {
  for await (const line of createInterface({ input: output })) if (/successfully started/.test(line)) return;
  throw new Error("Azurite ended, or did not start in 60 s");
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
