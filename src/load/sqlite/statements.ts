import type { JobColumn, SourceName, Statements, Target } from "../dialect.ts";
import type { SqliteTarget } from "./catalogue.ts";
import { list, quote, quotedTable, rowsOf } from "./names.ts";
import { rebuild } from "./rebuild.ts";
import { comparedAs } from "./rows.ts";

/** What people are told to run. */
export const statements: Statements = {
  markType: "TEXT",
  addUniqueKey: ({ table, keys }, columns) => {
    const wanted = `${table.name}_${columns.join("_")}_key`;
    const taken = new Set(keys.map(({ name }) => name.toLowerCase()));
    const names = [wanted, ...keys.map((_, index) => `${wanted}_${index + 2}`)];
    const name = names.find((one) => !taken.has(one.toLowerCase())) ?? wanted;
    return [
      `create unique index ${quotedTable({ schema: table.schema, name })} on ${quote(table.name)} (${list(columns)})`,
    ];
  },
  // what a table's own text declares goes with the table alone
  dropKey: ({ table }, { name }) =>
    name.startsWith("sqlite_") ? [] : [`drop index ${quotedTable({ schema: table.schema, name })}`],
  setNotNull: (target, columns) =>
    isOurs(target)
      ? // a comment may end the definition
        rebuild(
          target,
          columns.map(({ name }) => name),
          (definition) => `${definition.trimEnd()}\n not null`,
        )
      : [],
  setDefault: (target, column) =>
    isOurs(target)
      ? rebuild(target, [column.name], (definition) =>
          definition.replace(/\bnot\s+null\b(?:\s+on\s+conflict\s+\w+)?/i, ""),
        )
      : [],
  addColumn: ({ table }, name, type) => [`alter table ${quotedTable(table)} add column ${quote(name)} ${type}`],
  deleteRepeated: (target, columns, version) => [deleteRepeated(target, columns, version)],
  listRepeated,
  listNulls: (rows, columns) =>
    `select * from ${rowsOf(rows)} s where ${columns.map((column) => `${quote(column)} is null`).join(" or ")}`,
};

function deleteRepeated(target: Target, columns: readonly string[], version: string | null): string {
  const table = quotedTable(target.table);
  const row = isOurs(target) ? target.row : ["rowid"];
  // unquoted, for in quotes it would be a text where there is no such column
  const names = row.map((name) => (name === "rowid" ? name : quote(name)));
  const order = [...(version === null ? [] : [quote(version)]), ...names].map((name) => `${name} desc`).join(", ");
  return (
    `delete from ${table} where (${names.join(", ")}) in (\n` +
    `  select ${names.join(", ")} from (\n` +
    `    select ${names.join(", ")}, row_number() over (partition by ${list(columns)} order by ${order}) as place\n` +
    `    from ${table} where ${isWhole(columns)}\n` +
    `  ) where place > 1\n)`
  );
}

/** Grouped by place: by its name a column would be the source's own, which may tell apart what is one key to the table. */
function listRepeated(rows: SourceName, columns: readonly (string | JobColumn)[]): string {
  const names = columns.map((column) => (typeof column === "string" ? column : column.name));
  const values = columns.map((column) =>
    typeof column === "string" ? quote(column) : `${comparedAs(column)} as ${quote(column.name)}`,
  );
  return (
    `select ${values.join(", ")}, count(*) from ${rowsOf(rows)} s where ${isWhole(names, "s.")}\n` +
    `group by ${names.map((_, index) => index + 1).join(", ")} having count(*) > 1 order by count(*) desc`
  );
}

function isWhole(columns: readonly string[], of = ""): string {
  return columns.map((column) => `${of}${quote(column)} is not null`).join(" and ");
}

function isOurs(target: Target): target is SqliteTarget {
  return "dependents" in target;
}
