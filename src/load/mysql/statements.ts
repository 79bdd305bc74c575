import type { JobColumn, SourceName, Statements, Target } from "../dialect.ts";
import { list, quote, quotedTable, rowsOf } from "./names.ts";
import { asTarget } from "./rows.ts";

/** What people are told to run. */
export const statements: Statements = {
  markType: "datetime(6)",
  // the server finds a name that nothing has yet
  addUniqueKey: (target, columns) => [`alter table ${quotedTable(target.table)} add unique key (${list(columns)})`],
  dropKey: (target, { name }) => [
    `alter table ${quotedTable(target.table)} drop ${name === "PRIMARY" ? "primary key" : `key ${quote(name)}`}`,
  ],
  // a default and a comment have to be said again, or they are gone
  setNotNull: (target, columns) =>
    columns.map(
      ({ name, type }) => `alter table ${quotedTable(target.table)} modify column ${quote(name)} ${type} not null`,
    ),
  setDefault: (target, { name, type }) => [
    `alter table ${quotedTable(target.table)} modify column ${quote(name)} ${type} null`,
  ],
  addColumn: (target, name, type) => [
    `alter table ${quotedTable(target.table)} add column ${quote(name)} ${type} null`,
  ],
  deleteRepeated,
  listRepeated,
  listNulls: (rows, columns) =>
    `select * from ${rowsOf(rows)} s where ${columns.map((column) => `${quote(column)} is null`).join(" or ")}`,
};

/**
 * Rows are told apart by a key that is there, or by a number that they are given for it. Of columns that the server numbers
 * a table has one at most, whose numbers need not differ where its key is not unique.
 */
function deleteRepeated(target: Target, columns: readonly string[], version: string | null): readonly string[] {
  const table = quotedTable(target.table);
  const mayBeNull = new Set(target.columns.filter(({ isNullable }) => isNullable).map(({ name }) => name));
  const known = target.keys.find((key) => key.columns.every((column) => column !== null && !mayBeNull.has(column)));
  const row = known?.columns.filter((column) => column !== null) ?? ["reprise_row"];
  const order = [...(version === null ? [] : [version]), ...row].map((column) => `${quote(column)} desc`).join(", ");
  const same = row.map((column) => `f.${quote(column)} = d.${quote(column)}`).join(" and ");
  const remove =
    `delete f from ${table} f join (\n` +
    `  select ${list(row)}, row_number() over (partition by ${list(columns)} order by ${order}) as place\n` +
    `  from ${table} where ${isWhole(columns)}\n` +
    `) d on ${same} where d.place > 1`;
  if (known !== undefined) return [remove];
  const numbered = target.columns.find(({ isNumbered }) => isNumbered);
  const number =
    numbered === undefined
      ? [`alter table ${table} add column reprise_row bigint unsigned not null auto_increment unique`]
      : [
          `alter table ${table} add column reprise_row bigint unsigned`,
          `update ${table} set reprise_row = (@reprise_row := ifnull(@reprise_row, 0) + 1) order by ${quote(numbered.name)}`,
        ];
  return [...number, remove, `alter table ${table} drop column reprise_row`];
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
