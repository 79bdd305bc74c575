import type { Dialect } from "../finding.ts";
import type { Columns, TableName } from "./tables.ts";

export interface Wanted extends Columns {
  readonly table: TableName;
  /** Those that were compared; empty: unknown. */
  readonly key: readonly string[];
}

/** Columns by which people tell which of two rows is newer. */
const versionNames =
  /^(?:.*_)?(?:version|revision|rev|seq|sequence_no|updated_at|modified_at|changed_at|updated|modified|last_modified|updated_on|source_version)$/;

/** One statement that inserts, or updates if what is there is older, and may run again and twice at once. */
export function insteadOf(wanted: Wanted, dialect: Dialect): string {
  const { table, columns } = wanted;
  const key = wanted.key.length > 0 ? wanted.key : ["<key>"];
  const rest = columns.filter((column) => !key.includes(column));
  const version = rest.find((column) => versionNames.test(column)) ?? (columns.length === 0 ? "<version>" : undefined);
  const others = columns.length === 0 ? ["<column>"] : rest.filter((column) => column !== version);
  const set = version === undefined ? others : [...others, version];
  const spell = (column: string) => wanted.spelling.get(column) ?? column;
  const shape = {
    name: table.text,
    all: (columns.length === 0 ? [...key, ...set] : columns).map(spell),
    key: key.map(spell),
    set: set.map(spell),
    version: version === undefined ? undefined : spell(version),
  };
  const constraint = `-- needs: unique (${shape.key.join(", ")}) on ${table.text}, each column not null`;
  switch (dialect) {
    case "mysql":
      return `${mysql(shape)};\n${constraint}`;
    case "tsql":
      return `${tsql(shape)};\n${constraint}`;
    default:
      return `${conflict(shape)};\n${constraint}`;
  }
}

interface Shape {
  readonly name: string;
  readonly all: readonly string[];
  readonly key: readonly string[];
  /** The version, if there is one, last: MySQL assigns from left to right. */
  readonly set: readonly string[];
  readonly version: string | undefined;
}

function conflict({ name, all, key, set, version }: Shape): string {
  const insert = `insert into ${name} (${all.join(", ")}) values (…)\non conflict (${key.join(", ")})`;
  if (set.length === 0) return `${insert} do nothing`;
  const assigned = set.map((column) => `${column} = excluded.${column}`).join(", ");
  // `t.v`, where the table is `s.t`
  const own = name.slice(name.lastIndexOf(".") + 1);
  const changed =
    version === undefined
      ? `(${set.map((column) => `${own}.${column}`).join(", ")}) is distinct from (${set.map((column) => `excluded.${column}`).join(", ")})`
      : `${own}.${version} < excluded.${version}`;
  return `${insert} do update set ${assigned}\nwhere ${changed}`;
}

function mysql({ name, all, key, set, version }: Shape): string {
  const insert = `insert into ${name} (${all.join(", ")}) values (…)\non duplicate key update`;
  const [first] = key;
  if (set.length === 0) return `${insert} ${first} = ${first}`;
  const assigned = set.map((column) => {
    if (version === undefined) return `${column} = values(${column})`;
    return `${column} = if(${version} < values(${version}), values(${column}), ${column})`;
  });
  return `${insert} ${assigned.join(", ")}`;
}

function tsql({ name, all, key, set, version }: Shape): string {
  const matched = key.map((column) => `t.${column} = s.${column}`).join(" and ");
  const assigned = set.map((column) => `${column} = s.${column}`).join(", ");
  const newer = version === undefined ? "" : ` and t.${version} < s.${version}`;
  return [
    `merge into ${name} with (holdlock) as t`,
    `using (values (…)) as s (${all.join(", ")}) on ${matched}`,
    ...(set.length === 0 ? [] : [`when matched${newer} then update set ${assigned}`]),
    `when not matched then insert (${all.join(", ")}) values (${all.map((column) => `s.${column}`).join(", ")})`,
  ].join("\n");
}
