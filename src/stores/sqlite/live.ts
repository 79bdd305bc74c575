import type { Definitions, Live, LiveTable } from "../schema.ts";
import type { Connection, OwnRow } from "./driver.ts";

const text = (value: unknown) => String(value);

export function liveTables(connection: Connection): Live {
  const tables = connection.all("select name from sqlite_master where type = 'table' and name glob 'reprise_*'", []);
  return new Map(tables.map((row) => [text(row["name"]), tableOf(connection, text(row["name"]))]));
}

function tableOf(connection: Connection, table: string): LiveTable {
  const columns = connection.all(
    `select name, lower(type) || case when "notnull" = 1 then ' not null' else '' end
       || coalesce(' default ' || dflt_value, '') as definition, pk from pragma_table_info(?)`,
    [table],
  );
  const key = columns.filter((row) => Number(row["pk"]) > 0).sort((a, b) => Number(a["pk"]) - Number(b["pk"]));
  const indexes = connection.all(
    // what a primary key makes has no text of its own
    `select l.name, l."unique" as one, m.sql, (select group_concat(name, ', ') from pragma_index_info(l.name)) as parts
     from pragma_index_list(?) l join sqlite_master m on m.name = l.name and m.sql is not null`,
    [table],
  );
  return {
    columns: Object.fromEntries(
      columns.map((row) => [text(row["name"]), text(row["definition"])]),
    ) satisfies Definitions,
    primaryKey: key.length === 0 ? "" : `(${key.map((row) => text(row["name"])).join(", ")})`,
    indexes: Object.fromEntries(indexes.map((row) => [text(row["name"]), indexOf(row)])),
    invalid: new Set(),
    options: "",
  };
}

function indexOf(row: OwnRow): string {
  const condition = / where (.+)$/is.exec(text(row["sql"]))?.[1];
  const unique = Number(row["one"]) === 1 ? "unique " : "";
  return `${unique}(${text(row["parts"])})${condition === undefined ? "" : ` where ${condition}`}`;
}
