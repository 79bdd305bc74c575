import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";

export interface Azurite {
  /** Of a client of its own, as another process has. */
  readonly container: (name: string) => ContainerClient;
  readonly stop: () => Promise<void>;
}

/** The one account that every Azurite has; it is printed in its documentation. */
const account = "devstoreaccount1";
const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/** Azure Storage's emulator, on a port of the measurement's own. Rejects where it is not installed. */
export async function startAzurite(): Promise<Azurite> {
  const program = fileURLToPath(import.meta.resolve("azurite/dist/src/blob/main.js"));
  const directory = mkdtempSync(join(tmpdir(), "reprise-bench-azurite-"));
  const place = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--location", directory];
  // the client may be newer than the emulator
  const settings = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"];
  const server = spawn(process.execPath, [program, ...place, ...settings], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(server, "close");
  const kill = () => server.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async () => {
    kill();
    await ended;
    process.off("exit", kill);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const port = await listening(server);
    const endpoint = `http://127.0.0.1:${port}/${account}`;
    const connection = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${endpoint};`;
    return {
      container: (name) => BlobServiceClient.fromConnectionString(connection).getContainerClient(name),
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
