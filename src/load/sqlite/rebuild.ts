import type { SqliteTarget } from "./catalogue.ts";
import { quote, quotedTable } from "./names.ts";

/**
 * SQLite alters no column: a table is made anew with other definitions of some columns, filled, and put in the old one's
 * place, by the procedure of SQLite's documentation (lang_altertable). Everything else of its text stays as it was written.
 *
 * The statements are for one connection, one by one, outside a transaction, and whoever runs them stops at an error and
 * rolls back. `foreign_key_check` has to list nothing that it did not list before.
 */
export function rebuild(
  target: SqliteTarget,
  columns: readonly string[],
  change: (definition: string) => string,
): readonly string[] {
  const parts = definitionsOf(target.sql);
  if (parts === null) return [];
  const wanted = new Set(columns.map((column) => column.toLowerCase()));
  const definitions = parts.definitions.map((definition) =>
    wanted.has(nameOf(definition).toLowerCase()) ? change(definition) : definition,
  );
  const { table } = target;
  const beside = { schema: table.schema, name: `${table.name}_reprise` };
  const kept = target.columns.filter(({ isGenerated }) => !isGenerated).map(({ name }) => quote(name));
  return [
    // dropping a table deletes its rows first, and with them those of tables that reference it; a no-op in a transaction
    "pragma foreign_keys = off",
    "begin immediate",
    `create table ${quotedTable(beside)} (${definitions.join(",")})${parts.options}`,
    `insert into ${quotedTable(beside)} (${kept.join(", ")}) select ${kept.join(", ")} from ${quotedTable(table)}`,
    `drop table ${quotedTable(table)}`,
    // else the name may not change while a view or another table's trigger names the table that is gone
    "pragma legacy_alter_table = on",
    `alter table ${quotedTable(beside)} rename to ${quote(table.name)}`,
    "pragma legacy_alter_table = off",
    ...target.dependents,
    `pragma ${quote(table.schema ?? "main")}.foreign_key_check`,
    "commit",
    "pragma foreign_keys = on",
  ];
}

/** Text in quotes of all kinds, comments, and single characters. */
const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*\n?|\/\*[\s\S]*?\*\/|[\s\S]/g;

/** What stands between the commas of the outermost brackets, and behind them. `null`: it is no such text. */
function definitionsOf(sql: string): { readonly definitions: readonly string[]; readonly options: string } | null {
  const definitions: string[] = [];
  let depth = 0;
  let definition = "";
  let options: string | null = null;
  for (const [part] of sql.matchAll(token)) {
    if (options !== null) options += part;
    else if (part === "(" && depth++ === 0) definition = "";
    else if (part === ")" && --depth === 0) {
      definitions.push(definition);
      options = "";
    } else if (part === "," && depth === 1) {
      definitions.push(definition);
      definition = "";
    } else definition += part;
  }
  return options === null ? null : { definitions, options };
}

function nameOf(definition: string): string {
  const text = definition.replace(/^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/, "");
  const quoted = /^(?:"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\])/.exec(text);
  if (quoted === null) return /^[^\s(,]+/.exec(text)?.[0] ?? "";
  const [, double, back, bracket = ""] = quoted;
  return double?.replaceAll('""', '"') ?? back?.replaceAll("``", "`") ?? bracket;
}
