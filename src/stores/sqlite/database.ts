import type { Clock } from "../../base/clock.ts";
import type { Atomic, Claim, Finished, Won, WorkRequest } from "../../contract/ledger.ts";
import { parkWork, stored } from "./claim.ts";
import type { Connection } from "./driver.ts";
import { insertDone, meetWork } from "./entry.ts";
import type { SqliteFile } from "./file.ts";
import { effectsOf, idOf, noteAttempt } from "./records.ts";
import { toldByRunning } from "./running.ts";
import type { Session, SqliteTransaction } from "./transaction.ts";

const parkedByAtomic = "work with effects of its own was claimed as database work";

/**
 * Claim, work and outcome in the transaction that is open. It holds the writer's lock, so that nobody enters the names
 * meanwhile, and the row is written once, finished: each page that a commit changes has to reach the disk.
 */
export async function runOnce<T>(
  { step }: Pick<SqliteFile, "step">,
  clock: Clock,
  session: Session,
  request: WorkRequest,
  work: (tx: SqliteTransaction) => Promise<Finished<T>>,
): Promise<Atomic<T>> {
  const { connection, running, hand } = session;
  const since = clock.now();
  const claimed = step("claim", () => claimWork(session, since, request));
  if (claimed.is !== "mine") return claimed;
  const names = request.key === null ? [request.name] : [request.name, request.key];
  for (const name of names) running.set(name, { request, since });
  try {
    const finished = await hand(work);
    const at = clock.now();
    step("finish", () => {
      if (claimed.adopted) finishAdopted(connection, at, request, finished);
      else insertDone(connection, since, at, request, finished);
    });
    return { is: "ran", value: finished.value, at };
  } finally {
    for (const name of names) running.delete(name);
  }
}

/** `adopted`: external work of an earlier declaration that nobody is at. */
type Claimed = { readonly is: "mine"; readonly adopted: boolean } | Exclude<Claim, Won>;

function claimWork({ connection, running }: Session, now: number, request: WorkRequest): Claimed {
  const told = toldByRunning(running, request);
  if (told !== undefined) return told;
  const found = meetWork(connection, now, request, running);
  if (found === undefined) return { is: "mine", adopted: false };
  if ("is" in found) return found;
  const answer = stored(found, now, undefined);
  if (answer !== undefined) return answer;
  const id = idOf(found);
  if (found.state === "r") noteAttempt(connection, id, "taken-over", now, null);
  const [first] = effectsOf(connection, id, now);
  if (first === undefined) return { is: "mine", adopted: true };
  // database work completes over no effect: what happened under an earlier declaration is a person's
  parkWork(connection, now, id, first.effect, parkedByAtomic);
  return { is: "unknown", effect: first.effect, since: now };
}

function finishAdopted(
  connection: Connection,
  now: number,
  { name, keepMs, about }: WorkRequest,
  { outcome, refused }: Finished<unknown>,
): void {
  connection.run(
    `update reprise_work set state = 'd', outcome = ?, refused = ?, ended_at = ?, keep_until = max(keep_until, ?),
       token = token + 1, owner = ?, lease_until = null, not_before = null, input = null, why = null where name = ?`,
    [outcome, refused ? 1 : 0, now, now + keepMs, about.owner, name],
  );
}
