import type { FindRequest, Finished, WorkRequest } from "../../contract/ledger.ts";
import { lockNumbers, lockOf } from "./claim.ts";
import type { OwnRow, Parameter } from "./driver.ts";
import { type DatabaseFunction, databaseFunction, eachOf } from "./functions.ts";
import { inserting, shown, type Values } from "./insert.ts";
import { asText, atKey } from "./look.ts";
import { boundIdling, epochMs, interval, isOpen, markOpen } from "./rows.ts";
import { type Step, step, type TwoForms } from "./server.ts";

// What the transaction of database work begins and ends with.

/**
 * Nobody sees the row of an open transaction, and whoever inserted it too would wait for it: locks on both names say that
 * somebody is at it, at once. A lock of another's on the same number costs a false `running`, never a second run. They
 * go with the transaction, also when its session is ended because it idled: a process that stops must not hold them.
 *
 * What stands there is read in a statement after the locks: one whose snapshot is older may not see what another attempt
 * committed before it let go of them, and the work would begin a second time. Above READ COMMITTED every snapshot is
 * older, so there the names are written and removed again, which fails over a commit that is not seen (40001); the whole
 * transaction is then repeated. Null: nothing stands there, and the names are held.
 */
const enter = databaseFunction("enter", ["uuid", "uuid", "bigint", "bigint", "text"], "text", {
  whole: entering(
    "whole",
    "insert into @work (created_at, keep_until, state, name, key) values (now(), 'infinity', 'k', $1, $2)",
  ),
  partitioned: entering(
    "partitioned",
    "insert into @work (created_at, keep_until, state, name) select now(), 'infinity', 'k', n from unnest(array[$1, $2]) n where n is not null",
  ),
});
function entering(form: keyof TwoForms, write: string): string {
  // Ordinary work finds nothing, and asks no more than whether anything is there: what stands there takes longer to ask
  // for, also where nothing does. The key only where there is one: a condition that a null decides is planned every time.
  const isThere = (condition: string) => `exists (select 1 from @work w where ${condition})`;
  const read = (look: string) => `select string_agg(w.met, ',') into met from (${look}) w`;
  return `
declare
  isheld boolean := pg_try_advisory_xact_lock(${lockOf("$3")}) and ($4 is null or pg_try_advisory_xact_lock(${lockOf("$4")}));
  idle text := ${boundIdling("$5")};
  open text := ${markOpen};
  met text;
begin
  if $2 is null then
    if ${isThere("w.name = $1")} then ${read(asText.atName)}; end if;
  elsif ${isThere("w.name = $1")} or ${isThere(atKey[form])} then ${read(asText.atBoth[form])};
  end if;
  if met is null and isheld then
    if current_setting('transaction_isolation') <> 'read committed' then
      ${write} on conflict do nothing;
      delete from @work where name in ($1, $2) and state = 'k';
    end if;
    return null;
  end if;
  return '{"isheld":' || isheld || ',"present":' || ${epochMs("clock_timestamp()")} || ',"rows":[' || coalesce(met, '') || ']}';
end `;
}

/** Finished work is written once. It raises where another's stands: a COMMIT that is on its way must not keep both. */
const insertDone = inserting(doneAt("t.now"), `returning ${epochMs("ended_at")} as answer`);
const finish = databaseFunction(
  "finish",
  ["uuid", "uuid", "text", "int", "int", "text", "float8", ...Array<string>(5).fill("text"), "uuid", "uuid"],
  "float8",
  { whole: finishingBody("whole"), partitioned: finishingBody("partitioned") },
);
function doneAt(now: string): Values {
  return {
    created_at: "now()",
    ended_at: now,
    keep_until: `${now} + ${interval("$7")}`,
    print: "decode($3, 'hex')",
    print_v: "$4::int",
    state: `'d'::"char"`,
    refused: "$5::int = 1",
    outcome: "$6",
    operation: "$8",
    identity: "$9",
    principal: "$10",
    caller_key: "$11",
    owner: "$12",
    parent: "$13::uuid",
    intent: "$14::uuid",
  };
}
function finishingBody(form: keyof TwoForms): string {
  return `
declare
  open boolean := ${isOpen};
  ended timestamptz := clock_timestamp();
begin
  ${inserting(doneAt("ended"))[form]};
  return ${epochMs("ended")};
end `;
}

/** What `enter` answers where something stands under the names, or somebody else holds them. */
export interface Entered {
  readonly isheld: boolean;
  /** The server's clock, in milliseconds since the epoch. */
  readonly present: number;
  readonly rows: readonly OwnRow[];
}

export const functions: readonly DatabaseFunction[] = [enter, finish];

/** What the transaction begins with. */
export function opening(request: FindRequest, idleMs: number | null): readonly Step[] {
  return [step(enter.call, ...entry(request, idleMs))];
}

/** The same for several, of which each has an answer of its own. */
export function openingEach(requests: readonly FindRequest[], idleMs: number): readonly Step[] {
  return [step(enter.callEach, eachOf(requests.map((request) => entry(request, idleMs))))];
}

function entry(request: FindRequest, idleMs: number | null): readonly Parameter[] {
  return [request.name, request.key, ...lockNumbers(request), idleMs === null ? null : String(idleMs)];
}

const finishAdopted = `update @work set state = 'd', outcome = $2, refused = $3::int = 1, ended_at = clock_timestamp(),
    keep_until = greatest(keep_until, clock_timestamp() + ${interval("$4")}), input = null, not_before = null, why = null,
    token = token + 1
  where name = $1::uuid and ${isOpen} returning ${epochMs("ended_at")} as answer`;

/** What it ends with: the told instant is its `answer`. */
export function finishing(request: WorkRequest, finished: Finished<unknown>, adopted: boolean): Step {
  if (adopted) {
    return step(finishAdopted, request.name, finished.outcome, finished.refused ? 1 : 0, request.keepMs);
  }
  return step({ named: insertDone, unnamed: finish.call }, ...end(request, finished));
}

/** The same for several, of which none is adopted. */
export function finishingEach(ends: readonly (readonly [WorkRequest, Finished<unknown>])[]): Step {
  return step(finish.callEach, eachOf(ends.map(([request, finished]) => end(request, finished))));
}

function end({ name, key, print, keepMs, about, parent, intent }: WorkRequest, finished: Finished<unknown>) {
  return [
    ...[name, key, print.hash, print.version, finished.refused ? 1 : 0, finished.outcome, keepMs, about.operation],
    ...[shown(about.identity), shown(about.principal), about.key === null ? null : shown(about.key), about.owner],
    ...[parent, intent],
  ];
}
