import { defaults } from "../../base/defaults.ts";
import type { Name } from "../../base/names.ts";
import type { FindRequest, Mismatch, Running as Told, WorkRequest } from "../../contract/ledger.ts";

/** Database work that an open transaction is at, by each of its names: until it is finished, no row tells of it. */
export type Running = ReadonlyMap<Name, AtWork>;
/** The transaction's own. */
export type Entries = Map<Name, AtWork>;
interface AtWork {
  readonly request: WorkRequest;
  readonly since: number;
}

export const none: Running = new Map();

/** What is told inside the transaction. `undefined`: it is not at these names. */
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
