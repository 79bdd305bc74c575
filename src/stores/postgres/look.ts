import { defaults } from "../../base/defaults.ts";
import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import type { Acceptance, AcceptRequest, Claim, FindRequest, Open, Running, Won } from "../../contract/ledger.ts";
import type { OwnRow } from "./driver.ts";
import { attemptIn, epochMs, nameIn, numberOf, textOf, textOrNull, workIdIn } from "./rows.ts";
import { type Step, step, type TwoForms } from "./server.ts";

export const { unboundedRetryMs } = defaults.ledger;

/** Past its keep, and nobody's child: a child is cleared by the sweep alone, which looks after its parent. */
const isOver = (row: string) =>
  `${row}.state = 'd' and ${row}.keep_until <= clock_timestamp() and ${row}.parent is null`;

/** Of `w`: what has the key, `$2`. In partitions a key has a row of its own, under its name. */
export const atKey: TwoForms = { whole: "w.key = $2::uuid", partitioned: "w.name = $2::uuid" };

/**
 * What stands under the name, `$1`, or under that and the key, `$2`: one index each, since an `or` of both takes longer.
 *
 * A row travels as one piece of JSON, read here: where statements have no names each is planned anew, and two dozen
 * expressions take the server four times as long to plan as one. How JSON holds bytes is a setting of the server's.
 */
function looking(columns: (facts: Facts) => string): { readonly atName: string; readonly atBoth: TwoForms } {
  const rowOf = (boundAlive: string) => {
    const facts = {
      work: "row_to_json(w)::text",
      print: "encode(w.print, 'hex')",
      now: epochMs("clock_timestamp()"),
      expired: `case when ${isOver("w")} then 1 else 0 end`,
      boundalive: boundAlive,
    };
    return `select ${columns(facts)} from @work w`;
  };
  const boundAlive = `case when exists (select 1 from @work t where t.name = w.bound and not (${isOver("t")}))
    then 1 else 0 end`;
  const atName = `${rowOf("0")} where w.name = $1::uuid`;
  const both = (key: string) => `${atName} union all ${rowOf(boundAlive)} where ${key} and w.name <> $1::uuid`;
  return { atName, atBoth: { whole: both(atKey.whole), partitioned: both(atKey.partitioned) } };
}

/** What is asked about a row, in SQL. */
type Facts = Readonly<Record<"work" | "print" | "now" | "expired" | "boundalive", string>>;

const asColumns = looking((facts) =>
  Object.entries(facts)
    .map(([fact, sql]) => `${sql} as ${fact}`)
    .join(", "),
);
/** For a function, which tells them all as one text: `met` is a row as JSON. */
export const asText = looking(
  ({ work, print, now, expired, boundalive }) => `'{"work":' || ${work} || ',"print":"' || coalesce(${print}, '')
  || '","now":' || ${now} || ',"expired":' || ${expired} || ',"boundalive":' || ${boundalive} || '}' as met`,
);

export function look({ name, key }: FindRequest): Step {
  return key === null ? step(asColumns.atName, name) : step(asColumns.atBoth, name, key);
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

export function judge(answers: readonly OwnRow[], request: FindRequest): Verdict {
  const { name, key, print } = request;
  const rows = answers.map(lookedRow);
  const row = rows.find((one) => nameIn(one.work["name"]) === name);
  const keyed = key === null ? undefined : rows.find(({ work }) => work["key"] !== null && nameIn(work["key"]) === key);
  const owner = keyed === undefined ? undefined : nameIn(keyed.work["bound"] ?? keyed.work["name"]);
  if (keyed !== undefined && owner !== name) {
    const isAlive = keyed.work["bound"] === null ? !keyed.isExpired : keyed.isBoundAlive;
    return isAlive ? { is: "mismatch", firstSeen: null } : { is: "clear" };
  }
  if (row === undefined) return keyed === undefined ? { is: "free" } : { is: "clear" };
  if (row.isExpired) return { is: "clear" };
  if (row.print !== print.hash || numberOf(row.work["print_v"]) !== print.version) {
    return { is: "mismatch", firstSeen: instantIn(row.work["created_at"]) };
  }
  return { is: "found", work: lookedWork(row), unbound: key !== null && owner === undefined };
}

interface LookedRow {
  readonly work: OwnRow;
  readonly print: string;
  /** The server's clock when it was read. */
  readonly now: number;
  readonly isExpired: boolean;
  readonly isBoundAlive: boolean;
}

function lookedRow(row: OwnRow): LookedRow {
  return {
    work: typeof row["work"] === "string" ? (JSON.parse(row["work"]) as OwnRow) : (row["work"] as OwnRow),
    print: textOf(row["print"]),
    now: numberOf(row["now"]),
    isExpired: numberOf(row["expired"]) === 1,
    isBoundAlive: numberOf(row["boundalive"]) === 1,
  };
}

function lookedWork({ work, now }: LookedRow): LookedWork {
  return {
    name: nameIn(work["name"]),
    id: workIdIn(work["id"]),
    attempt: attemptIn(work["attempt"]),
    token: numberOf(work["token"]),
    resumes: numberOf(work["resumes"]),
    state: textOf(work["state"]),
    outcome: textOrNull(work["outcome"]),
    effect: textOrNull(work["effect"]),
    createdAt: instantIn(work["created_at"]),
    endedAt: instantOrNull(work["ended_at"]),
    leaseLeftMs: leftMs(work["lease_until"], now),
    waitLeftMs: leftMs(work["not_before"], now),
    keepsInput: work["input"] !== null,
  };
}

/** JSON of PostgreSQL writes an instant as ISO 8601, with the offset of its session's time zone. */
function instantIn(value: unknown): number {
  return Date.parse(textOf(value));
}

function instantOrNull(value: unknown): number | null {
  return value === null ? null : instantIn(value);
}

function leftMs(until: unknown, now: number): number | null {
  return until === null ? null : instantIn(until) - now;
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
