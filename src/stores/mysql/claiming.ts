import type { Clock } from "../../base/clock.ts";
import { RepriseError } from "../../base/errors.ts";
import { pause } from "../../base/promise.ts";
import type {
  Acceptance,
  AcceptRequest,
  Atomic,
  Claim,
  ClaimRequest,
  Finished,
  Mismatch,
  WorkRequest,
} from "../../contract/ledger.ts";
import {
  asAccepted,
  asClaimed,
  insertOpen,
  insertWork,
  judge,
  type Looked,
  look,
  runningElsewhere,
  settleClaim,
  settleFound,
  type Tell,
  type WonAt,
} from "./claim.ts";
import { Conflict } from "./conflict.ts";
import type { Database } from "./database.ts";
import type { Connection } from "./driver.ts";
import { finishWork } from "./endings.ts";
import { instant } from "./records.ts";
import type { Transactional, Users } from "./transaction.ts";

/** A claim beside this one commits within milliseconds; what holds the name for longer is work in a transaction. */
const claimPatienceMs = 250;
/** Database work's own transaction is likely what holds the name, and to ask again costs its pool a connection. */
const atomicPatienceMs = 10;
/** What holds a row that is committed is a claim that binds or takes: each a commit, one after the other. */
const heldPatienceMs = 3_000;
const longestPauseMs = 8;
/** Whoever finds nothing in the way, and yet cannot insert, meets rivals that come and go. */
const rounds = 1_000;

/** `locked`: somebody holds a name of which nothing is committed; `held`: of which something is. */
type Waiting = "again" | "locked" | "held";
type Step = Exclude<Claim, { is: "won" }> | WonAt | Waiting;

/**
 * Claims external work. Every wait is a pause without a connection: a claim that others hold up must not keep them, or
 * anybody else, from the pool.
 */
export async function claimExternal(
  database: Database,
  ledger: string,
  clock: Clock,
  request: ClaimRequest,
): Promise<Claim> {
  const attempt = async (): Promise<Step> => {
    const step = await database.each("claim", async (connection) => {
      const inserted = await insertWork(connection, request, request);
      if (typeof inserted === "object") return inserted;
      return whileLocked(inserted, await lookAt(connection, request, asClaimed(request.attempt)));
    });
    if (step !== "write") return step;
    return database.write("claim", (connection) => settleClaim(connection, request, request, "for update"));
  };
  const step = await untilKnown(ledger, clock, claimPatienceMs, attempt);
  return "won" in step ? step.won : step;
}

/** Writes work down as open. Every wait is a pause without a connection, as a claim's is. */
export function acceptWork(
  database: Database,
  ledger: string,
  clock: Clock,
  request: AcceptRequest,
): Promise<Acceptance> {
  const tell = asAccepted(request);
  const attempt = async (): Promise<Acceptance | Waiting> => {
    const step = await database.each("accept", async (connection) => {
      const inserted = await insertOpen(connection, request);
      if (typeof inserted === "object") return inserted;
      return whileLocked(inserted, await lookAt(connection, request, tell));
    });
    if (step !== "write") return step;
    return database.write("accept", async (connection) => {
      const settled = await settleFound(connection, request, await look(connection, request, ""), tell);
      return typeof settled === "object" && "take" in settled ? "again" : settled;
    });
  };
  return untilKnown(ledger, clock, claimPatienceMs, attempt);
}

/** Claim, work and outcome in one transaction. What is found instead is judged, and cleared, outside of it. */
export function runAtomic<Tx, T>(
  options: {
    readonly database: Database;
    readonly transactions: Transactional<Tx>;
    readonly ledger: string;
    readonly clock: Clock;
  },
  request: WorkRequest,
  work: (tx: Tx) => Promise<Finished<T>>,
): Promise<Atomic<T>> {
  const { database, transactions, ledger, clock } = options;
  const attempt = async () => {
    const first = await transactions.begin("atomic", async (connection, users) => {
      const inserted = await database.step("claim", insertWork(connection, request, null));
      return typeof inserted === "string" ? inserted : finish(options, connection, users, request, inserted, work);
    });
    if (typeof first === "object") return first;
    const found = whileLocked(
      first,
      await database.each("claim", (connection) => lookAt(connection, request, asClaimed(undefined))),
    );
    if (found !== "write") return found;
    return transactions.begin("atomic", async (connection, users) => {
      const settled = await database.step("claim", settleClaim(connection, request, null, "for update"));
      if (settled === "again" || !("won" in settled)) return settled;
      return finish(options, connection, users, request, settled, work);
    });
  };
  return untilKnown(ledger, clock, atomicPatienceMs, attempt);
}

/** The same inside a transaction that the caller holds: whatever it finds is locked and judged in there. */
export function runJoined<Tx, T>(
  options: { readonly database: Database; readonly transactions: Transactional<Tx>; readonly clock: Clock },
  tx: Tx,
  request: WorkRequest,
  work: (tx: Tx) => Promise<Finished<T>>,
): Promise<Atomic<T>> {
  const { database, transactions, clock } = options;
  return transactions.nest(tx, async (connection, users) => {
    for (let round = 0; round < 3; round++) {
      const inserted = await database.step("claim", insertWork(connection, request, null));
      if (inserted === "locked") return runningElsewhere(clock.now());
      const settled =
        inserted === "taken"
          ? await database.step("claim", settleClaim(connection, request, null, "lock in share mode"))
          : inserted;
      if (settled === "again") continue;
      if (!("won" in settled)) return settled;
      return finish(options, connection, users, request, settled, work);
    }
    throw new Conflict();
  });
}

/**
 * `acceptWork` inside a transaction that the caller holds. What stands there is looked for first, and without a lock: the
 * caller would hold it until its end, that of an insert in vain too, while the work's owner waits to renew. So what its
 * snapshot does not show has to be met by a new one.
 */
export function acceptJoined<Tx>(
  {
    database,
    transactions,
    clock,
  }: {
    readonly database: Database;
    readonly transactions: Transactional<Tx>;
    readonly clock: Clock;
  },
  tx: Tx,
  request: AcceptRequest,
): Promise<Acceptance> {
  const tell: Tell<Acceptance> = asAccepted(request);
  return transactions.nest(tx, async (connection) => {
    for (let round = 0; round < 3; round++) {
      const looked = { ...(await database.step("accept", look(connection, request, ""))), inside: true };
      if (isEmpty(looked)) {
        const inserted = await database.step("accept", insertOpen(connection, request));
        if (inserted === "locked") return runningElsewhere(clock.now());
        if (inserted !== "taken") return inserted;
        continue;
      }
      const settled = await database.step("accept", settleFound(connection, request, looked, tell));
      if (settled !== "again" && !("take" in settled)) return settled;
    }
    throw new Conflict();
  });
}

async function untilKnown<S extends object>(
  ledger: string,
  clock: Clock,
  patienceMs: number,
  attempt: () => Promise<S | Waiting>,
): Promise<S | ReturnType<typeof runningElsewhere>> {
  const begun = clock.monotonic();
  for (let round = 0; round < rounds; round++) {
    const step = await attempt();
    if (typeof step === "object") return step;
    const waitedMs = clock.monotonic() - begun;
    if (waitedMs >= (step === "held" ? heldPatienceMs : patienceMs) && step !== "again")
      return runningElsewhere(clock.now());
    await pause(clock, Math.random() * longestPauseMs);
  }
  throw new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs: Math.round(clock.monotonic() - begun) });
}

/** What stands there instead. `write`: something is to be cleared, bound or taken. */
async function lookAt<T>(
  connection: Connection,
  request: WorkRequest,
  tell: Tell<T>,
): Promise<T | Mismatch | "again" | "write"> {
  const looked = await look(connection, request, "");
  const verdict = judge(looked, request, tell);
  if (verdict.is === "told") return verdict.claim;
  return isEmpty(looked) ? "again" : "write";
}

/** What is committed is told, though somebody holds it; what has to be written waits. */
function whileLocked<T extends object>(
  inserted: "taken" | "locked",
  found: T | "again" | "write",
): T | Waiting | "write" {
  if (inserted === "taken" || typeof found === "object") return found;
  return found === "again" ? "locked" : "held";
}

function isEmpty({ work, owner }: Looked): boolean {
  return work === undefined && owner === undefined;
}

async function finish<Tx, T>(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  connection: Connection,
  users: Users<Tx>,
  request: WorkRequest,
  { won, at }: WonAt,
  work: (tx: Tx) => Promise<Finished<T>>,
): Promise<Atomic<T>> {
  const begun = clock.monotonic();
  const finished = await users(work);
  // the store's clock at the claim, and the time since: what is told now is what a replay will tell
  const endedAt = at + Math.round((clock.monotonic() - begun) * 1_000);
  const done = await database.step("finish", finishWork(connection, won.fence, finished, request.keepMs, endedAt));
  if (!done) throw new Conflict();
  return { is: "ran", value: finished.value, at: instant(endedAt) };
}
