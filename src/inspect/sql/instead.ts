import type { Dialect } from "../finding.ts";
import type { Change } from "./changes.ts";
import type { Columns, TableName } from "./tables.ts";

export interface Wanted extends Columns {
  readonly table: TableName;
  /** Those that were compared; empty: unknown. */
  readonly key: readonly string[];
  /** What becomes of a row that is there: what an UPDATE does with it, all that is inserted, or nothing. */
  readonly changes: readonly Change[] | "all" | "none";
}

/** Columns by which people tell which of two rows is newer. */
const versionNames =
  /^(?:.*_)?(?:version|revision|rev|seq|sequence_no|updated_at|modified_at|changed_at|updated|modified|last_modified|updated_on|source_version)$/;

/** One statement that inserts, or updates if what is there is older, and may run again and twice at once. */
export function insteadOf(wanted: Wanted, dialect: Dialect): string {
  const { table, columns, changes } = wanted;
  const key = keyOf(wanted);
  const rest = columns.length === 0 ? ["<column>", "<version>"] : columns.filter((column) => !key.includes(column));
  const newest = rest.find((column) => column === "<version>" || versionNames.test(column));
  // a row that is there was left as it was: only a version says that it may be replaced
  const kept = changes === "none" && newest === undefined ? [] : rest;
  const set = typeof changes === "string" ? kept.map(inserted) : changes.filter(({ column }) => !key.includes(column));
  const version = set.some(({ column, readsItself }) => column === newest && !readsItself) ? newest : undefined;
  const spell = (column: string) => wanted.spelling.get(column) ?? column;
  const shape = {
    name: table.text,
    all: (columns.length === 0 ? [...key, ...rest] : columns).map(spell),
    key: key.map(spell),
    set: [...set.filter(({ column }) => column !== version), ...set.filter(({ column }) => column === version)].map(
      ({ column, text, readsItself }) => ({
        column: wanted.spelling.get(column) ?? text,
        isInserted: !readsItself && rest.includes(column),
      }),
    ),
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

/** What only one column tells apart is told apart by that one. */
function keyOf({ key, columns }: Wanted): readonly string[] {
  if (key.length > 0) return key;
  return columns.length === 1 ? columns : ["<key>"];
}

function inserted(column: string): Change {
  return { column, text: column, readsItself: false };
}

interface Assigned {
  readonly column: string;
  /** Whether it is what would have been inserted; otherwise it is what the UPDATE says. */
  readonly isInserted: boolean;
}

interface Shape {
  readonly name: string;
  readonly all: readonly string[];
  readonly key: readonly string[];
  /** The version, if there is one, last: MySQL assigns from left to right. */
  readonly set: readonly Assigned[];
  readonly version: string | undefined;
}

function conflict({ name, all, key, set, version }: Shape): string {
  const insert = `insert into ${name} (${all.join(", ")}) values (…)\non conflict (${key.join(", ")})`;
  if (set.length === 0) return `${insert} do nothing`;
  const assigned = set
    .map(({ column, isInserted }) => `${column} = ${isInserted ? `excluded.${column}` : "…"}`)
    .join(", ");
  // `t.v`, where the table is `s.t`
  const own = name.slice(name.lastIndexOf(".") + 1);
  const update = `${insert} do update set ${assigned}`;
  if (version !== undefined) return `${update}\nwhere ${own}.${version} < excluded.${version}`;
  if (set.some(({ isInserted }) => !isInserted)) return update;
  const row = (of: string) => set.map(({ column }) => `${of}.${column}`).join(", ");
  return `${update}\nwhere (${row(own)}) is distinct from (${row("excluded")})`;
}

function mysql({ name, all, key, set, version }: Shape): string {
  const insert = `insert into ${name} (${all.join(", ")}) values (…)\non duplicate key update`;
  const [first] = key;
  if (set.length === 0) return `${insert} ${first} = ${first}`;
  const assigned = set.map(({ column, isInserted }) => {
    const value = isInserted ? `values(${column})` : "…";
    return `${column} = ${version === undefined ? value : `if(${version} < values(${version}), ${value}, ${column})`}`;
  });
  return `${insert} ${assigned.join(", ")}`;
}

function tsql({ name, all, key, set, version }: Shape): string {
  const matched = key.map((column) => `t.${column} = s.${column}`).join(" and ");
  const assigned = set.map(({ column, isInserted }) => `${column} = ${isInserted ? `s.${column}` : "…"}`).join(", ");
  const newer = version === undefined ? "" : ` and t.${version} < s.${version}`;
  return [
    `merge into ${name} with (holdlock) as t`,
    `using (values (…)) as s (${all.join(", ")}) on ${matched}`,
    ...(set.length === 0 ? [] : [`when matched${newer} then update set ${assigned}`]),
    `when not matched then insert (${all.join(", ")}) values (${all.map((column) => `s.${column}`).join(", ")})`,
  ].join("\n");
}
