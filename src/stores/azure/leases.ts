import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import { type AttemptId, sha256 } from "../../base/names.ts";
import { checkBlobName } from "../../contract/blob-name.ts";
import type { Grip, Held, LeaseStore } from "../../contract/lease.ts";
import { calling } from "../calling.ts";
import { type AzureBlob, type AzureContainer, codeOf, isLeaseRefusal, readBlob, writeBlob } from "./container.ts";

/**
 * The service's own lease says who has it; the blob's content says who was the last one to be told so, and with which
 * token.
 * - The lease's id is made from the attempt, so a repeated acquisition finds its own.
 * - The token grows by a write that names the lease: nobody else may write meanwhile, and one whose lease is over may not.
 *   A kill between the two leaves the old token, and nobody was told a new one.
 */

export interface AzureLeasesOptions {
  /** A `ContainerClient` of `@azure/storage-blob`; the container exists. */
  readonly container: AzureContainer;
  /** What the names of the blobs begin with, one for each lease. Default: `"leases/"`. */
  readonly prefix?: string | undefined;
}

const store = "azure-blob";
/** What the service takes, in seconds. */
const shortest = 15;
const longest = 60;

/** What is written into a lease's blob. Empty: nobody ever had it. */
interface LeaseRecord {
  /** Version of this form. */
  readonly lease: 1;
  readonly name: string;
  readonly holder: string;
  readonly attempt: AttemptId;
  readonly token: number;
  readonly seconds: number;
}

/**
 * Leases of Azure Blob Storage. They last whole seconds, 15 to 60: what is shorter is rounded up, which only makes others
 * wait longer after a crash, and what is longer is refused. Acquiring takes three requests, walking away one; then it tells
 * neither who has it nor for how long. It has no transactions, so there is no `check`: who writes elsewhere compares the
 * token there.
 *
 * @example
 * const leases = azureLeases({ container: service.getContainerClient("leases") });
 * @throws REPRISE_BAD_DECLARATION from its methods, before anything happens: a lease of more than 60 s
 */
export function azureLeases({ container, prefix = "leases/" }: AzureLeasesOptions): LeaseStore<never> {
  // a digest in place of the name: a name of a blob may hold less than the name of a lease
  const placeOf = (name: string) => `${prefix}${sha256(name).slice(0, 32)}`;
  checkBlobName(placeOf(""));

  const call = <T>(
    doing: string,
    name: string,
    work: (blob: AzureBlob, signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const away = (why: string, cause?: Error) =>
      new RepriseError("REPRISE_LEDGER_AWAY", { ledger: store, doing: `${doing}, ${why}` }, cause);
    const blob = container.getBlockBlobClient(placeOf(name));
    return calling({ deadlineMs: defaults.azure.leaseDeadlineMs, away }, (signal) => work(blob, signal));
  };

  return {
    name: store,
    acquire: async ({ name, holder, attempt, leaseMs }) => {
      const seconds = secondsOf(leaseMs);
      return call("acquire", name, async (blob, signal) => {
        const leaseId = leaseIdOf(attempt);
        if (!(await take(blob, leaseId, seconds, signal))) return held;
        const last = await recordOf(blob, signal);
        if (last?.record?.attempt === attempt) return { is: "acquired", token: last.record.token };
        const token = (last?.record?.token ?? 0) + 1;
        const record: LeaseRecord = { lease: 1, name, holder, attempt, token, seconds };
        const conditions = { leaseId, ...(last && { ifMatch: last.etag }) };
        if ((await writeBlob(blob, encoded(record), conditions, signal)) !== null) return { is: "acquired", token };
        // the client repeats a request whose answer was lost: then this is its own record; else the lease was broken
        const now = await recordOf(blob, signal);
        return now?.record?.attempt === attempt ? { is: "acquired", token: now.record.token } : held;
      });
    },
    renew: async (grip, leaseMs) => {
      const seconds = secondsOf(leaseMs);
      return call("renew", grip.name, async (blob, abortSignal) => {
        const lease = leaseOf(blob, grip);
        if (!(await isOurs(lease.renewLease({ abortSignal })))) return false;
        const { record } = (await recordOf(blob, abortSignal)) ?? {};
        // renewing keeps the length; acquiring again with the id that has the lease sets another
        return record?.seconds === seconds || isOurs(lease.acquireLease(seconds, { abortSignal }));
      });
    },
    release: (grip) =>
      call("release", grip.name, (blob, abortSignal) => isOurs(leaseOf(blob, grip).releaseLease({ abortSignal }))),
    look: (name) =>
      call("look", name, async (blob, signal) => {
        const there = await recordOf(blob, signal);
        if (there === null || there.record === null) return null;
        const { token, holder } = there.record;
        return { token, holder, forMs: there.isLeased ? null : 0 };
      }),
  };
}

const held: Held = { is: "held", holder: null, forMs: null };

/** Whether the lease is this id's now. Makes the blob if there is none. */
async function take(blob: AzureBlob, leaseId: string, seconds: number, abortSignal: AbortSignal): Promise<boolean> {
  // ends at the deadline, should somebody delete it each time before it is leased
  for (;;) {
    try {
      await blob.getBlobLeaseClient(leaseId).acquireLease(seconds, { abortSignal });
      return true;
    } catch (error) {
      if (isLeaseRefusal(error)) return false;
      if (codeOf(error) !== "BlobNotFound") throw error;
      // whoever else makes it at this moment makes the same
      await writeBlob(blob, new Uint8Array(0), { ifNoneMatch: "*" }, abortSignal);
    }
  }
}

/** Whether the service did it. A blob that is gone is nobody's lease. */
async function isOurs(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    if (isLeaseRefusal(error) || codeOf(error) === "BlobNotFound") return false;
    throw error;
  }
}

async function recordOf(blob: AzureBlob, signal: AbortSignal) {
  const there = await readBlob(blob, signal);
  if (there === null) return null;
  const { bytes, etag, leaseState } = there;
  // one that is being broken is held until then
  const isLeased = leaseState === "leased" || leaseState === "breaking";
  return { record: bytes.byteLength === 0 ? null : decoded(bytes), etag, isLeased };
}

function encoded(record: LeaseRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

function decoded(bytes: Uint8Array): LeaseRecord {
  try {
    const record = JSON.parse(new TextDecoder().decode(bytes)) as Partial<LeaseRecord> | null;
    if (record?.lease === 1 && Number.isSafeInteger(record.token)) return record as LeaseRecord;
  } catch {
    // told below
  }
  const why = "something else lies where it keeps a lease: choose another prefix";
  throw new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger: store, why });
}

function leaseOf(blob: AzureBlob, { attempt }: Grip) {
  return blob.getBlobLeaseClient(leaseIdOf(attempt));
}

/** The service takes GUIDs only. */
function leaseIdOf(attempt: AttemptId): string {
  return sha256(attempt).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}

function secondsOf(leaseMs: number): number {
  const seconds = Math.max(shortest, Math.ceil(leaseMs / 1_000));
  if (seconds <= longest) return seconds;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: "A lease on Azure Blob Storage",
    why: `It lasts at most ${longest} s there, and ${leaseMs} ms were asked for, so nothing was leased.`,
    mend: "Ask for less: whoever has it renews it.",
  });
}
