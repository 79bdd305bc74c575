import { defaults } from "../../base/defaults.ts";
import type { Name } from "../../base/names.ts";
import type { FindRequest, Mismatch, Running as Told, WorkRequest } from "../../contract/ledger.ts";

/**
 * Database work that an open transaction is at, by each of its names. Its row is written when it is finished: until then
 * nothing else tells those who run inside the same transaction.
 */
export type Running = ReadonlyMap<Name, AtWork>;
/** The transaction's own. */
export type Entries = Map<Name, AtWork>;
interface AtWork {
  readonly request: WorkRequest;
  readonly since: number;
}

/** What a claim of external work is at. */
export const none: Running = new Map();

/** What whoever asks for these names inside the transaction is told. `undefined`: it is not at them. */
export function toldByRunning(running: Running, { name, key, print }: FindRequest): Told | Mismatch | undefined {
  const keyed = key === null ? undefined : running.get(key);
  if (keyed !== undefined && keyed.request.name !== name) return { is: "mismatch", firstSeen: null };
  const named = running.get(name);
  if (named === undefined) return undefined;
  const { request, since } = named;
  if (request.print.hash !== print.hash || request.print.version !== print.version) {
    return { is: "mismatch", firstSeen: since };
  }
  return { is: "running", since, retryAfterMs: defaults.ledger.unboundedRetryMs };
}

/** Whether the transaction is at the parent, which then is not done. */
export function isAtParent(running: Running, { parent }: { readonly parent: Name | null }): boolean {
  return parent !== null && running.has(parent);
}
