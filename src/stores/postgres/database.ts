import { defaults } from "../../base/defaults.ts";
import type { Name } from "../../base/names.ts";
import type { Acceptance, AcceptRequest, Atomic, Claim, Finished, Won, WorkRequest } from "../../contract/ledger.ts";
import { bindHeld, clear, insertParams, insertWork, lockNumbers, type Met, shown } from "./claim.ts";
import type { Answer, OwnRow } from "./driver.ts";
import { park } from "./endings.ts";
import { functionNames } from "./functions.ts";
import { acceptedAs, judge, look, stored } from "./look.ts";
import { epochMs, interval, numberOf, textOrNull, workIdIn } from "./rows.ts";
import { type Ending, type Step, step } from "./server.ts";
import type { Session } from "./transaction.ts";

const { unboundedRetryMs } = defaults.ledger;
const parkedByAtomic = "work with effects of its own was claimed as database work";

/**
 * Nobody sees the row of an open transaction, and whoever inserted it too would wait for it: locks on both names say that
 * somebody is at it, at once. A lock of another's on the same number costs a false `running`, never a second run. They
 * go with the transaction, also when its session is ended because it idled: a process that stops must not hold them.
 */
const claim = `select * from @${functionNames.claim}($1::bigint, $2::bigint, $3::text, $4::uuid, $5::uuid)`;

const finish = `select @${functionNames.finish}($1::uuid, $2::uuid, $3::text, $4::int, $5::int, $6::text, $7::float8, $8::text,
  $9::text, $10::text, $11::text, $12::text, $13::uuid, $14::uuid) as at`;

/** External work of an earlier declaration that nobody is at, with the effect that it has, if any. */
const adopt = `select id, (select min(e.name) from @effect e where e.id = w.id) as effect from @work w
  where name = $1::uuid and (state = 'o' and coalesce(not_before, '-infinity') <= clock_timestamp()
    or state = 'r' and lease_until <= clock_timestamp()) for update skip locked`;

const finishAdopted = `update @work set state = 'd', outcome = $2, refused = $3::int = 1, ended_at = clock_timestamp(),
    keep_until = greatest(keep_until, clock_timestamp() + ${interval("$4")}), input = null, not_before = null, why = null,
    token = token + 1
  where name = $1::uuid returning ${epochMs("ended_at")} as at`;

/** What the transaction begins with: the locks on both names, then what stands there. */
export function opening(request: WorkRequest, idleMs: number | null): readonly Step[] {
  const idle = idleMs === null ? null : String(idleMs);
  return [step(claim, ...lockNumbers(request), idle, request.name, request.key)];
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
    finish,
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
  [claimed]: readonly Answer[],
): Promise<MetLocked> {
  const { name, key } = request;
  const rows = claimed?.rows ?? [];
  const isFree = numberOf(rows[0]?.["free"]) === 1;
  const running: MetLocked = { is: "running", since: numberOf(rows[0]?.["at"]), retryAfterMs: unboundedRetryMs };
  // this very transaction is at it: its own locks let it pass
  if (session.running.has(name) || (key !== null && session.running.has(key))) return running;
  // where nothing stands, its one row tells of the locks only
  let found: readonly OwnRow[] = rows.filter((row) => row["name"] !== null);
  const lookAfter = async (...steps: readonly Step[]) => {
    found = (await session.run([...steps, look(request)])).at(-1)?.rows ?? [];
  };
  for (;;) {
    const verdict = judge(found, request);
    switch (verdict.is) {
      case "mismatch":
        return verdict;
      case "free":
        return isFree ? verdict : running;
      case "clear":
        if (!isFree) return running;
        await lookAfter(clear(request));
        continue;
    }
    const { work, unbound } = verdict;
    if (!unbound || key === null) return { is: "found", work, bound: false };
    // whoever holds the names may be about to bind it too
    if (!isFree) return running;
    const [bound] = await session.run([bindHeld(request, key, work)]);
    if (bound?.count === 1) return { is: "found", work, bound: true };
    await lookAfter();
  }
}

/** It raises where another's stands: a claim by itself may have come between. */
const insertOpen = insertWork("o");

/** Work for later, written down in the transaction that holds its names. */
export async function acceptOnce<Tx>(
  session: Session<Tx>,
  request: AcceptRequest,
  answers: readonly Answer[],
): Promise<Ending<Acceptance>> {
  const met = await meetLocked(session, request, answers);
  if (met.is === "free") {
    const { id, input } = request;
    const steps = [
      step(`${insertOpen} returning ${epochMs("created_at")} as created`, ...insertParams(request, id, null, 0, input)),
    ];
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
