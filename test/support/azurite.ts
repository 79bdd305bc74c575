import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { cannotRunHere } from "./environment.ts";

/** Azurite, Azure Storage's emulator, on a port of its own of the loopback, in a temporary directory; who starts it stops it. */
export interface Azurite {
  readonly port: number;
  /** A new, empty container. Each has a client of its own, as another process would. */
  readonly container: () => Promise<ContainerClient>;
  /** The container by that name, asked through another port, such as a proxy's. */
  readonly through: (port: number, container: string) => ContainerClient;
  /** Lets its clock go on. */
  readonly passTime: (ms: number) => Promise<void>;
  readonly signal: (name: "SIGSTOP" | "SIGCONT") => void;
  readonly stop: () => Promise<void>;
}

const program = fileURLToPath(new URL("../../node_modules/azurite/dist/src/blob/main.js", import.meta.url));
const clock = new URL("azurite-clock.mjs", import.meta.url).href;
/** The one account that every Azurite has; it is printed in its documentation. */
const account = "devstoreaccount1";
const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/** Why none can be started here; `undefined`: one can. */
export function noAzuriteHere(): string | undefined {
  return existsSync(program) ? undefined : `${cannotRunHere}azurite is not installed (npm install)`;
}

export async function startAzurite(): Promise<Azurite> {
  const directory = mkdtempSync(join(tmpdir(), "reprise-azurite-"));
  const place = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--location", directory];
  // the client may be newer than the emulator
  const settings = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"];
  const server = spawn(process.execPath, ["--import", clock, program, ...place, ...settings], {
    stdio: ["ignore", "pipe", "ignore", "ipc"],
  });
  const gone = once(server, "close");
  const stop = async () => {
    server.kill("SIGKILL");
    await gone;
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const port = await listening(server);
    let containers = 0;
    const through = (at: number, name: string) => {
      const endpoint = `http://127.0.0.1:${at}/${account}`;
      return BlobServiceClient.fromConnectionString(
        `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${endpoint};`,
      ).getContainerClient(name);
    };
    return {
      port,
      through,
      container: async () => {
        const container = through(port, `test-${++containers}`);
        await container.create();
        return container;
      },
      passTime: async (ms) => {
        const answered = once(server, "message");
        server.send(ms);
        await answered;
      },
      signal: (name) => server.kill(name),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listening(server: ChildProcess): Promise<number> {
  if (server.stdout === null) throw new Error("its output is not read");
  const late = setTimeout(() => server.kill("SIGKILL"), 60_000);
  try {
    for await (const line of createInterface({ input: server.stdout })) {
      const port = /successfully listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port !== undefined) return Number(port);
    }
    throw new Error("Azurite ended, or did not listen in 60 s");
  } finally {
    clearTimeout(late);
    server.stdout.resume();
  }
}
