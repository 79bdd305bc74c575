import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import type { AttemptRecord, EffectRecord, Progress, RunState, RunSummary } from "../../contract/ledger.ts";
import type { QueryResult } from "../../contract/transactions.ts";
import type { Connection } from "./driver.ts";

export type Row = QueryResult["rows"][number];

/**
 * The store's clock, in microseconds since the epoch, when the statement began: never later than the answer. In universal
 * time: `sysdate()` and `now()` follow the session's time zone, which a mapper may have set, and its summer time.
 */
export const clock = "timestampdiff(microsecond, '1970-01-01', utc_timestamp(6))";

/** Names and ids are hexadecimal text outside the store. */
export function id16(hex: Name | WorkId | AttemptId): Uint8Array {
  return Buffer.from(hex, "hex");
}
export function bytes(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}
export function bytesOrNull(text: string | null): Uint8Array | null {
  return text === null ? null : bytes(text);
}
export function micros(ms: number): number {
  return Math.round(ms * 1_000);
}

export function hexOf(value: unknown): string {
  return Buffer.from(value as Uint8Array).toString("hex");
}
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : Buffer.from(value as Uint8Array).toString("utf8");
}
export function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : textOf(value);
}
/** Drivers hand out 64 bits as numbers, strings or bigints, by their options. */
export function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}
/** An instant in milliseconds. */
export function instantOrNull(value: unknown): number | null {
  const at = numberOrNull(value);
  return at === null ? null : Math.floor(at / 1_000);
}
export function instant(value: unknown): number {
  return instantOrNull(value) ?? 0;
}

/** Database work is written once, finished, and nothing hangs on it: it has no id but its name. */
export function workIdOf(name: Name): WorkId {
  return name as string as WorkId;
}

/** What is known by an id, which is given twice. */
export function byId(columns: string): string {
  return `select ${columns} from reprise_work where id = ?
    union all select ${columns} from reprise_work where name = ? and id is null and state <> 'k'`;
}

/** A row of reprise_work, as far as claims read it; instants in microseconds. */
export interface Work {
  readonly name: Name;
  readonly key: Name | null;
  readonly bound: Name | null;
  readonly id: WorkId;
  readonly attempt: AttemptId;
  readonly token: number;
  readonly resumes: number;
  readonly print: string | null;
  readonly printVersion: number | null;
  readonly state: "o" | "r" | "u" | "d" | "k";
  readonly leaseUntil: number;
  readonly notBefore: number;
  readonly outcome: string | null;
  readonly keepUntil: number;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly effect: string | null;
  readonly owner: Uint8Array;
  readonly isChild: boolean;
  readonly keepsInput: boolean;
  readonly isCancelled: boolean;
  /** The store's clock when it was read. */
  readonly now: number;
}

export const workColumns = `name, key_name, bound, coalesce(id, name) as id, attempt, token, resumes, print, print_version, state, lease_until,
  not_before, outcome, keep_until, created_at, ended_at, effect, owner, cancelled_at, parent is not null as is_child,
  input is not null as keeps_input, ${clock} as now_at`;

export function workOf(row: Row): Work {
  const hexOrNull = (value: unknown) => (value === null ? null : hexOf(value));
  return {
    name: hexOf(row["name"]) as Name,
    key: hexOrNull(row["key_name"]) as Name | null,
    bound: hexOrNull(row["bound"]) as Name | null,
    id: hexOf(row["id"]) as WorkId,
    attempt: (hexOrNull(row["attempt"]) ?? "") as AttemptId,
    token: Number(row["token"]),
    resumes: Number(row["resumes"]),
    print: textOrNull(row["print"]),
    printVersion: numberOrNull(row["print_version"]),
    state: textOf(row["state"]) as Work["state"],
    leaseUntil: Number(row["lease_until"]),
    notBefore: Number(row["not_before"]),
    outcome: textOrNull(row["outcome"]),
    keepUntil: Number(row["keep_until"]),
    createdAt: Number(row["created_at"]),
    endedAt: numberOrNull(row["ended_at"]),
    effect: textOrNull(row["effect"]),
    owner: (row["owner"] as Uint8Array | null) ?? new Uint8Array(),
    isChild: Number(row["is_child"]) === 1,
    keepsInput: Number(row["keeps_input"]) === 1,
    isCancelled: row["cancelled_at"] !== null,
    now: Number(row["now_at"]),
  };
}

export async function effectsOf(connection: Connection, id: WorkId): Promise<readonly EffectRecord[]> {
  const { rows } = await connection.query(
    `select *, ${clock} as now_at from reprise_effect where id = ? order by started_at, name`,
    [id16(id)],
  );
  return rows.map(effectOf);
}

export function effectOf(row: Row): EffectRecord {
  return {
    effect: textOf(row["name"]),
    kind: textOf(row["kind"]) as EffectRecord["kind"],
    state: textOf(row["state"]) === "s" ? "started" : "pinned",
    startedAt: instant(row["started_at"]),
    pinnedAt: instantOrNull(row["pinned_at"]),
    // rounded up: zero says that a call can no longer arrive
    settlesInMs: Math.ceil((Number(row["settle_at"]) - Number(row["now_at"])) / 1_000) + 0,
    answer: textOrNull(row["answer"]),
    token: Number(row["token"]),
  };
}

const runStates: { readonly [S in Work["state"]]: RunState } = {
  o: "open",
  r: "running",
  u: "unknown",
  d: "done",
  k: "done",
};

export const runColumns = `coalesce(id, name) as id, state, refused, operation, identity, principal, caller_key, owner, created_at, ended_at,
  lease_until, keep_until, token, print, print_version, why, cancelled_at, progress_done, progress_total`;

export function runOf(row: Row): RunSummary {
  const state = textOf(row["state"]) as Work["state"];
  return {
    id: hexOf(row["id"]) as WorkId,
    state: runStates[state],
    refused: state === "d" ? Number(row["refused"]) === 1 : null,
    operation: textOf(row["operation"]),
    identity: textOf(row["identity"]),
    principal: textOf(row["principal"]),
    key: textOrNull(row["caller_key"]),
    owner: textOf(row["owner"]),
    createdAt: instant(row["created_at"]),
    endedAt: instantOrNull(row["ended_at"]),
    leaseUntil: state === "r" ? instantOrNull(row["lease_until"]) : null,
    keepUntil: instant(row["keep_until"]),
    token: Number(row["token"]),
    print: { version: Number(row["print_version"]), hash: textOf(row["print"]) },
    why: textOrNull(row["why"]),
    progress: progressOf(row),
    cancelled: row["cancelled_at"] !== null,
  };
}

export function progressOf(row: Row): Progress | null {
  const done = numberOrNull(row["progress_done"]);
  return done === null ? null : { done, total: numberOrNull(row["progress_total"]) };
}

/** What a past attempt's row is written from. */
export type Past = Pick<Work, "id" | "owner" | "token">;

/** A past attempt's one row. */
export async function noteAttempt(
  connection: Connection,
  { id, owner, token }: Past,
  what: AttemptRecord["what"],
  why: string | null,
): Promise<void> {
  await connection.query(
    `insert into reprise_attempt (id, at, what, owner, token, why) values (?, ${clock}, ?, ?, ?, ?)`,
    [id16(id), bytes(what), owner, token, bytesOrNull(why)],
  );
}

export function attemptOf(row: Row): AttemptRecord {
  return {
    at: instant(row["at"]),
    what: textOf(row["what"]) as AttemptRecord["what"],
    owner: textOf(row["owner"]),
    token: Number(row["token"]),
    why: textOrNull(row["why"]),
  };
}
