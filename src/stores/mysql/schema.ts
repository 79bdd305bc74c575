import { columnsText, type Statements, type Table } from "../schema.ts";

/**
 * Raised with every change that an earlier version cannot work beside; tables of another version are refused. A table, an
 * index or a `later` column more is none: it is created where it is missing, so that a deployment can be rolled back.
 */
export const schemaVersion = "1";

const word = (type: string) => `${type} character set ascii collate ascii_bin not null`;
const engine = "InnoDB";

/**
 * Every table, in the words in which MariaDB tells of it.
 *
 * Names and ids are 16 bytes, so that no collation compares them. Text is kept as its bytes in UTF-8. Instants are
 * microseconds since the epoch, so that no session's time zone moves them.
 *
 * reprise_work.state: `o` open, `r` running, `u` unknown, `d` done, `k` a further key, whose work is `bound`. Database work
 * has no id of its own: it is written once, finished, and nothing hangs on it.
 *
 * reprise_work_fence holds all that a fence asks about, in a unique index: an owner's transaction locks its one entry and
 * not the row, so that its heartbeat goes on, and no gap, so that other work can be claimed; whoever takes the work over or
 * ends it must change that entry.
 *
 * reprise_write is a key's newest write that has not reached its source: `p` pending, `d` dead; its name is the hash of
 * queue and key. `place` is the version that has been waiting since, `claimed` the version that its claim took.
 */
export const tables: readonly Table[] = [
  {
    name: "reprise_meta",
    columns: { name: "varbinary(64) not null", value: "varbinary(255) not null" },
    primaryKey: "(name)",
    options: engine,
  },
  {
    name: "reprise_work",
    columns: {
      name: "binary(16) not null",
      key_name: "binary(16)",
      bound: "binary(16)",
      id: "binary(16)",
      attempt: "binary(16)",
      token: "int unsigned not null default 1",
      resumes: "int unsigned not null default 0",
      print: "varbinary(255)",
      print_version: "int unsigned",
      state: word("char(1)"),
      lease_until: "bigint",
      not_before: "bigint",
      outcome: "longblob",
      refused: "tinyint unsigned",
      keep_until: "bigint",
      input: "longblob",
      created_at: "bigint not null",
      ended_at: "bigint",
      cancelled_at: "bigint",
      progress_done: "double",
      progress_total: "double",
      parent: "binary(16)",
      intent: "binary(16)",
      effect: "longblob",
      why: "longblob",
      operation: "varbinary(512)",
      identity: "longblob",
      principal: "longblob",
      caller_key: "longblob",
      owner: "longblob",
    },
    primaryKey: "(name)",
    indexes: {
      reprise_work_key: "unique (key_name)",
      reprise_work_fence: "unique (id, attempt, state)",
      reprise_work_bound: "(bound)",
      reprise_work_keep: "(keep_until)",
      reprise_work_state: "(state, created_at)",
      reprise_work_operation: "(operation, created_at)",
      reprise_work_intent: "(intent, created_at)",
    },
    options: engine,
  },
  {
    name: "reprise_effect",
    columns: {
      id: "binary(16) not null",
      name: "varbinary(767) not null",
      kind: word("varchar(16)"),
      state: word("char(1)"),
      started_at: "bigint not null",
      pinned_at: "bigint",
      settle_at: "bigint not null",
      token: "int unsigned not null",
      answer: "longblob",
    },
    primaryKey: "(id, name)",
    options: engine,
  },
  {
    name: "reprise_attempt",
    columns: {
      number: "bigint unsigned not null auto_increment",
      id: "binary(16) not null",
      at: "bigint not null",
      what: word("varchar(16)"),
      owner: "longblob not null",
      token: "int unsigned not null",
      why: "longblob",
    },
    primaryKey: "(number)",
    indexes: { reprise_attempt_id: "(id)" },
    options: engine,
  },
  {
    name: "reprise_journal",
    columns: {
      resolution: word("varchar(16)"),
      at: "bigint not null",
      instance: "varbinary(255) not null",
      body: "longblob not null",
    },
    primaryKey: "(resolution, at, instance)",
    options: engine,
  },
  {
    name: "reprise_write",
    columns: {
      name: "binary(16) not null",
      queue: "binary(16) not null",
      key_text: "longblob not null",
      scope: "longblob not null",
      value: "longblob not null",
      version: "bigint not null",
      place: "bigint not null",
      state: word("char(1)"),
      attempt: "binary(16)",
      lease_until: "bigint",
      claimed: "bigint",
      attempts: "int unsigned not null default 0",
      failures: "int unsigned not null default 0",
      not_before: "bigint",
      failed_at: "bigint",
      dead_at: "bigint",
      error: "longblob",
    },
    primaryKey: "(name)",
    indexes: {
      reprise_write_place: "(queue, state, place)",
      reprise_write_attempt: "(attempt)",
      reprise_write_dead: "(queue, state, dead_at)",
    },
    options: engine,
  },
  {
    name: "reprise_lease",
    columns: {
      name: "varbinary(1020) not null",
      attempt: "binary(16)",
      token: "bigint unsigned not null",
      holder: "longblob not null",
      lease_until: "bigint not null",
    },
    primaryKey: "(name)",
    options: engine,
  },
  {
    name: "reprise_register",
    columns: {
      name: "varbinary(1020) not null",
      value: "longblob not null",
      version: "bigint unsigned not null",
      at: "bigint not null",
    },
    primaryKey: "(name)",
    options: engine,
  },
];

// reprise: sound, both values are constants that fit: there is nothing to swallow
export const versionRow = `insert ignore into reprise_meta (name, value) values ('schema', '${schemaVersion}'), ('writes', '0')`;

const keyText = (name: string, definition: string): string => {
  const unique = definition.startsWith("unique ") ? "unique " : "";
  return `${unique}key ${name} ${definition.slice(unique.length)}`;
};

/** Several instances may run them at once: a table that another has made meanwhile is left as it is. */
export const statements: Statements = {
  create: (table) => {
    const { name, primaryKey, indexes = {} } = table;
    const keys = Object.entries(indexes).map(([one, definition]) => `,\n  ${keyText(one, definition)}`);
    return [
      `create table if not exists ${name} (\n  ${columnsText(table)},\n  primary key ${primaryKey}${keys.join("")}) engine=${engine} row_format=dynamic`,
      ...(name === "reprise_meta" ? [versionRow] : []),
    ];
  },
  addColumn: ({ name }, column, definition) => `alter table ${name} add column ${column} ${definition}`,
  changeColumn: ({ name }, column, definition) => [`alter table ${name} modify column ${column} ${definition}`],
  setPrimaryKey: ({ name, primaryKey }, found) => [
    `alter table ${name} ${found === "" ? "" : "drop primary key, "}add primary key ${primaryKey}`,
  ],
  addIndex: ({ name }, index, definition) => `alter table ${name} add ${keyText(index, definition)}`,
  dropIndex: ({ name }, index) => `alter table ${name} drop key ${index}`,
  setOptions: ({ name }) => [`alter table ${name} engine=${engine}`],
};
