import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import type { AttemptRecord, EffectRecord, Progress, RunState, RunSummary } from "../../contract/ledger.ts";
import type { OwnRow } from "./driver.ts";

// What drivers give differs by their type mappings: every value is read as text or as a number, never as it comes.

export function numberOf(value: unknown): number {
  return Number(value);
}

export function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

export function textOf(value: unknown): string {
  return String(value);
}

export function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** PostgreSQL writes a uuid with dashes. */
function hexOf(value: unknown): string {
  return String(value).replaceAll("-", "");
}

export function nameIn(value: unknown): Name {
  return hexOf(value) as Name;
}

export function workIdIn(value: unknown): WorkId {
  return hexOf(value) as WorkId;
}

export function attemptIn(value: unknown): AttemptId {
  return hexOf(value) as AttemptId;
}

/** SQL for an instant in whole milliseconds since the epoch. */
export function epochMs(instant: string): string {
  return `floor(extract(epoch from ${instant}) * 1000)`;
}

/** SQL for what is left until an instant, in milliseconds. */
export function msUntil(instant: string): string {
  return `extract(epoch from ${instant} - clock_timestamp()) * 1000`;
}

/** SQL for a duration that is given in milliseconds. */
export function interval(parameter: string): string {
  return `${parameter}::float8 * interval '1 millisecond'`;
}

/**
 * SQL that bounds, until its end, how long the transaction may idle, where the server does not: a process that is stopped
 * in it would hold its locks for as long. `parameter`: milliseconds as text, or null where the transaction is another's.
 */
export function boundIdling(parameter: string): string {
  return `case when ${parameter}::text is not null and current_setting('idle_in_transaction_session_timeout') = '0'
    then set_config('idle_in_transaction_session_timeout', ${parameter}::text, true) end`;
}

/** SQL that marks the open transaction, until its end: with a mapper's own calls the work inside can end it. */
export const markOpen = "set_config('reprise.open', 'yes', true)";

/**
 * SQL that fails unless the mark stands, and the statement with it: what belongs to one commit must not be written alone.
 * A mark that is gone is empty text, which is no boolean; a function that raises would be one more to keep in the schema.
 */
export const isOpen = "coalesce(current_setting('reprise.open', true), '')::boolean";

/** The columns that `effectRecord` reads, of `@effect`. */
export const effectColumns = `name, kind, state, token, answer, ${epochMs("started_at")} as started,
  ${epochMs("pinned_at")} as pinned, ${msUntil("settle_at")} as settlesin`;

export function effectRecord(row: OwnRow): EffectRecord {
  return {
    effect: textOf(row["name"]),
    kind: row["kind"] === "t" ? "transaction" : "effect",
    state: row["state"] === "s" ? "started" : "pinned",
    startedAt: numberOf(row["started"]),
    pinnedAt: numberOrNull(row["pinned"]),
    settlesInMs: numberOf(row["settlesin"]),
    answer: textOrNull(row["answer"]),
    token: numberOf(row["token"]),
  };
}

/** The columns that `progressOf` and `isCancelled` read, of `@work`. */
export const progressColumns = `progress_done as progressdone, progress_total as progresstotal,
  case when cancelled_at is null then 0 else 1 end as cancelled`;

export function progressOf(row: OwnRow): Progress | null {
  const done = numberOrNull(row["progressdone"]);
  return done === null ? null : { done, total: numberOrNull(row["progresstotal"]) };
}

export function isCancelled(row: OwnRow): boolean {
  return numberOf(row["cancelled"]) === 1;
}

/** The columns that `runSummary` reads, of `@work`. Database work has no id but its name. */
export const summaryColumns = `coalesce(id, name) as id, state, refused::text as refused, operation, identity, principal,
  caller_key as callerkey, owner, ${epochMs("created_at")} as created, ${epochMs("ended_at")} as ended,
  ${epochMs("lease_until")} as leaseuntil, ${epochMs("keep_until")} as keepuntil, token, print_v as version,
  encode(print, 'hex') as print, why, ${progressColumns}`;

const runStates: Readonly<Record<string, RunState>> = { o: "open", r: "running", u: "unknown", d: "done" };

export function runSummary(row: OwnRow): RunSummary {
  const state = runStates[textOf(row["state"])] ?? "done";
  return {
    id: workIdIn(row["id"]),
    state,
    refused: state === "done" ? row["refused"] === "true" : null,
    operation: textOf(row["operation"]),
    identity: textOf(row["identity"]),
    principal: textOf(row["principal"]),
    key: textOrNull(row["callerkey"]),
    owner: textOf(row["owner"]),
    createdAt: numberOf(row["created"]),
    endedAt: numberOrNull(row["ended"]),
    leaseUntil: state === "running" ? numberOrNull(row["leaseuntil"]) : null,
    keepUntil: numberOf(row["keepuntil"]),
    token: numberOf(row["token"]),
    print: { version: numberOf(row["version"]), hash: textOf(row["print"]) },
    why: textOrNull(row["why"]),
    progress: progressOf(row),
    cancelled: isCancelled(row),
  };
}

export function attemptRecord(row: OwnRow): AttemptRecord {
  return {
    at: numberOf(row["at"]),
    what: textOf(row["what"]) as AttemptRecord["what"],
    owner: textOf(row["owner"]),
    token: numberOf(row["token"]),
    why: textOrNull(row["why"]),
  };
}
