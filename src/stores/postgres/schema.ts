import { columnsText, type Statements, type Table } from "../schema.ts";

/**
 * Raised with every change that an earlier version cannot work beside; a schema of another version is refused. A table, an
 * index or a `later` column more is none: it is created where it is missing, so that a deployment can be rolled back.
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

const instant = "timestamp with time zone";
/** Rows have room for their next version. */
const roomy = "fillfactor=85";

/**
 * Every table, in the words in which PostgreSQL tells of it.
 *
 * reprise_work.state: `o` open, `r` running, `u` unknown, `d` done, `k` a further key, whose work is `bound`. Database work
 * has no id of its own: it is written once, finished, and nothing hangs on it.
 *
 * An index on the state, also a partial one, would make every completion write all indexes anew: what changes while
 * work goes its ordinary way stands in none (heap-only updates). So open work is known by `not_before`, which nothing else
 * has, parked work by `effect`, and work that keeps its input by that.
 *
 * reprise_lease.until: null once it is released; the row stays for its token. It stands in no index, so that a heartbeat
 * beside a transaction that has locked the key waits for nothing.
 *
 * In partitions by `name` nothing but a name can be unique. So there every key is a further key, with a row whose name it
 * is, and that an id is unique is left to chance, which it owes to anyway.
 */
export function tables(isPartitioned: boolean): readonly Table[] {
  return [
    {
      name: "reprise_meta",
      columns: { name: "text not null", value: "text not null" },
      primaryKey: "(name)",
    },
    {
      name: "reprise_work",
      columns: {
        created_at: `${instant} not null`,
        keep_until: `${instant} not null`,
        lease_until: instant,
        not_before: instant,
        ended_at: instant,
        cancelled_at: instant,
        progress_done: "double precision",
        progress_total: "double precision",
        name: "uuid not null",
        key: "uuid",
        bound: "uuid",
        id: "uuid",
        attempt: "uuid",
        parent: "uuid",
        intent: "uuid",
        token: "integer not null default 1",
        resumes: "integer not null default 0",
        print_v: "integer",
        state: '"char" not null',
        refused: "boolean",
        print: "bytea",
        operation: 'text collate "C"',
        identity: "text",
        principal: "text",
        caller_key: "text",
        owner: "text",
        effect: "text",
        why: "text",
        input: "text",
        outcome: "text",
      },
      primaryKey: "(name)",
      indexes: {
        ...(isPartitioned ? {} : { reprise_work_key: "unique (key) where key is not null" }),
        reprise_work_bound: "(bound) where bound is not null",
        reprise_work_id: `${isPartitioned ? "" : "unique "}(id) where id is not null`,
        reprise_work_keep: "(keep_until)",
        reprise_work_operation: "(operation, created_at) where operation is not null",
        reprise_work_waiting: "(created_at) where not_before is not null",
        reprise_work_parked: "(created_at) where effect is not null",
        reprise_work_due: "(operation, not_before) where not_before is not null and input is not null",
        reprise_work_input: "(created_at) where input is not null and not_before is null and effect is null",
        reprise_work_intent: "(intent, created_at) where intent is not null",
      },
      options: isPartitioned ? byHash("name") : roomy,
    },
    {
      name: "reprise_effect",
      columns: {
        started_at: `${instant} not null`,
        settle_at: `${instant} not null`,
        pinned_at: instant,
        id: "uuid not null",
        token: "integer not null",
        kind: '"char" not null',
        state: '"char" not null',
        name: 'text collate "C" not null',
        answer: "text",
      },
      primaryKey: "(id, name)",
      indexes: { reprise_effect_started: "(started_at) where state = 's'" },
      options: isPartitioned ? byHash("id") : roomy,
    },
    {
      name: "reprise_attempt",
      columns: {
        at: `${instant} not null`,
        id: "uuid not null",
        token: "integer not null",
        what: "text not null",
        owner: "text not null",
        why: "text",
        place: "bigint not null generated always as identity",
      },
      primaryKey: "",
      indexes: { reprise_attempt_id: "(id)" },
    },
    {
      name: "reprise_journal",
      columns: {
        at: "double precision not null",
        resolution: "text not null",
        instance: "text not null",
        body: "text not null",
      },
      primaryKey: "(resolution, at, instance)",
    },
    {
      name: "reprise_write",
      columns: {
        version: "bigint not null",
        place: "bigint not null",
        claimed: "bigint",
        lease_until: instant,
        not_before: instant,
        failed_at: instant,
        dead_at: instant,
        attempt: "uuid",
        attempts: "integer not null default 0",
        failures: "integer not null default 0",
        state: '"char" not null',
        queue: 'text collate "C" not null',
        key: 'text collate "C" not null',
        scope: "text not null",
        value: "text not null",
        error: "text",
      },
      primaryKey: "(queue, key)",
      indexes: {
        reprise_write_place: "(queue, place) where state = 'p'",
        reprise_write_attempt: "(attempt) where attempt is not null",
        reprise_write_dead: "(queue, dead_at) where state = 'd'",
      },
      options: roomy,
    },
    {
      name: "reprise_lease",
      columns: {
        token: "bigint not null",
        until: instant,
        attempt: "uuid not null",
        name: 'text collate "C" not null',
        holder: "text not null",
      },
      primaryKey: "(name)",
      options: roomy,
    },
    {
      name: "reprise_register",
      columns: {
        version: "bigint not null",
        at: `${instant} not null`,
        name: 'text collate "C" not null',
        value: "text not null",
      },
      primaryKey: "(name)",
      options: roomy,
    },
  ];
}

function byHash(column: string): string {
  return `partition by hash (${column})`;
}

export const versionRow = `insert into @meta (name, value) values ('schema', '${schemaVersion}'), ('writes', '0') on conflict do nothing`;

/** `creating`: the tables are made in the same transaction, or divided, and an index cannot be made beside writers. */
export function statementsIn(schema: string, partitions: number | null, creating: boolean): Statements {
  const at = (name: string) => `${quoted(schema)}.${name}`;
  const divided = (table: Table) => partitions !== null && table.options?.startsWith("partition") === true;
  const index = (table: Table, name: string, definition: string): string => {
    const unique = definition.startsWith("unique ") ? "unique " : "";
    const beside = creating || divided(table) ? "" : "concurrently ";
    return `create ${unique}index ${beside}if not exists ${name} on ${at(table.name)} ${definition.slice(unique.length)}`;
  };
  return {
    create: (table) => {
      const { name, primaryKey, options, indexes = {} } = table;
      const key = primaryKey === "" ? "" : `,\n  constraint ${name}_pkey primary key ${primaryKey}`;
      const end = options === undefined ? "" : divided(table) ? ` ${options}` : ` with (${options})`;
      return [
        `create table if not exists ${at(name)} (\n  ${columnsText(table)}${key})${end}`,
        ...(divided(table)
          ? Array.from({ length: partitions ?? 0 }, (_, at) => partition(schema, name, partitions ?? 0, at))
          : []),
        ...Object.entries(indexes).map(([one, definition]) => {
          const unique = definition.startsWith("unique ") ? "unique " : "";
          return `create ${unique}index if not exists ${one} on ${at(name)} ${definition.slice(unique.length)}`;
        }),
        ...(name === "reprise_meta" ? [inSchema(versionRow, schema)] : []),
      ];
    },
    addColumn: (table, column, definition) =>
      `alter table ${at(table.name)} add column if not exists ${column} ${definition}`,
    changeColumn: (table, column, definition, found) => changed(at(table.name), column, definition, found),
    setPrimaryKey: (table, found) => [
      ...(found === "" ? [] : [`alter table ${at(table.name)} drop constraint ${table.name}_pkey`]),
      ...(table.primaryKey === ""
        ? []
        : [`alter table ${at(table.name)} add constraint ${table.name}_pkey primary key ${table.primaryKey}`]),
    ],
    addIndex: index,
    dropIndex: (table, name) => `drop index ${divided(table) ? "" : "concurrently "}${at(name)}`,
    setOptions: ({ name, options = "" }) => {
      // a divided table does not become another by a statement
      if (options.startsWith("partition")) return [];
      const set = options === "" ? "reset (fillfactor)" : `set (${options})`;
      // an unlogged one is emptied when its server has crashed
      return [`alter table ${at(name)} set logged`, `alter table ${at(name)} ${set}`];
    },
  };
}

export function partition(schema: string, table: string, partitions: number, remainder: number): string {
  const at = (name: string) => `${quoted(schema)}.${name}`;
  return `create table if not exists ${at(`${table}_p${remainder}`)} partition of ${at(table)} for values with (modulus ${partitions}, remainder ${remainder}) with (${roomy})`;
}

/** Type, null and default, each where it differs. */
function changed(table: string, column: string, wanted: string, found: string): readonly string[] {
  const [now, then] = [partsOf(found), partsOf(wanted)];
  const alter = (what: string) => `alter table ${table} alter column ${column} ${what}`;
  return [
    ...(now.type === then.type ? [] : [alter(`type ${then.type} using ${column}::text::${then.type}`)]),
    ...(now.fallback === then.fallback
      ? []
      : [alter(then.fallback === undefined ? "drop default" : `set default ${then.fallback}`)]),
    ...(now.required === then.required ? [] : [alter(then.required ? "set not null" : "drop not null")]),
  ];
}

function partsOf(definition: string) {
  const [head = "", fallback] = definition.split(" default ");
  return { type: head.replace(/ not null.*$/, ""), required: head.includes(" not null"), fallback };
}
