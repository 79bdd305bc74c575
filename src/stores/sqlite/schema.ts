import { RepriseError } from "../../base/errors.ts";
import type { Connection } from "./driver.ts";

/**
 * Raised with every change that an earlier version cannot work beside; a file of another version is refused. A table more
 * is none, nor is a column that may be null: it is created where it is missing, so that a deployment can be rolled back.
 */
export const schemaVersion = "1";

/**
 * Names and ids are hexadecimal text, instants milliseconds since the epoch. Rowid tables: the rows are wide, and rowid
 * order is the order of creation.
 *
 * reprise_work.state: `o` open, `r` running, `u` unknown, `d` done, `k` a further key, whose work is `bound`; progress: as
 * JSON; cancelled: 1, or null.
 */
const tables = `
create table if not exists reprise_meta (name text primary key, value text not null);
create table if not exists reprise_work (
  name text primary key, key text, bound text, id text, attempt text, token integer not null default 1,
  resumes integer not null default 0,
  print text, print_v integer, state text not null, lease_until integer, not_before integer,
  outcome text, refused integer, keep_until integer, input text, created_at integer not null, ended_at integer,
  effect text, why text, operation text, identity text, principal text, caller_key text, owner text,
  parent text, intent text, progress text, cancelled integer);
create unique index if not exists reprise_work_key on reprise_work (key) where key is not null;
create index if not exists reprise_work_bound on reprise_work (bound) where bound is not null;
create unique index if not exists reprise_work_id on reprise_work (id) where id is not null;
create index if not exists reprise_work_operation on reprise_work (operation, created_at) where operation is not null;
create index if not exists reprise_work_keep on reprise_work (keep_until) where state = 'd';
create index if not exists reprise_work_live on reprise_work (created_at) where state in ('o', 'r', 'u');
create table if not exists reprise_effect (
  id text not null, name text not null, kind text not null, state text not null, started_at integer not null,
  pinned_at integer, settle_at integer not null, token integer not null, answer text, primary key (id, name));
create table if not exists reprise_attempt (
  id text not null, at integer not null, what text not null, owner text not null, token integer not null, why text);
create index if not exists reprise_attempt_id on reprise_attempt (id);
create table if not exists reprise_journal (
  resolution text not null, at integer not null, instance text not null, body text not null,
  primary key (resolution, at, instance));
`;

/** Those that a file may lack. */
const laterColumns = { parent: "text", intent: "text", progress: "text", cancelled: "integer" };

/** Over columns that a file may lack. */
const intentIndex =
  "create index if not exists reprise_work_intent on reprise_work (intent, created_at) where intent is not null";

/**
 * A key's newest write that has not reached its source: `p` pending, `d` dead. `place` is the version that has been
 * waiting since, `claimed` the version that its claim took.
 */
const writeTables = `
create table if not exists reprise_write (
  queue text not null, key text not null, scope text not null, value text not null, version integer not null,
  place integer not null, state text not null, attempt text, lease_until integer, claimed integer,
  attempts integer not null default 0, failures integer not null default 0, not_before integer, failed_at integer,
  dead_at integer, error text, primary key (queue, key));
create index if not exists reprise_write_place on reprise_write (queue, place) where state = 'p';
create index if not exists reprise_write_attempt on reprise_write (attempt) where attempt is not null;
create index if not exists reprise_write_dead on reprise_write (queue, dead_at) where state = 'd';
`;

/** The file's schema version; `undefined` when it has no tables of ours. */
export function foundVersion(connection: Connection): string | undefined {
  const present = connection.all("select 1 from sqlite_master where type = 'table' and name = 'reprise_meta'", []);
  if (present.length === 0) return undefined;
  const [row] = connection.all("select value from reprise_meta where name = 'schema'", []);
  return row === undefined ? undefined : String(row["value"]);
}

/**
 * Creates what is missing, inside the caller's transaction.
 * @throws REPRISE_LEDGER_SCHEMA
 */
export function createTables(connection: Connection, ledger: string): void {
  if (foundVersion(connection) === undefined) {
    connection.exec(tables);
    connection.run("insert into reprise_meta (name, value) values ('schema', ?)", [schemaVersion]);
  }
  checkVersion(connection, ledger);
  const columns = connection.all("select name from pragma_table_info('reprise_work')", []).map((row) => row["name"]);
  for (const [column, type] of Object.entries(laterColumns)) {
    if (!columns.includes(column)) connection.exec(`alter table reprise_work add column ${column} ${type}`);
  }
  connection.exec(intentIndex);
  connection.exec(writeTables);
}

/** Whether the file has what was added last: every table, and the index over the latest columns. */
export function isComplete(connection: Connection): boolean {
  const added = "select 1 from sqlite_master where name in ('reprise_write', 'reprise_work_intent')";
  return connection.all(added, []).length === 2;
}

/** @throws REPRISE_LEDGER_SCHEMA */
export function checkVersion(connection: Connection, ledger: string): void {
  const found = foundVersion(connection);
  if (found !== schemaVersion) {
    throw new RepriseError("REPRISE_LEDGER_SCHEMA", { ledger, found: found ?? "none", expected: schemaVersion });
  }
}
