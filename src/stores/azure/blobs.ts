import { isSameBytes } from "../../base/bytes.ts";
import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import { checkBlobName } from "../../contract/blob-name.ts";
import type { BlobStore } from "../../contract/blob-store.ts";
import { calling } from "../calling.ts";
import { type AzureBlob, type AzureContainer, readBlob, writeBlob } from "./container.ts";

export interface AzureBlobsOptions {
  /** A `ContainerClient` of `@azure/storage-blob`; the container exists. */
  readonly container: AzureContainer;
  /** How long one call may take in all, the client's own repetitions included. Default: `"30s"`. */
  readonly deadline?: Duration | undefined;
}

const store = "azure-blob";

/**
 * Block blobs of a container, written whole and under a condition (`If-None-Match: *`, `If-Match`) that the service judges,
 * so that nothing but one request has to be atomic. A token is the blob's ETag. Whoever pauses may write late all the same,
 * and is refused, or writes the very bytes: no lease is needed for that.
 *
 * A blob that somebody leases is refused to all others: `putIfToken` then rejects with `REPRISE_BLOBS_AWAY`.
 *
 * @example
 * const service = BlobServiceClient.fromConnectionString(connection);
 * const blobs = azureBlobs({ container: service.getContainerClient("prices") });
 * await blobs.putIfAbsent("customers/42.json", new TextEncoder().encode("{}"));
 * @throws REPRISE_BAD_DURATION
 */
export function azureBlobs({ container, deadline }: AzureBlobsOptions): BlobStore {
  const deadlineMs =
    deadline === undefined ? defaults.blobs.deadlineMs : milliseconds(deadline, "azureBlobs({ deadline })");

  const call = async <T>(
    doing: string,
    name: string,
    signal: AbortSignal | undefined,
    work: (blob: AzureBlob, signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    checkBlobName(name);
    const blob = container.getBlockBlobClient(name);
    const calls = { deadlineMs, signal, away: (why: string, cause?: Error) => away(`${doing}, ${why}`, cause) };
    return calling(calls, (stop) => work(blob, stop));
  };

  return {
    name: store,
    read: (name, signal) =>
      call("read", name, signal, async (blob, stop) => {
        const there = await readBlob(blob, stop);
        return there && { bytes: there.bytes, token: there.etag };
      }),
    putIfAbsent: (name, bytes, signal) =>
      call("putIfAbsent", name, signal, async (blob, stop) => {
        // ends at the deadline, should somebody delete it each time before it is read
        for (;;) {
          const token = await writeBlob(blob, bytes, { ifNoneMatch: "*" }, stop);
          if (token !== null) return { is: "put", token };
          const there = await readBlob(blob, stop);
          if (there !== null) return { is: isSameBytes(there.bytes, bytes) ? "same" : "differs", token: there.etag };
        }
      }),
    putIfToken: (name, bytes, token, signal) =>
      call("putIfToken", name, signal, async (blob, stop) => {
        const written = await writeBlob(blob, bytes, { ifMatch: token }, stop);
        if (written !== null) return { is: "put", token: written };
        const there = await readBlob(blob, stop);
        if (there === null) return { is: "differs", token: null };
        if (there.etag === token) throw away("putIfToken, somebody leases the blob");
        return { is: isSameBytes(there.bytes, bytes) ? "same" : "differs", token: there.etag };
      }),
  };
}

function away(doing: string, cause?: Error): RepriseError {
  return new RepriseError("REPRISE_BLOBS_AWAY", { store, doing }, cause);
}
