import { defaults } from "../../base/defaults.ts";
import type { AttemptId, WorkId } from "../../base/names.ts";
import type { WorkRequest } from "../../contract/ledger.ts";
import type { Parameter } from "./driver.ts";
import { interval } from "./rows.ts";
import type { TwoForms } from "./server.ts";

const { keepAhead } = defaults.ledger;

/** By column, in SQL; `t.now` is the instant of the statement. */
export type Values = Readonly<Record<string, string>>;

/**
 * Work `$1` with its key, `$2`, if it has one. Both stand in one row, so that a mismatch neither claims nor binds; in
 * partitions each has a row of its own, and both are written or neither. `free`: nothing is written unless it holds, or
 * where a name is taken; else it raises there. In partitions it raises also where another came in between, and is repeated.
 */
export function inserting(work: Values, returning = "", free?: string): TwoForms {
  const values: Values = { name: "$1::uuid", ...work };
  const columns = Object.keys(values).join(", ");
  const key = keyRow(values["created_at"] ?? "t.now", "$2", "$1");
  const keyValues = Object.keys(values).map((column) => key[column] ?? "null");
  // without a condition there need be no row to hold the instant: the server plans the less
  const given = Object.values(values).map((value) => value.replaceAll("t.now", "clock_timestamp()"));
  const untaken = "not exists (select 1 from @work where name = $1::uuid or name = $2::uuid)";
  return {
    whole:
      free === undefined
        ? `insert into @work (${columns}, key) values (${given.join(", ")}, $2::uuid) ${returning}`
        : `insert into @work (${columns}, key) select ${Object.values(values).join(", ")}, $2::uuid
  from (select clock_timestamp() as now) t where ${free} on conflict do nothing ${returning}`,
    partitioned: `with t as (select clock_timestamp() as now ${free === undefined ? "" : `where ${free} and ${untaken}`})
  insert into @work (${columns}, key, bound) select ${Object.values(values).join(", ")}, null::uuid, null::uuid from t
  union all select ${keyValues.join(", ")}, ${key["key"]}, ${key["bound"]} from t where $2::uuid is not null ${returning}`,
  };
}

/** The row of a key that stands not in its work's, as `insertKey` writes it. */
function keyRow(now: string, key: string, work: string): Values {
  const name = `${key}::uuid`;
  return { created_at: now, keep_until: "'infinity'", name, key: name, bound: `${work}::uuid`, state: `'k'` };
}

/** Binds `$2` to work `$1`, of a further key where `from` gives a row. */
export function insertKey(from: string): string {
  const row = keyRow("clock_timestamp()", "$2", "$1");
  return `insert into @work (${Object.keys(row).join(", ")}) select ${Object.values(row).join(", ")} from ${from}
  on conflict do nothing`;
}

/** External work. Parameters: `insertParams`. */
export function insertWork(state: "r" | "o", returning?: string, free?: string): TwoForms {
  const values: Values = {
    created_at: "t.now",
    keep_until: `t.now + ${interval("$14")} * ${keepAhead}`,
    lease_until: `t.now + ${interval("$13")}`,
    not_before: state === "o" ? "t.now" : "null::timestamptz",
    id: "$3::uuid",
    attempt: "$4::uuid",
    print: "decode($5, 'hex')",
    print_v: "$6::int",
    state: `'${state}'::"char"`,
    operation: "$7",
    identity: "$8",
    principal: "$9",
    caller_key: "$10",
    owner: "$11",
    input: "$12",
    parent: "$15::uuid",
    intent: "$16::uuid",
  };
  return inserting(values, returning, free);
}

export function insertParams(
  { name, key, print, about, keepMs, parent, intent }: WorkRequest,
  id: WorkId,
  attempt: AttemptId | null,
  leaseMs: number,
  input: string | null,
): readonly Parameter[] {
  return [
    ...[name, key, id, attempt, print.hash, print.version, about.operation, shown(about.identity)],
    ...[shown(about.principal), about.key === null ? null : shown(about.key), about.owner, input],
    ...[leaseMs, keepMs, parent, intent],
  ];
}

/** Text that a person reads: what PostgreSQL cannot keep is shown as such. */
export function shown(text: string): string {
  return text.replaceAll("\0", "\ufffd");
}
