import type { JobColumn, SourceName, Statements, Target } from "../dialect.ts";
import { list, quote, quotedTable, rowsOf } from "./names.ts";
import { asTarget, isRounded } from "./rows.ts";

/** What people are told to run. Indexes are built while others write, except over partitions, where PostgreSQL cannot. */
export const statements: Statements = {
  markType: "timestamp with time zone",
  addUniqueKey: (target, columns) => {
    const how = target.isPartitioned ? "" : "concurrently ";
    // the server finds a name that nothing has yet
    return [`create unique index ${how}on ${quotedTable(target.table)} (${list(columns)})`];
  },
  dropKey: (target, key) => {
    const name = quotedTable({ schema: target.table.schema, name: key.name });
    // a constraint's index goes with the constraint alone
    if (key.isDeferrable) return [`alter table ${quotedTable(target.table)} drop constraint ${quote(key.name)}`];
    return [`drop index ${target.isPartitioned ? "" : "concurrently "}${name}`];
  },
  setNotNull: (target, columns) =>
    columns.map(({ name }) => `alter table ${quotedTable(target.table)} alter column ${quote(name)} set not null`),
  setDefault: (target, column) => [
    `alter table ${quotedTable(target.table)} alter column ${quote(column.name)} drop not null`,
  ],
  addColumn: (target, name, type) => [`alter table ${quotedTable(target.table)} add column ${quote(name)} ${type}`],
  deleteRepeated: (target, columns, version) => [deleteRepeated(target, columns, version)],
  listRepeated,
  listRounded: (rows, column) => `select * from ${rowsOf(rows)} s where ${isRounded(column)}`,
  listNulls: (rows: SourceName, columns) =>
    `select * from ${rowsOf(rows)} s where ${columns.map((column) => `${quote(column)} is null`).join(" or ")}`,
};

function deleteRepeated(target: Target, columns: readonly string[], version: string | null): string {
  const table = quotedTable(target.table);
  const newest = version === null ? "ctid desc" : `${quote(version)} desc nulls last, ctid desc`;
  return (
    `delete from ${table} f using (\n` +
    `  select tableoid, ctid, row_number() over (partition by ${list(columns)} order by ${newest}) as place\n` +
    `  from ${table} where ${isWhole(columns)}\n` +
    `) d where d.place > 1 and f.tableoid = d.tableoid and f.ctid = d.ctid`
  );
}

/** Grouped by place: by its name a column would be the source's own, which may tell apart what is one key to the table. */
function listRepeated(rows: SourceName, columns: readonly (string | JobColumn)[]): string {
  const names = columns.map((column) => (typeof column === "string" ? column : column.name));
  const values = columns.map((column) =>
    typeof column === "string" ? quote(column) : `${asTarget(column)} as ${quote(column.name)}`,
  );
  return (
    `select ${values.join(", ")}, count(*) from ${rowsOf(rows)} s where ${isWhole(names, "s.")}\n` +
    `group by ${names.map((_, index) => index + 1).join(", ")} having count(*) > 1 order by count(*) desc`
  );
}

function isWhole(columns: readonly string[], of = ""): string {
  return columns.map((column) => `${of}${quote(column)} is not null`).join(" and ");
}
