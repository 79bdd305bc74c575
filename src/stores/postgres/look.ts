import { defaults } from "../../base/defaults.ts";
import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import type { Acceptance, AcceptRequest, Claim, FindRequest, Open, Running, Won } from "../../contract/ledger.ts";
import type { OwnRow } from "./driver.ts";
import { attemptIn, epochMs, msUntil, nameIn, numberOf, numberOrNull, textOf, textOrNull, workIdIn } from "./rows.ts";
import { type Step, step } from "./server.ts";

export const { unboundedRetryMs } = defaults.ledger;

/** Past its keep, and nobody's child: a child is cleared by the sweep alone, which looks after its parent. */
const isOver = (row: string) =>
  `${row}.state = 'd' and ${row}.keep_until <= clock_timestamp() and ${row}.parent is null`;

const columns = `w.name, w.key, w.bound, w.id, w.attempt, w.token, w.resumes, encode(w.print, 'hex') as print,
  w.print_v as version, w.state, w.outcome, w.effect, ${epochMs("w.created_at")} as created,
  ${epochMs("w.ended_at")} as ended, ${msUntil("w.lease_until")} as leaseleft, ${msUntil("w.not_before")} as waitleft,
  case when w.input is null then 0 else 1 end as keepsinput,
  case when ${isOver("w")} then 1 else 0 end as expired, null::int as boundalive`;

/** Of a row that is the key's alone it is only asked whose the key is: what nobody reads is not computed. */
const keyColumns = `w.name, w.key, w.bound, null::uuid, null::uuid, null::int, null::int, null::text, null::int, null::"char",
  null::text, null::text, null::numeric, null::numeric, null::numeric, null::numeric, null::int,
  case when ${isOver("w")} then 1 else 0 end,
  case when exists (select 1 from @work t where t.name = w.bound and not (${isOver("t")})) then 1 else 0 end`;

/** What stands under the name, `$1`. */
export const lookAtName = `select ${columns} from @work w where w.name = $1::uuid`;

/**
 * And under the key, `$2`. One index each: an `or` of both takes longer. In partitions a key has a row of its own, under its
 * name.
 */
export const lookAtBoth = {
  whole: looking("w.key = $2::uuid"),
  partitioned: looking("w.name = $2::uuid"),
};
function looking(byKey: string): string {
  return `${lookAtName} union all select ${keyColumns} from @work w where ${byKey} and w.name <> $1::uuid`;
}

export function look({ name, key }: FindRequest): Step {
  return key === null ? step(lookAtName, name) : step(lookAtBoth, name, key);
}

/** A row of @work, as far as claims read it. */
export interface LookedWork {
  readonly name: Name;
  readonly id: WorkId;
  readonly attempt: AttemptId;
  readonly token: number;
  readonly resumes: number;
  readonly state: string;
  readonly outcome: string | null;
  readonly effect: string | null;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly leaseLeftMs: number | null;
  readonly waitLeftMs: number | null;
  readonly keepsInput: boolean;
}

export type Verdict =
  | { readonly is: "free" }
  /** What stands in the way is past its keep, or a key whose work is gone. */
  | { readonly is: "clear" }
  | { readonly is: "mismatch"; readonly firstSeen: number | null }
  /** `unbound`: the key is not yet this work's. */
  | { readonly is: "found"; readonly work: LookedWork; readonly unbound: boolean };

export function judge(rows: readonly OwnRow[], request: FindRequest): Verdict {
  const { name, key, print } = request;
  const row = rows.find((one) => nameIn(one["name"]) === name);
  const keyed = key === null ? undefined : rows.find((one) => one["key"] !== null && nameIn(one["key"]) === key);
  const owner = keyed === undefined ? undefined : nameIn(keyed["bound"] ?? keyed["name"]);
  if (keyed !== undefined && owner !== name) {
    const isAlive = keyed["bound"] === null ? numberOf(keyed["expired"]) === 0 : numberOf(keyed["boundalive"]) === 1;
    return isAlive ? { is: "mismatch", firstSeen: null } : { is: "clear" };
  }
  if (row === undefined) return keyed === undefined ? { is: "free" } : { is: "clear" };
  if (numberOf(row["expired"]) === 1) return { is: "clear" };
  if (textOf(row["print"]) !== print.hash || numberOf(row["version"]) !== print.version) {
    return { is: "mismatch", firstSeen: numberOf(row["created"]) };
  }
  return { is: "found", work: lookedWork(row), unbound: key !== null && owner === undefined };
}

function lookedWork(row: OwnRow): LookedWork {
  return {
    name: nameIn(row["name"]),
    id: workIdIn(row["id"]),
    attempt: attemptIn(row["attempt"]),
    token: numberOf(row["token"]),
    resumes: numberOf(row["resumes"]),
    state: textOf(row["state"]),
    outcome: textOrNull(row["outcome"]),
    effect: textOrNull(row["effect"]),
    createdAt: numberOf(row["created"]),
    endedAt: numberOrNull(row["ended"]),
    leaseLeftMs: numberOrNull(row["leaseleft"]),
    waitLeftMs: numberOrNull(row["waitleft"]),
    keepsInput: numberOf(row["keepsinput"]) === 1,
  };
}

/** What is answered without running; `undefined`: nobody is at it, or it is this attempt's own. */
export function stored(work: LookedWork, attempt?: AttemptId): Exclude<Claim, Won> | undefined {
  const since = work.createdAt;
  switch (work.state) {
    case "d":
      return { is: "done", outcome: work.outcome ?? "", at: work.endedAt ?? since };
    case "u":
      return { is: "unknown", effect: work.effect ?? "", since: work.endedAt ?? since };
    case "r":
      return work.attempt === attempt ? undefined : waiting(since, work.leaseLeftMs);
    default:
      return waiting(since, work.waitLeftMs);
  }
}

/** What stands there, as whoever would have accepted it is told. */
export function acceptedAs(work: LookedWork, request: AcceptRequest): Acceptance {
  const { id, createdAt: since, state, keepsInput } = work;
  if (keepsInput && (state === "o" || state === "r")) {
    return { is: "accepted", id, since, isNew: id === request.id };
  }
  return stored(work) ?? { is: "running", since, retryAfterMs: unboundedRetryMs };
}

function waiting(since: number, leftMs: number | null): Running | undefined {
  return leftMs !== null && leftMs > 0 ? { is: "running", since, retryAfterMs: leftMs } : undefined;
}

/** What a claim would find; `null`: nothing that is kept. */
export function found(rows: readonly OwnRow[], request: FindRequest): Exclude<Claim, Won> | Open | null {
  const verdict = judge(rows, request);
  switch (verdict.is) {
    case "free":
    case "clear":
      return null;
    case "mismatch":
      return verdict;
    case "found":
      return stored(verdict.work) ?? { is: "open", since: verdict.work.createdAt, retryAfterMs: 0 };
  }
}
