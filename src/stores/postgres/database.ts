import type { Name } from "../../base/names.ts";
import type {
  Acceptance,
  AcceptRequest,
  Atomic,
  Claim,
  FindRequest,
  Finished,
  Won,
  WorkRequest,
} from "../../contract/ledger.ts";
import { bindHeld, clear, lockNumbers, type Met } from "./claim.ts";
import type { Answer, OwnRow } from "./driver.ts";
import { park } from "./endings.ts";
import { type DatabaseFunction, databaseFunction } from "./functions.ts";
import { inserting, insertParams, insertWork, shown } from "./insert.ts";
import { acceptedAs, judge, look, lookAtBoth, lookAtName, stored, unboundedRetryMs } from "./look.ts";
import { epochMs, interval, numberOf, textOrNull, workIdIn } from "./rows.ts";
import { type Ending, type Step, step } from "./server.ts";
import type { Session } from "./transaction.ts";

const parkedByAtomic = "work with effects of its own was claimed as database work";

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
    lookAtBoth.whole,
    "insert into @work (created_at, keep_until, state, name, key) values (now(), 'infinity', 'k', $1, $2)",
  ),
  partitioned: entering(
    lookAtBoth.partitioned,
    "insert into @work (created_at, keep_until, state, name) select now(), 'infinity', 'k', n from unnest(array[$1, $2]) n where n is not null",
  ),
});
function entering(lookAtTwo: string, write: string): string {
  const read = (look: string) => `select json_agg(w) into met from (${look}) w`;
  return `
declare
  isheld boolean := pg_try_advisory_xact_lock($3) and ($4 is null or pg_try_advisory_xact_lock($4));
  met json;
begin
  if $5 is not null and current_setting('idle_in_transaction_session_timeout') = '0' then
    perform set_config('idle_in_transaction_session_timeout', $5, true);
  end if;
  if $2 is null then ${read(lookAtName)}; else ${read(lookAtTwo)}; end if;
  if met is null and isheld then
    if current_setting('transaction_isolation') <> 'read committed' then
      ${write} on conflict do nothing;
      delete from @work where name in ($1, $2) and state = 'k';
    end if;
    return null;
  end if;
  return json_build_object('isheld', isheld, 'present', ${epochMs("clock_timestamp()")}, 'rows', coalesce(met, '[]'));
end `;
}

/** Finished work is written once. It raises where another's stands: a COMMIT that is on its way must not keep both. */
const finish = databaseFunction(
  "finish",
  ["uuid", "uuid", "text", "int", "int", "text", "float8", ...Array<string>(5).fill("text"), "uuid", "uuid"],
  "float8",
  { whole: finishingBody("whole"), partitioned: finishingBody("partitioned") },
);
function finishingBody(form: "whole" | "partitioned"): string {
  const insert = inserting({
    created_at: "now()",
    ended_at: "ended",
    keep_until: `ended + ${interval("$7")}`,
    print: "decode($3, 'hex')",
    print_v: "$4",
    state: `'d'::"char"`,
    refused: "$5 = 1",
    outcome: "$6",
    operation: "$8",
    identity: "$9",
    principal: "$10",
    caller_key: "$11",
    owner: "$12",
    parent: "$13",
    intent: "$14",
  });
  return `
declare
  ended timestamptz := clock_timestamp();
begin
  ${insert[form]};
  return ${epochMs("ended")};
end `;
}

export const functions: readonly DatabaseFunction[] = [enter, finish];

/** External work of an earlier declaration that nobody is at, with the effect that it has, if any. */
const adopt = `select id, (select min(e.name) from @effect e where e.id = w.id) as effect from @work w
  where name = $1::uuid and (state = 'o' and coalesce(not_before, '-infinity') <= clock_timestamp()
    or state = 'r' and lease_until <= clock_timestamp()) for update skip locked`;

const finishAdopted = `update @work set state = 'd', outcome = $2, refused = $3::int = 1, ended_at = clock_timestamp(),
    keep_until = greatest(keep_until, clock_timestamp() + ${interval("$4")}), input = null, not_before = null, why = null,
    token = token + 1
  where name = $1::uuid returning ${epochMs("ended_at")} as answer`;

/** What the transaction begins with. */
export function opening(request: FindRequest, idleMs: number | null): readonly Step[] {
  const idle = idleMs === null ? null : String(idleMs);
  return [step(enter.call, request.name, request.key, ...lockNumbers(request), idle)];
}

type Claimed =
  | { readonly is: "mine"; readonly adopted: boolean }
  | { readonly is: "told"; readonly claim: Exclude<Claim, Won>; readonly wrote: boolean };

/** Claim, work and outcome in the transaction that `answers` began. */
export async function runOnce<Tx, T>(
  session: Session<Tx>,
  request: WorkRequest,
  answers: readonly Answer[],
  work: (tx: Tx) => Promise<Finished<T>>,
): Promise<Ending<Atomic<T>>> {
  const names = request.key === null ? [request.name] : [request.name, request.key];
  const claimed = await claimWork(session, request, answers);
  if (claimed.is === "told") {
    const { claim, wrote } = claimed;
    if (wrote) return { is: "commit", steps: [], value: () => claim };
    // a replay holds nothing that anybody waits for
    return { is: "rollback", value: claim, soon: claim.is === "done" };
  }
  for (const name of names) session.running.add(name);
  try {
    const finished = await work(session.tx);
    const steps = [finishing(request, finished, claimed.adopted)];
    return {
      is: "commit",
      steps,
      value: ([ended]) => ({ is: "ran", value: finished.value, at: numberOf(ended?.rows[0]?.["answer"]) }),
    };
  } finally {
    for (const name of names) session.running.delete(name);
  }
}

function finishing(request: WorkRequest, finished: Finished<unknown>, adopted: boolean): Step {
  const { name, key, print, keepMs, about } = request;
  const refused = finished.refused ? 1 : 0;
  if (adopted) return step(finishAdopted, name, finished.outcome, refused, keepMs);
  return step(
    finish.call,
    ...[name, key, print.hash, print.version, refused, finished.outcome, keepMs, about.operation],
    ...[shown(about.identity), shown(about.principal), about.key === null ? null : shown(about.key), about.owner],
    ...[request.parent, request.intent],
  );
}

async function claimWork<Tx>(session: Session<Tx>, request: WorkRequest, opened: readonly Answer[]): Promise<Claimed> {
  const met = await meetLocked(session, request, opened);
  if (met.is === "free") return { is: "mine", adopted: false };
  if (met.is !== "found") return told(met);
  const { work, bound } = met;
  const answer = stored(work);
  if (answer !== undefined) return told(answer, bound);
  return adoptOr(session, request.name, told({ is: "running", since: work.createdAt, retryAfterMs: unboundedRetryMs }));
}

/** `bound`: it wrote the key. */
type MetLocked = Exclude<Met, { is: "found" }> | (Extract<Met, { is: "found" }> & { readonly bound: boolean });

const present = `select ${epochMs("clock_timestamp()")} as now`;

/** What `enter` answers where something stands under the names, or somebody else holds them. */
interface Entered {
  readonly isheld: boolean;
  /** The server's clock, in milliseconds since the epoch. */
  readonly present: number;
  readonly rows: readonly OwnRow[];
}

/** What stands under the names. `free`: nothing does, and this transaction holds them. */
async function meetLocked<Tx>(
  session: Session<Tx>,
  request: WorkRequest,
  [opened]: readonly Answer[],
): Promise<MetLocked> {
  const { name, key } = request;
  // this very transaction is at it: its own locks let it pass
  if (session.running.has(name) || (key !== null && session.running.has(key))) {
    const [now] = await session.run([step(present)]);
    return { is: "running", since: numberOf(now?.rows[0]?.["now"]), retryAfterMs: unboundedRetryMs };
  }
  const answer = textOrNull(opened?.rows[0]?.["answer"]);
  if (answer === null) return { is: "free" };
  const entered = JSON.parse(answer) as Entered;
  const running: MetLocked = { is: "running", since: entered.present, retryAfterMs: unboundedRetryMs };
  let { rows } = entered;
  const lookAgain = async (...before: readonly Step[]) => {
    rows = (await session.run([...before, look(request)])).at(-1)?.rows ?? [];
  };
  for (;;) {
    const verdict = judge(rows, request);
    switch (verdict.is) {
      case "mismatch":
        return verdict;
      case "free":
        return entered.isheld ? verdict : running;
      case "clear":
        if (!entered.isheld) return running;
        await lookAgain(clear(request));
        continue;
    }
    const { work, unbound } = verdict;
    if (!unbound || key === null) return { is: "found", work, bound: false };
    // whoever holds the names may be about to bind it too
    if (!entered.isheld) return running;
    const [bound] = await session.run([bindHeld(request, key, work)]);
    if (bound?.count === 1) return { is: "found", work, bound: true };
    await lookAgain();
  }
}

/** It raises where another's stands: a claim by itself may have come between. */
const insertOpen = insertWork("o", `returning ${epochMs("created_at")} as created`);

/** Work for later, written down in the transaction that holds its names. */
export async function acceptOnce<Tx>(
  session: Session<Tx>,
  request: AcceptRequest,
  answers: readonly Answer[],
): Promise<Ending<Acceptance>> {
  const met = await meetLocked(session, request, answers);
  if (met.is === "free") {
    const { id, input } = request;
    const steps = [step(insertOpen, ...insertParams(request, id, null, 0, input))];
    const since = (inserted: Answer | undefined) => numberOf(inserted?.rows[0]?.["created"]);
    return {
      is: "commit",
      steps,
      value: ([inserted]) => ({ is: "accepted", id, since: since(inserted), isNew: true }),
    };
  }
  if (met.is === "found" && met.bound) {
    return { is: "commit", steps: [], value: () => acceptedAs(met.work, request) };
  }
  return { is: "rollback", value: met.is === "found" ? acceptedAs(met.work, request) : met, soon: false };
}

async function adoptOr<Tx>(session: Session<Tx>, name: Name, running: Claimed): Promise<Claimed> {
  const row = (await session.run([step(adopt, name)]))[0]?.rows[0];
  if (row === undefined) return running;
  const effect = textOrNull(row["effect"]);
  if (effect === null) return { is: "mine", adopted: true };
  // database work completes over no effect: what happened under an earlier declaration is a person's
  const [parked] = await session.run([park(workIdIn(row["id"]), effect, parkedByAtomic)]);
  return told({ is: "unknown", effect, since: numberOf(parked?.rows[0]?.["at"]) }, true);
}

function told(claim: Exclude<Claim, Won>, wrote = false): Claimed {
  return { is: "told", claim, wrote };
}
