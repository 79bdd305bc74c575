import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import type { AttemptRecord, EffectRecord, Progress, RunState, RunSummary, Standing } from "../../contract/ledger.ts";
import type { Connection, OwnRow } from "./driver.ts";

/** A row of reprise_work, as far as claims and endings read it. */
export interface WorkRow {
  readonly name: Name;
  readonly key: Name | null;
  readonly bound: Name | null;
  /** Null: database work, on which nothing hangs. */
  readonly id: WorkId | null;
  /** Null: nobody claimed it yet, or it is database work. */
  readonly attempt: AttemptId | null;
  readonly token: number;
  readonly resumes: number;
  readonly print: string;
  readonly print_v: number;
  readonly state: "o" | "r" | "u" | "d" | "k";
  readonly lease_until: number | null;
  readonly not_before: number | null;
  readonly outcome: string | null;
  readonly input: string | null;
  readonly keep_until: number;
  readonly created_at: number;
  readonly ended_at: number | null;
  readonly effect: string | null;
  readonly parent: Name | null;
  readonly operation: string;
  readonly owner: string;
  readonly progress: string | null;
  readonly cancelled: 1 | null;
}

/** Rows of statements over our own tables: their columns are known, the driver's types cannot be. */
export function rowsOf<R>(rows: readonly OwnRow[]): readonly R[] {
  return rows as unknown as readonly R[];
}

export const fenced = "name = ? and attempt = ? and state = 'r'";

interface EffectRow {
  readonly name: string;
  readonly kind: "effect" | "transaction";
  readonly state: "s" | "p";
  readonly started_at: number;
  readonly pinned_at: number | null;
  readonly settle_at: number;
  readonly token: number;
  readonly answer: string | null;
}

export function effectsOf(connection: Connection, id: WorkId, now: number): readonly EffectRecord[] {
  const rows = connection.all("select * from reprise_effect where id = ? order by started_at, rowid", [id]);
  return rowsOf<EffectRow>(rows).map((row) => effectRecord(row, now));
}

export function effectOf(connection: Connection, id: WorkId, effect: string, now: number): EffectRecord | undefined {
  const rows = connection.all("select * from reprise_effect where id = ? and name = ?", [id, effect]);
  return rowsOf<EffectRow>(rows).map((row) => effectRecord(row, now))[0];
}

function effectRecord(row: EffectRow, now: number): EffectRecord {
  return {
    effect: row.name,
    kind: row.kind,
    state: row.state === "s" ? "started" : "pinned",
    startedAt: row.started_at,
    pinnedAt: row.pinned_at,
    settlesInMs: row.settle_at - now,
    answer: row.answer,
    token: row.token,
  };
}

const runStates: { readonly [S in WorkRow["state"]]: RunState } = {
  o: "open",
  r: "running",
  u: "unknown",
  d: "done",
  k: "done",
};

/** Database work is known by its name. */
export function idOf({ id, name }: Pick<WorkRow, "id" | "name">): WorkId {
  return id ?? (name as string as WorkId);
}

export function runSummary(row: OwnRow): RunSummary {
  const work = row as unknown as WorkRow & {
    readonly refused: number | null;
    readonly identity: string;
    readonly principal: string;
    readonly caller_key: string | null;
    readonly why: string | null;
  };
  return {
    id: idOf(work),
    state: runStates[work.state],
    refused: work.state === "d" ? work.refused === 1 : null,
    operation: work.operation,
    identity: work.identity,
    principal: work.principal,
    key: work.caller_key,
    owner: work.owner,
    createdAt: work.created_at,
    endedAt: work.ended_at,
    leaseUntil: work.state === "r" ? work.lease_until : null,
    keepUntil: work.keep_until,
    token: work.token,
    print: { version: work.print_v, hash: work.print },
    why: work.why,
    progress: progressOf(work),
    cancelled: work.cancelled === 1,
  };
}

/** Of work that is committed. */
export function standingOf(work: WorkRow): Standing {
  const { operation, state, created_at: since } = work;
  const endedAt = work.ended_at ?? since;
  if (state === "d") return { operation, is: "done", outcome: work.outcome ?? "", at: endedAt };
  if (state === "u") return { operation, is: "unknown", effect: work.effect ?? "", since: endedAt };
  const cancelled = work.cancelled === 1;
  return { operation, is: "going", since, running: state === "r", cancelled, progress: progressOf(work) };
}

function progressOf({ progress }: Pick<WorkRow, "progress">): Progress | null {
  return progress === null ? null : (JSON.parse(progress) as Progress);
}

/** A past attempt's one row, of the attempt that the work row still names. `by`: the person who decided it, if one did. */
export function noteAttempt(
  connection: Connection,
  id: WorkId,
  what: AttemptRecord["what"],
  at: number,
  why: string | null,
  by: string | null = null,
): void {
  connection.run(
    `insert into reprise_attempt (id, at, what, owner, token, why)
     select id, ?, ?, coalesce(?, owner), token, ? from reprise_work where id = ?`,
    [at, what, by, why, id],
  );
}

export function attemptsOf(connection: Connection, id: WorkId): readonly AttemptRecord[] {
  const rows = connection.all("select at, what, owner, token, why from reprise_attempt where id = ? order by rowid", [
    id,
  ]);
  return rowsOf<AttemptRecord>(rows).map(({ at, what, owner, token, why }) => ({ at, what, owner, token, why }));
}
