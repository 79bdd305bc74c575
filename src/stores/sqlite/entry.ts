import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import type { FindRequest, Mismatch, WorkRequest } from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { rowsOf, type WorkRow } from "./records.ts";

/** How new work begins: somebody's, or nobody's yet. */
export interface Beginning {
  readonly id: WorkId;
  readonly attempt: AttemptId | null;
  readonly state: "o" | "r" | "d";
  readonly leaseUntil: number | null;
  readonly input: string | null;
}

/** A claim keeps so much more than asked, so that completion seldom has to move the index. */
const keepAhead = 1.01;

/** In SQL, with the present for its parameter: past its keep, and no parent needs it. Without an outcome a parent is at work. */
export function isOver(work: string): string {
  return `${work}.state = 'd' and ${work}.keep_until <= ? and not exists (
    select 1 from reprise_work p where p.name = ${work}.parent and (p.state <> 'd' or p.outcome is null))`;
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
): WorkRow | Mismatch | undefined {
  while (!insertWork(connection, now, request, beginning)) {
    const { work, owner, ownerAlive } = look(connection, request.name, request.key, now);
    if (owner !== undefined && owner !== request.name && ownerAlive) return { is: "mismatch", firstSeen: null };
    if (work === undefined || work.over === 1 || (owner !== undefined && owner !== request.name)) {
      clear(connection, now, request, owner);
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
  if (work === undefined || work.over === 1) return undefined;
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

interface Looked {
  readonly work: (WorkRow & { readonly over: 0 | 1 }) | undefined;
  /** The work that the key belongs to; `undefined`: the key is free. */
  readonly owner: Name | undefined;
  readonly ownerAlive: boolean;
}

function look(connection: Connection, name: Name, key: Name | null, now: number): Looked {
  const rows = rowsOf<WorkRow & { readonly over: 0 | 1; readonly bound_alive: 0 | 1 }>(
    connection.all(
      `select w.*, ${isOver("w")} as over,
         exists (select 1 from reprise_work t where t.name = w.bound and not (${isOver("t")})) as bound_alive
       from reprise_work w where w.name = ? or w.key = ?`,
      [now, now, name, key],
    ),
  );
  const work = rows.find((row) => row.name === name);
  const keyed = key === null ? undefined : rows.find((row) => row.key === key);
  if (keyed === undefined) return { work, owner: undefined, ownerAlive: false };
  const ownerAlive = keyed.bound === null ? keyed.over === 0 : keyed.bound_alive === 1;
  return { work, owner: keyed.bound ?? keyed.name, ownerAlive };
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
function clear(connection: Connection, now: number, request: FindRequest, owner: Name | undefined): void {
  for (const name of new Set([request.name, owner ?? request.name])) {
    const [expired] = rowsOf<Pick<WorkRow, "id">>(
      connection.all(`select id from reprise_work w where name = ? and ${isOver("w")}`, [name, now]),
    );
    if (expired !== undefined) deleteWork(connection, name, expired.id);
  }
  connection.run(
    `delete from reprise_work where name = ? and state = 'k'
       and not exists (select 1 from reprise_work t where t.name = reprise_work.bound)`,
    [request.key],
  );
}

/** Deletes work with everything that hangs on it. */
export function deleteWork(connection: Connection, name: Name, id: WorkId): void {
  connection.run("delete from reprise_effect where id = ?", [id]);
  connection.run("delete from reprise_attempt where id = ?", [id]);
  connection.run("delete from reprise_work where bound = ?", [name]);
  connection.run("delete from reprise_work where name = ?", [name]);
}
