import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { azureBlobs } from "../../src/stores/azure/index.ts";
import { fileBlobs } from "../../src/stores/files/index.ts";
import { memoryBlobs } from "../../src/stores/memory/index.ts";
import { type BlobStoreAdapter, blobStoreSuite } from "../../src/testing/index.ts";
import { noAzuriteHere, startAzurite } from "../support/azurite.ts";
import { describeSuite } from "../support/suite.ts";

const memory: BlobStoreAdapter = {
  name: "memory",
  can: { severalInstances: { not: "blobs in memory are their own store" } },
  open: async () => ({
    blobs: memoryBlobs(),
    another: () => Promise.reject(new Error("blobs in memory are their own store")),
    close: async () => {},
  }),
};

const files: BlobStoreAdapter = {
  name: "files",
  can: { severalInstances: true },
  open: async () => {
    const directory = mkdtempSync(join(tmpdir(), "reprise-blobs-"));
    const another = async () => fileBlobs({ directory: join(directory, "made when needed") });
    return {
      blobs: await another(),
      another,
      close: async () => rmSync(directory, { recursive: true, force: true }),
    };
  },
};

const noAzurite = noAzuriteHere();
const azurite = noAzurite === undefined ? await startAzurite() : undefined;
afterAll(() => azurite?.stop());

const azure: BlobStoreAdapter = {
  name: "azure on Azurite",
  can: { severalInstances: true },
  open: async () => {
    if (azurite === undefined) throw new Error("no Azurite");
    const container = await azurite.container();
    return {
      blobs: azureBlobs({ container }),
      another: async () => azureBlobs({ container: azurite.through(azurite.port, container.containerName) }),
      close: async () => {
        await container.delete();
      },
    };
  },
};

function suite(adapter: BlobStoreAdapter, missing?: string): void {
  describeSuite(`the suite of blob stores on ${adapter.name}`, blobStoreSuite(adapter), missing);
}

suite(memory);
suite(files);
suite(azure, noAzurite);
