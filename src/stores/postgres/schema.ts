import { RepriseError } from "../../base/errors.ts";
import { functions } from "./functions.ts";

/**
 * Raised with every change that an earlier version cannot work beside; a schema of another version is refused. A table or
 * an index more is none: it is created where it is missing, so that a deployment can be rolled back.
 */
export const schemaVersion = "1";

/** A name as SQL takes it, whatever it holds. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `@` stands for where the tables are: `@work` is `"reprise".reprise_work`. */
export function inSchema(text: string, schema: string): string {
  return text.replaceAll("@", `${quoted(schema)}.reprise_`);
}

/**
 * What creates the tables where they are missing, in order. `create schema` is left out: it needs a privilege that a
 * ledger's role need not have where the schema is there.
 *
 * reprise_work.state: `o` open, `r` running, `u` unknown, `d` done, `k` a further key, whose work is `bound`. Database work
 * has no id of its own: it is written once, finished, and nothing hangs on it.
 *
 * An index on the state, also a partial one, would make every completion write all indexes anew: what changes while
 * work goes its ordinary way stands in none (heap-only updates), and rows have room for their next version. So open work is
 * known by `not_before`, which nothing else has, parked work by `effect`, and work that keeps its input by that.
 */
export function tables(schema: string): readonly string[] {
  return [...statements, ...functions].map((text) => inSchema(text, schema));
}

const statements = [
  `create table if not exists @meta (name text primary key, value text not null)`,
  `create table if not exists @work (
  created_at timestamptz not null, keep_until timestamptz not null, lease_until timestamptz, not_before timestamptz,
  ended_at timestamptz, cancelled_at timestamptz, progress_done float8, progress_total float8, name uuid not null, key uuid,
  bound uuid, id uuid, attempt uuid, parent uuid, intent uuid,
  token int not null default 1, resumes int not null default 0, print_v int, state "char" not null, refused boolean,
  print bytea, operation text collate "C", identity text, principal text, caller_key text, owner text,
  effect text, why text, input text, outcome text,
  constraint reprise_work_pkey primary key (name)) with (fillfactor = 85)`,
  `create unique index if not exists reprise_work_key on @work (key) where key is not null`,
  `create index if not exists reprise_work_bound on @work (bound) where bound is not null`,
  `create unique index if not exists reprise_work_id on @work (id) where id is not null`,
  `create index if not exists reprise_work_keep on @work (keep_until)`,
  `create index if not exists reprise_work_operation on @work (operation, created_at) where operation is not null`,
  `create index if not exists reprise_work_waiting on @work (created_at) where not_before is not null`,
  `create index if not exists reprise_work_parked on @work (created_at) where effect is not null`,
  `create index if not exists reprise_work_due on @work (operation, not_before)
  where not_before is not null and input is not null`,
  `create index if not exists reprise_work_input on @work (created_at)
  where input is not null and not_before is null and effect is null`,
  `create index if not exists reprise_work_intent on @work (intent, created_at) where intent is not null`,
  `create table if not exists @effect (
  started_at timestamptz not null, settle_at timestamptz not null, pinned_at timestamptz, id uuid not null,
  token int not null, kind "char" not null, state "char" not null, name text collate "C" not null, answer text,
  constraint reprise_effect_pkey primary key (id, name)) with (fillfactor = 85)`,
  `create index if not exists reprise_effect_started on @effect (started_at) where state = 's'`,
  `create table if not exists @attempt (
  at timestamptz not null, id uuid not null, token int not null, what text not null, owner text not null, why text,
  place bigint generated always as identity)`,
  `create index if not exists reprise_attempt_id on @attempt (id)`,
  `create table if not exists @journal (
  at double precision not null, resolution text not null, instance text not null, body text not null,
  constraint reprise_journal_pkey primary key (resolution, at, instance))`,
  `create table if not exists @write (
  version bigint not null, place bigint not null, claimed bigint, lease_until timestamptz, not_before timestamptz,
  failed_at timestamptz, dead_at timestamptz, attempt uuid, attempts int not null default 0,
  failures int not null default 0, state "char" not null, queue text collate "C" not null, key text collate "C" not null,
  scope text not null, value text not null, error text,
  constraint reprise_write_pkey primary key (queue, key)) with (fillfactor = 85)`,
  `create index if not exists reprise_write_place on @write (queue, place) where state = 'p'`,
  `create index if not exists reprise_write_attempt on @write (attempt) where attempt is not null`,
  `create index if not exists reprise_write_dead on @write (queue, dead_at) where state = 'd'`,
  `insert into @meta (name, value) values ('schema', '${schemaVersion}'), ('writes', '0') on conflict do nothing`,
];

/** @throws REPRISE_LEDGER_SCHEMA */
export function checkVersion(ledger: string, found: string | undefined): void {
  if (found === schemaVersion) return;
  throw new RepriseError("REPRISE_LEDGER_SCHEMA", { ledger, found: found ?? "none", expected: schemaVersion });
}
