import { RepriseError } from "../../base/errors.ts";
import { type Connection, isTableMissing } from "./driver.ts";
import { bytes, textOf } from "./records.ts";

/**
 * Raised with every change that an earlier version cannot work beside; tables of another version are refused. A table more
 * is none: it is created where it is missing, so that a deployment can be rolled back.
 */
export const schemaVersion = "1";

/**
 * Every statement that makes the tables, in order; each may run again, and in several instances at once.
 *
 * Names and ids are 16 bytes, so that no collation compares them. Text is kept as its bytes in UTF-8. Instants are
 * microseconds since the epoch, so that no session's time zone moves them.
 *
 * reprise_work.state: `o` open, `r` running, `u` unknown, `d` done, `k` a further key, whose work is `bound`.
 *
 * reprise_work_fence holds all that a fence asks about, in a unique index: an owner's transaction locks its one entry and
 * not the row, so that its heartbeat goes on, and no gap, so that other work can be claimed; whoever takes the work over or
 * ends it must change that entry.
 *
 * reprise_write is a key's newest write that has not reached its source: `p` pending, `d` dead; its name is the hash of
 * queue and key. `place` is the version that has been waiting since, `claimed` the version that its claim took.
 */
export const mysqlSchema: readonly string[] = [
  `create table if not exists reprise_meta (
  name varbinary(64) not null primary key, value varbinary(255) not null) engine=InnoDB`,
  `create table if not exists reprise_work (
  name binary(16) not null primary key, key_name binary(16), bound binary(16), id binary(16), attempt binary(16),
  token int unsigned not null default 1, resumes int unsigned not null default 0, print varbinary(255),
  print_version int unsigned, state char(1) character set ascii collate ascii_bin not null, lease_until bigint,
  not_before bigint, outcome longblob, refused tinyint unsigned, keep_until bigint, input longblob,
  created_at bigint not null, ended_at bigint, cancelled_at bigint, progress_done double, progress_total double,
  parent binary(16), intent binary(16), effect longblob, why longblob, operation varbinary(512),
  identity longblob, principal longblob, caller_key longblob, owner longblob,
  unique key reprise_work_key (key_name), unique key reprise_work_fence (id, attempt, state),
  key reprise_work_bound (bound), key reprise_work_keep (keep_until), key reprise_work_state (state, created_at),
  key reprise_work_operation (operation, created_at), key reprise_work_intent (intent, created_at)) engine=InnoDB
  row_format=dynamic`,
  `create table if not exists reprise_effect (
  id binary(16) not null, name varbinary(767) not null, kind varchar(16) character set ascii collate ascii_bin not null,
  state char(1) character set ascii collate ascii_bin not null, started_at bigint not null, pinned_at bigint,
  settle_at bigint not null, token int unsigned not null, answer longblob, primary key (id, name)) engine=InnoDB
  row_format=dynamic`,
  `create table if not exists reprise_attempt (
  number bigint unsigned not null auto_increment primary key, id binary(16) not null, at bigint not null,
  what varchar(16) character set ascii collate ascii_bin not null, owner longblob not null, token int unsigned not null,
  why longblob, key reprise_attempt_id (id)) engine=InnoDB`,
  `create table if not exists reprise_journal (
  resolution varchar(16) character set ascii collate ascii_bin not null, at bigint not null, instance varbinary(255) not null,
  body longblob not null, primary key (resolution, at, instance)) engine=InnoDB`,
  `create table if not exists reprise_write (
  name binary(16) not null primary key, queue binary(16) not null, key_text longblob not null, scope longblob not null,
  value longblob not null, version bigint not null, place bigint not null,
  state char(1) character set ascii collate ascii_bin not null, attempt binary(16), lease_until bigint, claimed bigint,
  attempts int unsigned not null default 0, failures int unsigned not null default 0, not_before bigint, failed_at bigint,
  dead_at bigint, error longblob, key reprise_write_place (queue, state, place), key reprise_write_attempt (attempt),
  key reprise_write_dead (queue, state, dead_at)) engine=InnoDB`,
];

const tables = ["meta", "work", "effect", "attempt", "journal", "write"].map((one) => `'reprise_${one}'`);

/**
 * Creates what is missing, and nothing where another version's tables are. Whoever may not create tables can still use
 * those that are there.
 * @throws REPRISE_LEDGER_SCHEMA
 */
export async function createTables(connection: Connection, ledger: string): Promise<void> {
  const [meta, ...others] = mysqlSchema;
  const present = await connection.query(
    `select count(*) as present from information_schema.tables
     where table_schema = database() and table_name in (${tables.join(", ")})`,
    [],
  );
  const complete = Number(present.rows[0]?.["present"]) === tables.length;
  if (!complete && meta !== undefined) await connection.query(meta, []);
  // nothing to swallow: both values are constants that fit
  if (!complete) await connection.query(`insert ignore into reprise_meta (name, value) values ${versionRow}`, []);
  const found = await foundVersion(connection);
  if (found !== schemaVersion) {
    throw new RepriseError("REPRISE_LEDGER_SCHEMA", { ledger, found: found ?? "none", expected: schemaVersion });
  }
  if (!complete) for (const statement of others) await connection.query(statement, []);
}

const versionRow = `('schema', '${schemaVersion}'), ('writes', '0')`;

async function foundVersion(connection: Connection): Promise<string | undefined> {
  try {
    const { rows } = await connection.query("select value from reprise_meta where name = ?", [bytes("schema")]);
    return rows[0] === undefined ? undefined : textOf(rows[0]["value"]);
  } catch (error) {
    if (isTableMissing(error)) return undefined;
    throw error;
  }
}
