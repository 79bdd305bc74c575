import type { Name } from "../../base/names.ts";
import type { Acceptance, AcceptRequest, Atomic, Claim, Finished, Won, WorkRequest } from "../../contract/ledger.ts";
import { bindHeld, clear, lockNumbers, type Met } from "./claim.ts";
import type { Answer } from "./driver.ts";
import { park } from "./endings.ts";
import { inserting, insertParams, insertWork, shown } from "./insert.ts";
import { acceptedAs, judge, look, lookAtBoth, lookAtName, stored, unboundedRetryMs } from "./look.ts";
import { boundIdling, epochMs, interval, numberOf, textOrNull, workIdIn } from "./rows.ts";
import { type Ending, type Step, step } from "./server.ts";
import type { Session } from "./transaction.ts";

const parkedByAtomic = "work with effects of its own was claimed as database work";

/**
 * Nobody sees the row of an open transaction, and whoever inserted it too would wait for it: locks on both names say that
 * somebody is at it, at once. A lock of another's on the same number costs a false `running`, never a second run. They
 * go with the transaction, also when its session is ended because it idled: a process that stops must not hold them.
 *
 * What stands there is read in the same statement, whose snapshot is older than the locks: what another commits in between
 * is met by the insert at the end, which raises, and the work is repeated as a whole.
 */
const locking = (look: string, idle: string, ...numbers: readonly string[]) =>
  `select case when ${numbers.map((number) => `pg_try_advisory_xact_lock(${number}::bigint)`).join(" and ")}
    then 1 else 0 end as free, ${epochMs("clock_timestamp()")} as present,
  ${boundIdling(idle)} as idle, w.*
  from (select 1) t left join (${look}) w on true`;

const lockAndLookAtName = locking(lookAtName, "$2", "$3");
const lockAndLookAtBoth = {
  whole: locking(lookAtBoth.whole, "$3", "$4", "$5"),
  partitioned: locking(lookAtBoth.partitioned, "$3", "$4", "$5"),
};

/** Finished work is written once. It raises where another's stands: a COMMIT that is on its way must not keep both. */
const insertDone = inserting(
  {
    created_at: "now()",
    ended_at: "t.now",
    keep_until: `t.now + ${interval("$7")}`,
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
  },
  `returning ${epochMs("ended_at")} as at`,
);

/** External work of an earlier declaration that nobody is at, with the effect that it has, if any. */
const adopt = `select id, (select min(e.name) from @effect e where e.id = w.id) as effect from @work w
  where name = $1::uuid and (state = 'o' and coalesce(not_before, '-infinity') <= clock_timestamp()
    or state = 'r' and lease_until <= clock_timestamp()) for update skip locked`;

const finishAdopted = `update @work set state = 'd', outcome = $2, refused = $3::int = 1, ended_at = clock_timestamp(),
    keep_until = greatest(keep_until, clock_timestamp() + ${interval("$4")}), input = null, not_before = null, why = null,
    token = token + 1
  where name = $1::uuid returning ${epochMs("ended_at")} as at`;

/** What the transaction begins with. */
export function opening(request: WorkRequest, idleMs: number | null): readonly Step[] {
  const idle = idleMs === null ? null : String(idleMs);
  const { name, key } = request;
  const [nameNumber, keyNumber] = lockNumbers(request);
  if (key === null) return [step(lockAndLookAtName, name, idle, nameNumber)];
  return [step(lockAndLookAtBoth, name, key, idle, nameNumber, keyNumber)];
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
      value: ([finish]) => ({ is: "ran", value: finished.value, at: numberOf(finish?.rows[0]?.["at"]) }),
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
    insertDone,
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

/** What stands under the names. `free`: nothing does, and this transaction holds them. */
async function meetLocked<Tx>(
  session: Session<Tx>,
  request: WorkRequest,
  [opened]: readonly Answer[],
): Promise<MetLocked> {
  const { name, key } = request;
  const [first] = opened?.rows ?? [];
  const isFree = numberOf(first?.["free"]) === 1;
  const running: MetLocked = { is: "running", since: numberOf(first?.["present"]), retryAfterMs: unboundedRetryMs };
  // this very transaction is at it: its own locks let it pass
  if (session.running.has(name) || (key !== null && session.running.has(key))) return running;
  // where nothing stands, its one row tells of the locks alone
  let rows = first?.["work"] === null ? [] : (opened?.rows ?? []);
  const lookAgain = async (...before: readonly Step[]) => {
    rows = (await session.run([...before, look(request)])).at(-1)?.rows ?? [];
  };
  for (;;) {
    const verdict = judge(rows, request);
    switch (verdict.is) {
      case "mismatch":
        return verdict;
      case "free":
        return isFree ? verdict : running;
      case "clear":
        if (!isFree) return running;
        await lookAgain(clear(request));
        continue;
    }
    const { work, unbound } = verdict;
    if (!unbound || key === null) return { is: "found", work, bound: false };
    // whoever holds the names may be about to bind it too
    if (!isFree) return running;
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
