import type { Ask, Catalogue } from "./catalogue.ts";
import { candidatesOf, type Judged, judge, reasons, type Shape, type Table } from "./shape.ts";

export type Database = "postgres" | "mysql" | "sqlite";

/** How many rows agree in columns that look as if they told things apart. Counts only: no value is ever read. */
export interface Candidate {
  readonly columns: readonly string[];
  /** `null`: there was no time left to look. */
  readonly duplicates: { readonly groups: number; readonly rowsTooMany: number; readonly withNull: number } | null;
  /** Statements for a person: those that list duplicates, remove all but one of each, and create the constraint. */
  readonly list: string;
  readonly remove: string | null;
  readonly create: readonly string[];
}

export interface Keyless {
  readonly table: string;
  readonly shape: Exclude<Shape, "ok">;
  readonly index: string | null;
  readonly why: string;
  readonly candidates: readonly Candidate[];
}

export interface KeyReport {
  readonly tables: number;
  readonly keyless: readonly Keyless[];
  /** Tables of whose candidates at least one was not looked at. */
  readonly notLookedAt: readonly string[];
}

export interface Asked {
  readonly database: Database;
  readonly catalogue: Catalogue;
  readonly ask: Ask;
  /** Milliseconds; at 0 no further table is counted. */
  readonly leftMs: () => number;
  /** Told before each table is counted. */
  readonly tell: (tables: number) => void;
}

/**
 * Which tables let one thing be inserted twice, and what is there twice already. Only reads; small tables first, so that most
 * are looked at whatever the time.
 */
export async function inspectKeys({ database, catalogue, ask, leftMs, tell }: Asked): Promise<KeyReport> {
  const tables = await catalogue.tables(ask);
  const judged = tables
    .map((table) => ({ table, judged: judge(table) }))
    .filter(({ judged: { shape } }) => shape !== "ok");
  const found = new Map<string, Keyless>();
  const notLookedAt: string[] = [];
  let counted = 0;
  for (const { table, judged: told } of [...judged].sort((one, other) => one.table.rows - other.table.rows)) {
    const { shape, index } = told;
    if (shape === "ok") continue;
    tell(counted);
    const candidates: Candidate[] = [];
    for (const columns of candidatesOf(table, told)) {
      const duplicates = leftMs() > 0 ? await countDuplicates(ask, table, columns, catalogue) : null;
      candidates.push({ columns, duplicates, ...statements(database, catalogue, table, told, columns) });
    }
    counted += 1;
    if (candidates.some(({ duplicates }) => duplicates === null)) notLookedAt.push(table.name);
    found.set(table.name, { table: table.name, shape, index: index?.name ?? null, why: reasons[shape], candidates });
  }
  const keyless = judged.flatMap(({ table }) => found.get(table.name) ?? []);
  return { tables: tables.length, keyless, notLookedAt };
}

async function countDuplicates(
  ask: Ask,
  { name }: Table,
  columns: readonly string[],
  { quote }: Catalogue,
): Promise<Candidate["duplicates"]> {
  const names = columns.map(quote);
  const filled = names.map((one) => `${one} is not null`).join(" and ");
  try {
    const [row] = await ask(
      `select count(*) as repeated, coalesce(sum(n - 1), 0) as extra,
         (select count(*) from ${name} where not (${filled})) as nulls
       from (select count(*) as n from ${name} where ${filled} group by ${names.join(", ")} having count(*) > 1) d`,
    );
    if (row === undefined) return null;
    return { groups: Number(row["repeated"]), rowsTooMany: Number(row["extra"]), withNull: Number(row["nulls"]) };
  } catch {
    // out of time, or no right to read it: it is told as not looked at
    return null;
  }
}

function statements(
  database: Database,
  { quote }: Catalogue,
  table: Table,
  { shape, index }: Judged,
  columns: readonly string[],
) {
  const names = columns.map(quote);
  const list = names.join(", ");
  const bare = table.name.replaceAll(/["`]/g, "").split(".").at(-1) ?? "";
  const constraint = quote(`${bare}_${columns.join("_")}_key`.slice(0, 60));
  const nullable = table.columns.filter((column) => columns.includes(column.name) && column.isNullable);
  const made = table.columns.find(({ isMadeUp }) => isMadeUp);
  const same = (one: string, other: string) => names.map((name) => `${one}.${name} = ${other}.${name}`).join(" and ");
  // the one that is nullable needs no second index
  const needsIndex = !(shape === "nullable" && index?.columns.join() === columns.join());
  const many = {
    list: `select ${list}, count(*) from ${table.name} group by ${list} having count(*) > 1 order by count(*) desc`,
  };
  switch (database) {
    case "postgres":
      return {
        ...many,
        remove: `delete from ${table.name} a using ${table.name} b where ${same("a", "b")} and a.ctid < b.ctid`,
        create: [
          ...(shape === "invalid" && index !== undefined
            ? [`drop index concurrently ${schemaOf(table)}${quote(index.name)}`]
            : []),
          ...nullable.map(({ name }) => `alter table ${table.name} alter column ${quote(name)} set not null`),
          ...(needsIndex ? [`create unique index concurrently ${constraint} on ${table.name} (${list})`] : []),
        ],
      };
    case "mysql": {
      const by = made === undefined ? null : quote(made.name);
      return {
        ...many,
        remove:
          by === null
            ? null
            : `delete a from ${table.name} a join ${table.name} b on ${same("a", "b")} and a.${by} < b.${by}`,
        create: [
          ...nullable.map(({ name, type }) => `alter table ${table.name} modify ${quote(name)} ${type} not null`),
          ...(needsIndex ? [`alter table ${table.name} add unique ${constraint} (${list})`] : []),
        ],
      };
    }
    case "sqlite":
      return {
        ...many,
        remove: `delete from ${table.name} where rowid not in (select max(rowid) from ${table.name} group by ${list})`,
        create: [
          ...nullable.map(
            ({ name }) => `-- ${quote(name)} has to be declared not null: SQLite takes that in a new table only`,
          ),
          ...(needsIndex ? [`create unique index ${constraint} on ${table.name} (${list})`] : []),
        ],
      };
  }
}

function schemaOf({ name }: Table): string {
  const dot = name.lastIndexOf(".");
  return dot === -1 ? "" : name.slice(0, dot + 1);
}
