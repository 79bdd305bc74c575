import { defaults } from "../../base/defaults.ts";
import { type AttemptId, type Name, newAttemptId, newWorkId, type WorkId } from "../../base/names.ts";
import type {
  Acceptance,
  Accepted,
  AcceptRequest,
  Claim,
  ClaimRequest,
  FindRequest,
  Mismatch,
  Open,
  Running,
  Won,
  WorkRequest,
} from "../../contract/ledger.ts";
import { type Connection, isDuplicate } from "./driver.ts";
import { deleteWork, parkWork } from "./endings.ts";
import { bounded } from "./limits.ts";
import {
  bytes,
  bytesOrNull,
  clock,
  effectsOf,
  id16,
  instant,
  micros,
  noteAttempt,
  type Work,
  workColumns,
  workIdOf,
  workOf,
} from "./records.ts";
import { unlessLocked } from "./server.ts";

const { unboundedRetryMs, keepAhead } = defaults.ledger;
const parkedByAtomic = "work with effects of its own was claimed as database work";

/** What external work is claimed with. */
export type Lease = Pick<ClaimRequest, "attempt" | "leaseMs" | "input" | "resuming">;

/** A won claim, and the store's clock at the claim in microseconds. */
export interface WonAt {
  readonly won: Won;
  readonly at: number;
}

/** Somebody's open transaction holds one of the names: that it runs is all that is known, and promises nothing. */
export function runningElsewhere(now: number): Running {
  return { is: "running", since: now, retryAfterMs: unboundedRetryMs };
}

/** How external work begins. */
interface Beginning {
  readonly id: WorkId;
  readonly state: "running" | "open";
  readonly leaseMs: number;
  readonly input: string | null;
}
const letters = { running: "r", open: "o" } as const;

/** By column, in SQL; a parameter where it holds one. */
type Values = Readonly<Record<string, string>>;

function inserting(own: Values): string {
  const values: Values = {
    name: "?",
    key_name: "?",
    print: "?",
    print_version: "?",
    keep_until: `${clock} + ?`,
    created_at: clock,
    operation: "?",
    identity: "?",
    principal: "?",
    caller_key: "?",
    owner: "?",
    parent: "?",
    intent: "?",
    attempt: "?",
    ...own,
  };
  return `insert into reprise_work (${Object.keys(values).join(", ")}) values (${Object.values(values).join(", ")})`;
}

const insertExternal = inserting({ state: "?", id: "?", lease_until: `${clock} + ?`, input: "?" });
/** Done from the first: its own transaction finishes it, and nobody else sees it before. */
const insertDatabase = inserting({ state: "'d'" });

/**
 * The first step of every claim: one row with both names, or nothing; when it was written, in microseconds. Nothing is locked
 * before, for a lock on what is absent would hold up, or deadlock, whoever inserts beside it.
 */
async function insertRow(
  connection: Connection,
  { about, print, name, key, keepMs, parent, intent }: WorkRequest,
  attempt: AttemptId,
  beginning: Beginning | null,
): Promise<number | "taken" | "locked"> {
  const returning = connection.dialect === "mariadb";
  const text = beginning === null ? insertDatabase : insertExternal;
  const params = [
    id16(name),
    key === null ? null : id16(key),
    bounded(print.hash, 255, "print"),
    print.version,
    Math.ceil(micros(keepMs) * keepAhead),
    bounded(about.operation, 512, "operation"),
    bytes(about.identity),
    bytes(about.principal),
    bytesOrNull(about.key),
    bytes(about.owner),
    parent === null ? null : id16(parent),
    intent === null ? null : id16(intent),
    id16(attempt),
    ...(beginning === null
      ? []
      : [bytes(letters[beginning.state]), id16(beginning.id), micros(beginning.leaseMs), bytesOrNull(beginning.input)]),
  ];
  try {
    const result = await unlessLocked(connection, returning ? `${text} returning created_at` : text, params);
    if (result === "locked") return "locked";
    const { rows } = returning ? result : await connection.query(`select ${clock} as created_at`, []);
    return Number(rows[0]?.["created_at"]);
  } catch (error) {
    if (isDuplicate(error)) return "taken";
    throw error;
  }
}

/**
 * With a lease the work is running from now on; without one the caller finishes it in this same transaction, and it has no
 * id but its name.
 */
export async function insertWork(
  connection: Connection,
  request: WorkRequest,
  lease: Lease | null,
): Promise<WonAt | "taken" | "locked"> {
  const attempt = lease?.attempt ?? newAttemptId();
  const id = lease === null ? workIdOf(request.name) : newWorkId();
  const beginning = lease === null ? null : { ...lease, id, state: "running" as const };
  const at = await insertRow(connection, request, attempt, beginning);
  if (typeof at !== "number") return at;
  const fence = { name: request.name, id, attempt };
  return { won: { is: "won", fence, token: 1, resumes: 0, tookOver: false, cancelled: false, effects: [] }, at };
}

/** Nobody's yet. */
export async function insertOpen(
  connection: Connection,
  request: AcceptRequest,
): Promise<Accepted | "taken" | "locked"> {
  const { id, input } = request;
  const attempt = newAttemptId();
  const at = await insertRow(connection, request, attempt, { id, state: "open", leaseMs: 0, input });
  return typeof at === "number" ? { is: "accepted", id, since: instant(at), isNew: true } : at;
}

/** How rows are read: as committed, in a statement with a snapshot of its own, or locked, which reads the latest. */
export type Reading = "" | "lock in share mode" | "for update";

export interface Looked {
  /** Whether the rows were read inside the transaction that may have written them. */
  readonly inside: boolean;
  readonly isLocked: boolean;
  readonly work: Work | undefined;
  /** The work that the key belongs to; `undefined`: the key is free. */
  readonly owner: Name | undefined;
  readonly ownerAlive: boolean;
}

export async function look(connection: Connection, { name, key }: FindRequest, reading: Reading): Promise<Looked> {
  const one = (by: string) => `(select ${workColumns} from reprise_work where ${by} ${reading})`;
  const { rows } =
    key === null
      ? await connection.query(one("name = ?"), [id16(name)])
      : await connection.query(`${one("name = ?")} union all ${one("key_name = ? and name <> ?")}`, [
          id16(name),
          id16(key),
          id16(name),
        ]);
  const found = rows.map(workOf);
  const inside = reading !== "";
  const isLocked = inside;
  const work = found.find((one) => one.name === name);
  const keyed = key === null ? undefined : found.find((one) => one.key === key);
  if (keyed === undefined) return { inside, isLocked, work, owner: undefined, ownerAlive: false };
  if (keyed.bound === null) return { inside, isLocked, work, owner: keyed.name, ownerAlive: !isExpired(keyed) };
  if (keyed.bound === name)
    return { inside, isLocked, work, owner: name, ownerAlive: work !== undefined && !isExpired(work) };
  const bound = (await connection.query(one("name = ?"), [id16(keyed.bound)])).rows.map(workOf)[0];
  return { inside, isLocked, work, owner: keyed.bound, ownerAlive: bound !== undefined && !isExpired(bound) };
}

export type Verdict<T> =
  | { readonly is: "told"; readonly claim: T | Mismatch }
  /** Nothing is there, or only what is past its keep. */
  | { readonly is: "gone" }
  /** The key is to be bound, or the work taken. */
  | { readonly is: "write"; readonly work: Work };

/** What is told of work that stands there; `undefined`: it can be taken. */
export type Tell<T> = (work: Work, inside: boolean) => T | undefined;

export function asClaimed(attempt: string | undefined): Tell<Exclude<Claim, Won>> {
  return (work, inside) => stored(work, attempt, inside);
}

export function asAccepted(request: AcceptRequest): (work: Work, inside: boolean) => Acceptance {
  return (work, inside) => {
    const { id, state, keepsInput } = work;
    const since = instant(work.createdAt);
    if (keepsInput && (state === "o" || state === "r")) return { is: "accepted", id, since, isNew: id === request.id };
    return stored(work, undefined, inside) ?? { is: "running", since, retryAfterMs: unboundedRetryMs };
  };
}

export function judge<T>({ inside, work, owner, ownerAlive }: Looked, request: FindRequest, tell: Tell<T>): Verdict<T> {
  const isOthers = owner !== undefined && owner !== request.name;
  if (isOthers && ownerAlive) return { is: "told", claim: { is: "mismatch", firstSeen: null } };
  if (work === undefined || isExpired(work) || isOthers) return { is: "gone" };
  const { print } = request;
  if (work.print !== print.hash || work.printVersion !== print.version) {
    return { is: "told", claim: { is: "mismatch", firstSeen: instant(work.createdAt) } };
  }
  const claim = tell(work, inside);
  const isUnbound = request.key !== null && owner === undefined;
  return claim === undefined || isUnbound ? { is: "write", work } : { is: "told", claim };
}

/** What a claim would find. */
export function found(looked: Looked, request: FindRequest): Exclude<Claim, Won> | Open | null {
  const verdict = judge(looked, request, asClaimed(undefined));
  if (verdict.is === "told") return verdict.claim;
  if (verdict.is === "gone") return null;
  return (
    stored(verdict.work, undefined, false) ?? { is: "open", since: instant(verdict.work.createdAt), retryAfterMs: 0 }
  );
}

/**
 * Goes on where something was found, inside a transaction: clears what is past its keep, binds a further key. `again`:
 * nothing stands in the way any more; `take`: nobody is at the work.
 */
export async function settleFound<T>(
  connection: Connection,
  request: WorkRequest,
  looked: Looked,
  tell: Tell<T>,
): Promise<T | Mismatch | Running | "again" | { readonly take: Work }> {
  const verdict = judge(looked, request, tell);
  if (verdict.is === "told") return verdict.claim;
  if (verdict.is === "gone") {
    await clear(connection, request, looked.owner);
    return "again";
  }
  const { work } = verdict;
  if (request.key !== null && looked.owner === undefined) {
    const bound = await bind(connection, request, request.key, looked, work);
    if (bound === "gone") return "again";
    if (bound === "locked") return runningElsewhere(instant(work.now));
  }
  return tell(work, looked.inside) ?? { take: work };
}

/** The same for a claim, which takes what nobody is at. */
export async function settleClaim(
  connection: Connection,
  request: WorkRequest,
  lease: Lease | null,
  reading: Exclude<Reading, "">,
): Promise<Exclude<Claim, Won> | WonAt | "again"> {
  const looked = await look(connection, request, reading);
  const settled = await settleFound(connection, request, looked, asClaimed(lease?.attempt));
  if (settled === "again" || !("take" in settled)) return settled;
  return take(connection, request, lease, settled.take);
}

/** A child is cleared by the sweep alone, which looks after its parent. */
function isExpired(work: Work): boolean {
  return work.state === "d" && work.keepUntil <= work.now && !work.isChild;
}

/** What is answered without running; `undefined`: the work can be taken. */
function stored(work: Work, attempt: string | undefined, inside: boolean): Exclude<Claim, Won> | undefined {
  const since = instant(work.createdAt);
  const leftMs = (until: number) => Math.ceil((until - work.now) / 1_000);
  switch (work.state) {
    case "d":
      // without an outcome it is this very transaction's, still at work; or the work has committed it by itself
      if (work.outcome === null && inside) return { is: "running", since, retryAfterMs: unboundedRetryMs };
      if (work.outcome === null) return { is: "unknown", effect: "(commit)", since };
      return { is: "done", outcome: work.outcome, at: instant(work.endedAt ?? work.createdAt) };
    case "u":
      return { is: "unknown", effect: work.effect ?? "", since: instant(work.endedAt ?? work.createdAt) };
    case "r":
      if (work.leaseUntil <= work.now || work.attempt === attempt) return undefined;
      return { is: "running", since, retryAfterMs: leftMs(work.leaseUntil) };
    default:
      return work.notBefore > work.now ? { is: "running", since, retryAfterMs: leftMs(work.notBefore) } : undefined;
  }
}

/**
 * A further key lives as long as its work, so the work must live as long as this key's promise. In a transaction that goes on,
 * the row of work that is not done is left to its owner, and is kept from its end on. `gone`: the work is another's meanwhile,
 * or the key is; `locked`: an open transaction is at either.
 */
async function bind(
  connection: Connection,
  request: WorkRequest,
  key: Name,
  { inside, isLocked }: Looked,
  { state, id }: Work,
): Promise<"bound" | "gone" | "locked"> {
  const raises = isLocked || !inside || state === "d";
  if (raises && !isLocked) {
    const locking = "select 1 as held from reprise_work where name = ? and id = ? for update";
    const held = await unlessLocked(connection, locking, [id16(request.name), id16(id)]);
    if (held === "locked") return held;
    if (held.rows.length === 0) return "gone";
  }
  try {
    const inserted = await unlessLocked(
      connection,
      `insert into reprise_work (name, key_name, bound, state, created_at) values (?, ?, ?, 'k', ${clock})`,
      [id16(key), id16(key), id16(request.name)],
    );
    if (inserted === "locked") return inserted;
  } catch (error) {
    if (isDuplicate(error)) return "gone";
    throw error;
  }
  if (!raises) return "bound";
  await connection.query(`update reprise_work set keep_until = greatest(keep_until, ${clock} + ?) where name = ?`, [
    micros(request.keepMs),
    id16(request.name),
  ]);
  return "bound";
}

async function take(
  connection: Connection,
  request: WorkRequest,
  lease: Lease | null,
  work: Work,
): Promise<Exclude<Claim, Won> | WonAt> {
  const attempt = lease?.attempt ?? newAttemptId();
  const fence = { name: work.name, id: work.id, attempt };
  const at = work.now;
  const effects = await effectsOf(connection, work.id);
  if (work.state === "r" && work.attempt === attempt) {
    // the first answer was lost
    if (lease !== null) {
      await connection.query(`update reprise_work set lease_until = ${clock} + ? where name = ?`, [
        micros(lease.leaseMs),
        id16(work.name),
      ]);
    }
    const { token, resumes, isCancelled: cancelled } = work;
    return { won: { is: "won", fence, token, resumes, tookOver: false, cancelled, effects }, at };
  }
  const [first] = effects;
  if (lease === null && first !== undefined) {
    // database work completes over no effect: what happened under an earlier declaration is a person's
    const parked = await parkWork(connection, work, first.effect, parkedByAtomic);
    return parked ? { is: "unknown", effect: first.effect, since: instant(at) } : runningElsewhere(instant(at));
  }
  const tookOver = work.state === "r";
  const resumes = work.resumes + (lease?.resuming === true ? 1 : 0);
  // while an owner's transaction is open it holds the fence, though its lease be over
  const taken = await unlessLocked(
    connection,
    `update reprise_work set attempt = ?, token = token + 1, resumes = ?, state = ?,
       lease_until = ${lease === null ? "null" : `${clock} + ?`}, not_before = null, input = coalesce(input, ?), owner = ?
     where name = ?`,
    [
      id16(attempt),
      resumes,
      bytes(lease === null ? "d" : "r"),
      ...(lease === null ? [] : [micros(lease.leaseMs)]),
      bytesOrNull(lease?.input ?? null),
      bytes(request.about.owner),
      id16(work.name),
    ],
  );
  if (taken === "locked") return runningElsewhere(instant(at));
  if (tookOver) await noteAttempt(connection, work, "taken-over", null);
  const { isCancelled: cancelled } = work;
  return { won: { is: "won", fence, token: work.token + 1, resumes, tookOver, cancelled, effects }, at };
}

/** Removes what stands in the way and is past its keep: the work, the key's other work, a key whose work is gone. */
async function clear(connection: Connection, request: FindRequest, owner: Name | undefined): Promise<void> {
  for (const name of new Set([request.name, owner ?? request.name])) {
    const { rows } = await connection.query(
      `select ${workColumns} from reprise_work where name = ? and state = 'd' and keep_until <= ${clock}
         and parent is null for update`,
      [id16(name)],
    );
    const [expired] = rows.map(workOf);
    if (expired !== undefined) await deleteWork(connection, [expired]);
  }
  if (request.key === null) return;
  await connection.query(
    `delete from reprise_work where name = ? and state = 'k'
       and not exists (select 1 from (select name from reprise_work where name = ?) as other)`,
    [id16(request.key), id16(owner ?? request.name)],
  );
}
