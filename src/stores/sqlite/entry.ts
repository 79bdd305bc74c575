import { defaults } from "../../base/defaults.ts";
import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import type { FindRequest, Finished, Mismatch, WorkRequest } from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { rowsOf, type WorkRow } from "./records.ts";
import { isAtParent, none, type Running } from "./running.ts";

/** How new work begins: somebody's, or nobody's yet. */
export interface Beginning {
  readonly id: WorkId;
  readonly attempt: AttemptId | null;
  readonly state: "o" | "r";
  readonly leaseUntil: number;
  readonly input: string | null;
}

const { keepAhead } = defaults.ledger;

/**
 * In SQL, with the present for its parameter: past its keep, and no parent needs it. A parent that the open transaction is
 * at has no row yet: see `isAtParent`.
 */
export function isOver(work: string): string {
  return `${work}.state = 'd' and ${work}.keep_until <= ? and not exists (
    select 1 from reprise_work p where p.name = ${work}.parent and p.state <> 'd')`;
}

/**
 * Enters the work under its names, inside the caller's immediate transaction: nothing interleaves. `undefined`: it is
 * entered; else what stands there.
 */
export function enterWork(
  connection: Connection,
  now: number,
  request: WorkRequest,
  beginning: Beginning,
  running: Running = none,
): WorkRow | Mismatch | undefined {
  while (!insertWork(connection, now, request, beginning)) {
    const found = meetWork(connection, now, request, running);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isTaken = "select 1 from reprise_work where name = ? or key = ? limit 1";

/**
 * What stands under the names, the key bound to it. What is past its keep is cleared. `undefined`: they are free, as long
 * as the caller's immediate transaction is open.
 */
export function meetWork(
  connection: Connection,
  now: number,
  request: WorkRequest,
  running: Running = none,
): WorkRow | Mismatch | undefined {
  while (connection.get(isTaken, [request.name, request.key]) !== undefined) {
    const { work, owner, ownerAlive } = look(connection, request.name, request.key, now, running);
    if (owner !== undefined && owner !== request.name && ownerAlive) return { is: "mismatch", firstSeen: null };
    if (work === undefined || work.over || (owner !== undefined && owner !== request.name)) {
      clear(connection, now, request, owner, running);
      continue;
    }
    if (!samePrint(work, request)) return { is: "mismatch", firstSeen: work.created_at };
    if (request.key !== null && owner === undefined) bind(connection, now, request, request.key);
    return work;
  }
  return undefined;
}

/** What stands under the names. `undefined`: nothing that is kept. */
export function standingWork(
  connection: Connection,
  now: number,
  request: FindRequest,
): WorkRow | Mismatch | undefined {
  const { work, owner, ownerAlive } = look(connection, request.name, request.key, now);
  if (owner !== undefined && owner !== request.name && ownerAlive) return { is: "mismatch", firstSeen: null };
  if (work === undefined || work.over) return undefined;
  return samePrint(work, request) ? work : { is: "mismatch", firstSeen: work.created_at };
}

function insertWork(connection: Connection, now: number, request: WorkRequest, beginning: Beginning): boolean {
  const { about, print } = request;
  const changed = connection.run(
    `insert into reprise_work (name, key, id, attempt, print, print_v, state, lease_until, keep_until, input,
       created_at, operation, identity, principal, caller_key, owner, parent, intent)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
    [
      request.name,
      request.key,
      beginning.id,
      beginning.attempt,
      print.hash,
      print.version,
      beginning.state,
      beginning.leaseUntil,
      Math.ceil(now + request.keepMs * keepAhead),
      beginning.input,
      now,
      about.operation,
      about.identity,
      about.principal,
      about.key,
      about.owner,
      request.parent,
      request.intent,
    ],
  );
  return changed === 1;
}

/** Finished work, written once. It raises where other work stands: two outcomes must not be kept. */
export function insertDone(
  connection: Connection,
  since: number,
  now: number,
  request: WorkRequest,
  { outcome, refused }: Pick<Finished<unknown>, "outcome" | "refused">,
): void {
  const { about, print } = request;
  connection.run(
    `insert into reprise_work (name, key, print, print_v, state, outcome, refused, keep_until, created_at, ended_at,
       operation, identity, principal, caller_key, owner, parent, intent)
     values (?, ?, ?, ?, 'd', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      request.name,
      request.key,
      print.hash,
      print.version,
      outcome,
      refused ? 1 : 0,
      now + request.keepMs,
      since,
      now,
      about.operation,
      about.identity,
      about.principal,
      about.key,
      about.owner,
      request.parent,
      request.intent,
    ],
  );
}

interface Looked {
  readonly work: (WorkRow & { readonly over: boolean }) | undefined;
  /** The work that the key belongs to; `undefined`: the key is free. */
  readonly owner: Name | undefined;
  readonly ownerAlive: boolean;
}

function look(connection: Connection, name: Name, key: Name | null, now: number, running: Running = none): Looked {
  const rows = rowsOf<WorkRow & { readonly past: 0 | 1 }>(
    connection.all(
      // with the work that a further key is bound to
      `select w.*, ${isOver("w")} as past from reprise_work w where w.name = ? or w.key = ?
         or w.name = (select bound from reprise_work where key = ?)`,
      [now, name, key, key],
    ),
  ).map((row) => ({ ...row, over: row.past === 1 && !isAtParent(running, row) }));
  const work = rows.find((row) => row.name === name);
  const keyed = key === null ? undefined : rows.find((row) => row.key === key);
  if (keyed === undefined) return { work, owner: undefined, ownerAlive: false };
  const owner = keyed.bound ?? keyed.name;
  return { work, owner, ownerAlive: rows.some((row) => row.name === owner && !row.over) };
}

function samePrint(work: WorkRow, request: FindRequest): boolean {
  return work.print === request.print.hash && work.print_v === request.print.version;
}

/** A further key lives as long as its work, so the work must live as long as this key's promise. */
function bind(connection: Connection, now: number, request: WorkRequest, key: Name): void {
  connection.run("update reprise_work set keep_until = max(keep_until, ?) where name = ?", [
    now + request.keepMs,
    request.name,
  ]);
  connection.run("insert into reprise_work (name, key, bound, state, created_at) values (?, ?, ?, 'k', ?)", [
    key,
    key,
    request.name,
    now,
  ]);
}

/** Removes what stands in the way and is past its keep: the work, the key's other work, a key whose work is gone. */
function clear(
  connection: Connection,
  now: number,
  request: FindRequest,
  owner: Name | undefined,
  running: Running,
): void {
  for (const name of new Set([request.name, owner ?? request.name])) {
    const [expired] = rowsOf<Pick<WorkRow, "id" | "parent">>(
      connection.all(`select id, parent from reprise_work w where name = ? and ${isOver("w")}`, [name, now]),
    );
    if (expired !== undefined && !isAtParent(running, expired)) deleteWork(connection, name, expired.id);
  }
  connection.run(
    `delete from reprise_work where name = ? and state = 'k'
       and not exists (select 1 from reprise_work t where t.name = reprise_work.bound)`,
    [request.key],
  );
}

/** Deletes work with everything that hangs on it. */
export function deleteWork(connection: Connection, name: Name, id: WorkId | null): void {
  if (id !== null) {
    connection.run("delete from reprise_effect where id = ?", [id]);
    connection.run("delete from reprise_attempt where id = ?", [id]);
  }
  connection.run("delete from reprise_work where bound = ?", [name]);
  connection.run("delete from reprise_work where name = ?", [name]);
}
