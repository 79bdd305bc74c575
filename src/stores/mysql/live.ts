import type { Live, LiveTable } from "../schema.ts";
import type { Connection } from "./driver.ts";
import { textOf } from "./records.ts";

const ours = (table: string) => `table_schema = database() and left(${table}, 8) = 'reprise_'`;

const tableFacts = `select table_name as tab, engine from information_schema.tables where ${ours("table_name")}`;

const columnFacts = `select table_name as tab, column_name as name, lower(column_type) as type, character_set_name as letters,
    collation_name as collation, is_nullable as nullable, column_default as fallback, extra
  from information_schema.columns where ${ours("table_name")}`;

// every column: what keeps an index from being used has another name on each server
const indexFacts = `select s.*, table_name as tab, index_name as name, column_name as part, non_unique as many
  from information_schema.statistics s where ${ours("table_name")} order by table_name, index_name, seq_in_index`;

type Fact = Readonly<Record<string, unknown>>;

export async function liveTables(connection: Connection): Promise<Live> {
  const ask = async (text: string): Promise<readonly Fact[]> => (await connection.query(text, [])).rows;
  const tables = await ask(tableFacts);
  const columns = groupBy(await ask(columnFacts));
  const parts = groupBy(await ask(indexFacts));
  return new Map(
    tables.map((fact) => {
      const table = textOf(fact["tab"]);
      return [table, tableOf(textOf(fact["engine"]), columns.get(table) ?? [], parts.get(table) ?? [])];
    }),
  );
}

function groupBy(facts: readonly Fact[], name = "tab"): ReadonlyMap<string, readonly Fact[]> {
  const groups = new Map<string, Fact[]>();
  for (const fact of facts) {
    const key = textOf(fact[name]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [fact]);
    else group.push(fact);
  }
  return groups;
}

function tableOf(engine: string, columns: readonly Fact[], parts: readonly Fact[]): LiveTable {
  const indexes = groupBy(parts, "name");
  const primary = indexes.get("PRIMARY");
  const others = [...indexes].filter(([name]) => name !== "PRIMARY");
  return {
    columns: Object.fromEntries(columns.map((column) => [textOf(column["name"]), definitionOf(column)])),
    primaryKey: primary === undefined ? "" : partsOf(primary),
    indexes: Object.fromEntries(
      others.map(([name, of]) => [name, `${Number(of[0]?.["many"]) === 0 ? "unique " : ""}${partsOf(of)}`]),
    ),
    invalid: new Set(others.flatMap(([name, of]) => (of.some(isIgnored) ? [name] : []))),
    options: engine,
  };
}

function partsOf(index: readonly Fact[]): string {
  return `(${index.map((fact) => textOf(fact["part"])).join(", ")})`;
}

function definitionOf(column: Fact): string {
  const told = (name: string) => (column[name] == null ? null : textOf(column[name]));
  // MariaDB tells a width that means nothing, and the default NULL by its name
  const type = textOf(column["type"]).replace(/^((?:tiny|small|medium|big)?int)\(\d+\)/, "$1");
  const letters = told("letters");
  const fallback = told("fallback");
  return [
    type,
    letters === null ? "" : ` character set ${letters} collate ${told("collation")}`,
    told("nullable") === "NO" ? " not null" : "",
    fallback === null || fallback === "NULL" ? "" : ` default ${fallback}`,
    told("extra") === "auto_increment" ? " auto_increment" : "",
  ].join("");
}

/** MariaDB calls it ignored, MySQL invisible; a statement that forces such an index fails. */
function isIgnored(fact: Fact): boolean {
  const is = (name: string, value: string) => fact[name] != null && textOf(fact[name]) === value;
  return is("IGNORED", "YES") || is("IS_VISIBLE", "NO");
}
