import assert from "node:assert/strict";
import type { BlobStore } from "../contract/blob-store.ts";

export function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

export function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** Every value of a byte, in every pair of neighbours: 64 kB that no encoding leaves as they are. */
export function everyPair(): Uint8Array {
  return Uint8Array.from({ length: 131_072 }, (_, index) => (index % 2 === 0 ? index >> 9 : index >> 1));
}

/** Writes one that is not there, and tells its token. */
export async function put(blobs: BlobStore, name: string, bytes: Uint8Array): Promise<string> {
  const answer = await blobs.putIfAbsent(name, bytes);
  assert.equal(answer.is, "put");
  return answer.token;
}

/** What is there, by a token that a write then takes. */
export async function assertHolds(blobs: BlobStore, name: string, bytes: Uint8Array, token?: string): Promise<void> {
  const there = await blobs.read(name);
  assert.ok(there !== null, "there is no blob");
  // a difference of megabytes is not printed
  assert.ok(there.bytes.length === bytes.length && Buffer.compare(there.bytes, bytes) === 0, "it holds other bytes");
  if (token !== undefined) assert.equal(there.token, token);
}
