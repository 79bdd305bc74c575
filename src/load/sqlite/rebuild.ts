import type { SqliteTarget } from "./catalogue.ts";
import { quote, quotedTable } from "./names.ts";

/**
 * SQLite alters no column: a table is made anew with other definitions of some columns, filled, and put in the old one's
 * place, as SQLite's documentation says. Everything else of its text stays as it was written.
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
    `create table ${quotedTable(beside)} (${definitions.join(",")})${parts.options}`,
    `insert into ${quotedTable(beside)} (${kept.join(", ")}) select ${kept.join(", ")} from ${quotedTable(table)}`,
    `drop table ${quotedTable(table)}`,
    `alter table ${quotedTable(beside)} rename to ${quote(table.name)}`,
    ...target.dependents,
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
