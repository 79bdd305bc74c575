import { defaults } from "../../base/defaults.ts";
import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import type { FindRequest, Finished, Mismatch, WorkRequest } from "../../contract/ledger.ts";
import type { Connection, Own } from "./driver.ts";
import { rowsOf, type WorkRow } from "./records.ts";
import { none, type Running } from "./running.ts";

/** How new work begins: somebody's, or nobody's yet. */
export interface Beginning {
  readonly id: WorkId;
  readonly attempt: AttemptId | null;
  readonly state: "o" | "r";
  readonly leaseUntil: number;
  readonly input: string | null;
}

const { keepAhead } = defaults.ledger;

/** In SQL, with the present for its parameter: past its keep, and no parent needs it that has a row. */
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

/** What stands under the names, with the key bound to it. `undefined`: they are free; what was past its keep is cleared. */
export function meetWork(
  connection: Connection,
  now: number,
  request: WorkRequest,
  running: Running = none,
): WorkRow | Mismatch | undefined {
  while (connection.get(isTaken, [request.name, request.key]) !== undefined) {
    const looked = look(connection, request.name, request.key, now, running);
    const { owner, past } = looked;
    const found = judge(looked, request);
    if (found !== undefined && "is" in found) return found;
    if (found === undefined || (owner !== undefined && owner !== request.name)) {
      clear(connection, request.key, past);
      continue;
    }
    if (request.key !== null && owner === undefined) bind(connection, now, request, request.key);
    return found;
  }
  return undefined;
}

/** What stands under the names. `undefined`: nothing that is kept. */
export function standingWork(
  connection: Connection,
  now: number,
  request: FindRequest,
): WorkRow | Mismatch | undefined {
  return judge(look(connection, request.name, request.key, now, none), request);
}

function judge({ work, owner, ownerAlive }: Looked, { name, print }: FindRequest): WorkRow | Mismatch | undefined {
  if (owner !== undefined && owner !== name && ownerAlive) return { is: "mismatch", firstSeen: null };
  if (work === undefined || work.over) return undefined;
  const isSame = work.print === print.hash && work.print_v === print.version;
  return isSame ? work : { is: "mismatch", firstSeen: work.created_at };
}

const common = "name, key, print, print_v, operation, identity, principal, caller_key, owner, parent, intent";

function commonOf({ name, key, print, about, parent, intent }: WorkRequest): readonly Own[] {
  const { operation, identity, principal, owner } = about;
  return [name, key, print.hash, print.version, operation, identity, principal, about.key, owner, parent, intent];
}

function insertWork(connection: Connection, now: number, request: WorkRequest, beginning: Beginning): boolean {
  const { id, attempt, state, leaseUntil, input } = beginning;
  const keepUntil = Math.ceil(now + request.keepMs * keepAhead);
  const changed = connection.run(
    `insert into reprise_work (${common}, id, attempt, state, lease_until, keep_until, input, created_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
    [...commonOf(request), id, attempt, state, leaseUntil, keepUntil, input, now],
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
  connection.run(
    `insert into reprise_work (${common}, state, outcome, refused, keep_until, created_at, ended_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'd', ?, ?, ?, ?, ?)`,
    [...commonOf(request), outcome, refused ? 1 : 0, now + request.keepMs, since, now],
  );
}

interface Looked {
  readonly work: (WorkRow & { readonly over: boolean }) | undefined;
  /** The work that the key belongs to; `undefined`: the key is free. */
  readonly owner: Name | undefined;
  readonly ownerAlive: boolean;
  /** Of all that was looked at, what is past its keep. */
  readonly past: readonly Pick<WorkRow, "name" | "id">[];
}

function look(connection: Connection, name: Name, key: Name | null, now: number, running: Running): Looked {
  const rows = rowsOf<WorkRow & { readonly past: 0 | 1 }>(
    connection.all(
      // with the work that a further key is bound to
      `select w.*, ${isOver("w")} as past from reprise_work w where w.name = ? or w.key = ?
         or w.name = (select bound from reprise_work where key = ?)`,
      [now, name, key, key],
    ),
    // a parent that the open transaction is at has no row yet
  ).map((row) => ({ ...row, over: row.past === 1 && (row.parent === null || !running.has(row.parent)) }));
  const past = rows.filter((row) => row.over);
  const work = rows.find((row) => row.name === name);
  const keyed = key === null ? undefined : rows.find((row) => row.key === key);
  if (keyed === undefined) return { work, owner: undefined, ownerAlive: false, past };
  const owner = keyed.bound ?? keyed.name;
  return { work, owner, ownerAlive: rows.some((row) => row.name === owner && !row.over), past };
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

/** Removes what is past its keep, and a key whose work is gone. */
function clear(connection: Connection, key: Name | null, past: Looked["past"]): void {
  for (const { name, id } of past) deleteWork(connection, name, id);
  connection.run(
    `delete from reprise_work where name = ? and state = 'k'
       and not exists (select 1 from reprise_work t where t.name = reprise_work.bound)`,
    [key],
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
