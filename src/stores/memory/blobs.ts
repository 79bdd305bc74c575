import { isSameBytes } from "../../base/bytes.ts";
import { checkBlobName } from "../../contract/blob-name.ts";
import type { BlobStore, StoredBlob } from "../../contract/blob-store.ts";

/**
 * Blobs for tests: they are forgotten with their process.
 *
 * @example
 * const blobs = memoryBlobs();
 */
export function memoryBlobs(): BlobStore {
  const blobs = new Map<string, StoredBlob>();
  let writes = 0;

  const step = async <T>(name: string, signal: AbortSignal | undefined, work: (there: StoredBlob | null) => T) => {
    checkBlobName(name);
    signal?.throwIfAborted();
    return work(blobs.get(name) ?? null);
  };
  const put = (name: string, bytes: Uint8Array) => {
    writes += 1;
    const token = `${writes}`;
    // the caller may use its array again
    blobs.set(name, { bytes: new Uint8Array(bytes), token });
    return { is: "put", token } as const;
  };
  const compared = (there: StoredBlob, bytes: Uint8Array) =>
    ({ is: isSameBytes(there.bytes, bytes) ? "same" : "differs", token: there.token }) as const;

  return {
    name: "memory",
    read: (name, signal) => step(name, signal, (there) => there && { ...there, bytes: new Uint8Array(there.bytes) }),
    putIfAbsent: (name, bytes, signal) =>
      step(name, signal, (there) => (there === null ? put(name, bytes) : compared(there, bytes))),
    putIfToken: (name, bytes, token, signal) =>
      step(name, signal, (there) => {
        if (there === null) return { is: "differs", token: null };
        return there.token === token ? put(name, bytes) : compared(there, bytes);
      }),
  };
}
