import type { Name } from "../../base/names.ts";
import type { Acceptance, AcceptRequest, Atomic, Claim, Finished, Won, WorkRequest } from "../../contract/ledger.ts";
import { bindHeld, clear, type Met } from "./claim.ts";
import { type Entered, finishing, opening } from "./database-steps.ts";
import type { Answer } from "./driver.ts";
import { park } from "./endings.ts";
import { insertParams, insertWork } from "./insert.ts";
import { acceptedAs, judge, stored, unboundedRetryMs } from "./look.ts";
import { epochMs, isOpen, numberOf, textOrNull, workIdIn } from "./rows.ts";
import { type Ending, step } from "./server.ts";
import type { Session } from "./transaction.ts";

const parkedByAtomic = "work with effects of its own was claimed as database work";

/** External work of an earlier declaration that nobody is at, with the effect that it has, if any. */
const adopt = `select id, (select min(e.name) from @effect e where e.id = w.id) as effect from @work w
  where name = $1::uuid and (state = 'o' and coalesce(not_before, '-infinity') <= clock_timestamp()
    or state = 'r' and lease_until <= clock_timestamp()) for update skip locked`;

export type Claimed =
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

export async function claimWork<Tx>(
  session: Session<Tx>,
  request: WorkRequest,
  opened: readonly Answer[],
): Promise<Claimed> {
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
  for (let answer = opened; ; ) {
    const told = textOrNull(answer?.rows[0]?.["answer"]);
    if (told === null) return { is: "free" };
    const { isheld, present: since, rows } = JSON.parse(told) as Entered;
    const verdict = judge(rows, request);
    if (verdict.is === "mismatch") return verdict;
    if (verdict.is === "found" && (!verdict.unbound || key === null)) {
      return { is: "found", work: verdict.work, bound: false };
    }
    // whoever holds the names may be about to clear them, or to bind the key
    if (!isheld || verdict.is === "free") return { is: "running", since, retryAfterMs: unboundedRetryMs };
    const change = verdict.is === "found" && key !== null ? bindHeld(request, key, verdict.work) : clear(request);
    // entered again: under an old snapshot nothing but that tells that the names are free
    const [changed, again] = await session.run([change, ...opening(request, null)]);
    if (verdict.is === "found" && changed?.count === 1) return { is: "found", work: verdict.work, bound: true };
    answer = again;
  }
}

/** It raises where another's stands: a claim by itself may have come between; and where the transaction has ended. */
const insertOpen = insertWork("o", `returning ${epochMs("created_at")} as created, ${isOpen} as open`);

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
