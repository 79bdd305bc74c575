import { columnsText, type Statements, type Table } from "../schema.ts";

/**
 * Raised with every change that an earlier version cannot work beside; a file of another version is refused. A table, an
 * index or a `later` column more is none: it is created where it is missing, so that a deployment can be rolled back.
 */
export const schemaVersion = "1";

/**
 * Names and ids are hexadecimal text, instants milliseconds since the epoch. Rowid tables: the rows are wide, and rowid
 * order is the order in which they were written.
 *
 * reprise_work.id: null of database work, which is written once, finished: nothing hangs on it. state: `o` open, `r` running, `u` unknown, `d` done, `k` a further key, whose work is `bound`; progress: as
 * JSON; cancelled: 1, or null.
 *
 * reprise_write is a key's newest write that has not reached its source: `p` pending, `d` dead. `place` is the version that
 * has been waiting since, `claimed` the version that its claim took.
 *
 * reprise_lease.until: null once it is released; the row stays for its token.
 */
export const tables: readonly Table[] = [
  {
    name: "reprise_meta",
    columns: { name: "text", value: "text not null" },
    primaryKey: "(name)",
  },
  {
    name: "reprise_work",
    columns: {
      name: "text",
      key: "text",
      bound: "text",
      id: "text",
      attempt: "text",
      token: "integer not null default 1",
      resumes: "integer not null default 0",
      print: "text",
      print_v: "integer",
      state: "text not null",
      lease_until: "integer",
      not_before: "integer",
      outcome: "text",
      refused: "integer",
      keep_until: "integer",
      input: "text",
      created_at: "integer not null",
      ended_at: "integer",
      effect: "text",
      why: "text",
      operation: "text",
      identity: "text",
      principal: "text",
      caller_key: "text",
      owner: "text",
      parent: "text",
      intent: "text",
      progress: "text",
      cancelled: "integer",
    },
    primaryKey: "(name)",
    indexes: {
      reprise_work_key: "unique (key) where key is not null",
      reprise_work_bound: "(bound) where bound is not null",
      reprise_work_id: "unique (id) where id is not null",
      reprise_work_operation: "(operation, created_at) where operation is not null",
      reprise_work_keep: "(keep_until) where state = 'd'",
      reprise_work_live: "(created_at) where state in ('o', 'r', 'u')",
      reprise_work_intent: "(intent, created_at) where intent is not null",
    },
  },
  {
    name: "reprise_effect",
    columns: {
      id: "text not null",
      name: "text not null",
      kind: "text not null",
      state: "text not null",
      started_at: "integer not null",
      pinned_at: "integer",
      settle_at: "integer not null",
      token: "integer not null",
      answer: "text",
    },
    primaryKey: "(id, name)",
  },
  {
    name: "reprise_attempt",
    columns: {
      id: "text not null",
      at: "integer not null",
      what: "text not null",
      owner: "text not null",
      token: "integer not null",
      why: "text",
    },
    primaryKey: "",
    indexes: { reprise_attempt_id: "(id)" },
  },
  {
    name: "reprise_journal",
    columns: {
      resolution: "text not null",
      at: "integer not null",
      instance: "text not null",
      body: "text not null",
    },
    primaryKey: "(resolution, at, instance)",
  },
  {
    name: "reprise_write",
    columns: {
      queue: "text not null",
      key: "text not null",
      scope: "text not null",
      value: "text not null",
      version: "integer not null",
      place: "integer not null",
      state: "text not null",
      attempt: "text",
      lease_until: "integer",
      claimed: "integer",
      attempts: "integer not null default 0",
      failures: "integer not null default 0",
      not_before: "integer",
      failed_at: "integer",
      dead_at: "integer",
      error: "text",
    },
    primaryKey: "(queue, key)",
    indexes: {
      reprise_write_place: "(queue, place) where state = 'p'",
      reprise_write_attempt: "(attempt) where attempt is not null",
      reprise_write_dead: "(queue, dead_at) where state = 'd'",
    },
  },
  {
    name: "reprise_lease",
    columns: {
      name: "text",
      attempt: "text not null",
      token: "integer not null",
      holder: "text not null",
      until: "integer",
    },
    primaryKey: "(name)",
  },
  {
    name: "reprise_register",
    columns: {
      name: "text",
      value: "text not null",
      version: "integer not null",
      at: "integer not null",
    },
    primaryKey: "(name)",
  },
];

// reprise: sound, both values are constants that are not null: there is nothing to swallow
export const versionRow = `insert or ignore into reprise_meta (name, value) values ('schema', '${schemaVersion}')`;

const addIndex: Statements["addIndex"] = ({ name }, index, definition) => {
  const unique = definition.startsWith("unique ") ? "unique " : "";
  return `create ${unique}index if not exists ${index} on ${name} ${definition.slice(unique.length)}`;
};

/** SQLite changes no column, key or table that is there. */
export const statements: Statements = {
  create: (table) => {
    const { name, primaryKey, indexes = {} } = table;
    const key = primaryKey === "" ? "" : `,\n  primary key ${primaryKey}`;
    return [
      `create table if not exists ${name} (\n  ${columnsText(table)}${key})`,
      ...Object.entries(indexes).map(([one, definition]) => addIndex(table, one, definition)),
      ...(name === "reprise_meta" ? [versionRow] : []),
    ];
  },
  addColumn: ({ name }, column, definition) => `alter table ${name} add column ${column} ${definition}`,
  changeColumn: () => [],
  setPrimaryKey: () => [],
  addIndex,
  dropIndex: (_, index) => `drop index ${index}`,
  setOptions: () => [],
};
