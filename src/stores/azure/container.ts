/** A `ContainerClient` of `@azure/storage-blob`, as little of it as is used. */
export interface AzureContainer {
  getBlockBlobClient(name: string): AzureBlob;
}

export interface AzureBlob {
  download(
    offset: number,
    count: undefined,
    options: Cancelled,
  ): Promise<{
    readonly etag?: string | undefined;
    readonly leaseState?: string | undefined;
    readonly readableStreamBody?: AsyncIterable<string | Uint8Array> | undefined;
  }>;
  upload(
    body: Uint8Array,
    length: number,
    options: Cancelled & { readonly conditions: Conditions },
  ): Promise<{ readonly etag?: string | undefined }>;
  getBlobLeaseClient(leaseId: string): AzureLease;
}

export interface AzureLease {
  acquireLease(seconds: number, options: Cancelled): Promise<unknown>;
  renewLease(options: Cancelled): Promise<unknown>;
  releaseLease(options: Cancelled): Promise<unknown>;
}

interface Cancelled {
  readonly abortSignal: AbortSignal;
}

interface Conditions {
  ifNoneMatch?: string;
  ifMatch?: string;
  leaseId?: string;
}

export interface ReadBlob {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly leaseState: string | undefined;
}

/**
 * In one request, of which the client resumes only the same version: its own way to read in blocks asks for each alone, and
 * might put two versions together.
 */
export async function readBlob(blob: AzureBlob, abortSignal: AbortSignal): Promise<ReadBlob | null> {
  try {
    const { etag, leaseState, readableStreamBody } = await blob.download(0, undefined, { abortSignal });
    const chunks: Uint8Array[] = [];
    for await (const chunk of readableStreamBody ?? []) {
      chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    }
    return { bytes: joined(chunks), etag: told(etag), leaseState };
  } catch (error) {
    if (codeOf(error) === "BlobNotFound") return null;
    throw error;
  }
}

/** Writes it whole, in one request. `null`: the conditions do not hold. Tells the new ETag. */
export async function writeBlob(
  blob: AzureBlob,
  bytes: Uint8Array,
  conditions: Conditions,
  abortSignal: AbortSignal,
): Promise<string | null> {
  try {
    return told((await blob.upload(bytes, bytes.byteLength, { conditions, abortSignal })).etag);
  } catch (error) {
    if (unmet.has(codeOf(error))) return null;
    throw error;
  }
}

/** There is one already; there is another; somebody leases it, so there is one; the lease is over or another's. */
const unmet = new Set([
  "BlobAlreadyExists",
  "ConditionNotMet",
  "LeaseIdMissing",
  "LeaseIdMismatchWithBlobOperation",
  "LeaseNotPresentWithBlobOperation",
  "LeaseLost",
]);

/** Whether the store answered that the lease is another's, or nobody's. */
export function isLeaseRefusal(error: unknown): boolean {
  const { statusCode } = error as { readonly statusCode?: unknown };
  return statusCode === 409 && codeOf(error).startsWith("Lease");
}

/** What the store calls the fault; empty: it does not say. */
export function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : "";
}

function told(etag: string | undefined): string {
  if (etag === undefined) throw new TypeError("the store told no ETag");
  return etag;
}

/** A plain array of bytes, which is no view of a larger buffer that others write into. */
function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.byteLength;
  }
  return bytes;
}
