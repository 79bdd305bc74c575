import type { Clock } from "../../base/clock.ts";
import type { WorkId } from "../../base/names.ts";
import type { Atomic, Claim, Finished, Won, WorkRequest } from "../../contract/ledger.ts";
import { parkWork, stored } from "./claim.ts";
import { finishWork } from "./endings.ts";
import { insertDone, meetWork } from "./entry.ts";
import type { SqliteFile } from "./file.ts";
import { effectsOf, idOf, noteAttempt } from "./records.ts";
import { toldByRunning } from "./running.ts";
import type { Session, SqliteTransaction } from "./transaction.ts";

const parkedByAtomic = "work with effects of its own was claimed as database work";

/**
 * Claim, work and outcome in the open transaction, whose lock keeps everybody else from the names meanwhile. The row is
 * written once, finished: a commit waits for each page that it changed.
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
      if (claimed.adopted === null) insertDone(connection, since, at, request, finished);
      else finishWork(connection, at, claimed.adopted, finished, request.keepMs);
    });
    return { is: "ran", value: finished.value, at };
  } finally {
    for (const name of names) running.delete(name);
  }
}

/** `adopted`: external work of an earlier declaration that nobody is at. */
type Claimed = { readonly is: "mine"; readonly adopted: WorkId | null } | Exclude<Claim, Won>;

function claimWork({ connection, running }: Session, now: number, request: WorkRequest): Claimed {
  const told = toldByRunning(running, request);
  if (told !== undefined) return told;
  const found = meetWork(connection, now, request, running);
  if (found === undefined) return { is: "mine", adopted: null };
  if ("is" in found) return found;
  const answer = stored(found, now, undefined);
  if (answer !== undefined) return answer;
  const id = idOf(found);
  if (found.state === "r") noteAttempt(connection, id, "taken-over", now, null);
  const [first] = effectsOf(connection, id, now);
  if (first === undefined) {
    connection.run("update reprise_work set token = token + 1, owner = ? where id = ?", [request.about.owner, id]);
    return { is: "mine", adopted: id };
  }
  // database work completes over no effect: what happened under an earlier declaration is a person's
  parkWork(connection, now, id, first.effect, parkedByAtomic);
  return { is: "unknown", effect: first.effect, since: now };
}
