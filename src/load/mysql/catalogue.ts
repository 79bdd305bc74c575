import type {
  Column,
  ColumnPair,
  Misfit,
  Session,
  Source,
  SourceName,
  TableFault,
  TableName,
  Target,
  TargetColumn,
  UniqueKey,
} from "../dialect.ts";
import { list, quotedTable, rowsOf } from "./names.ts";
import { kindOf, misfitOf } from "./types.ts";

type Row = Readonly<Record<string, unknown>>;

/** Where no database is named it is the connection's. Wide numbers come as text, which every driver reads alike. */
const find = `
  select table_schema as owner, table_type as kind, coalesce(engine, '') as engine, coalesce(create_options, '') as options,
    @@sql_mode as mode
  from information_schema.tables where table_schema = coalesce(?, database()) and table_name = ?`;

const keysOf = `
  select index_name as name, column_name as part, cast(sub_part as char) as length
  from information_schema.statistics
  where table_schema = ? and table_name = ? and non_unique = 0
  order by index_name, seq_in_index`;

interface Found {
  readonly table: TableName;
  readonly isTable: boolean;
  readonly engine: string;
  readonly options: string;
  readonly mode: string;
}

async function relation(session: Session, { schema, name }: TableName): Promise<Found | null> {
  const [row] = (await session.query(find, [schema, name])).rows;
  if (row === undefined) return null;
  return {
    table: { schema: String(row["owner"]), name },
    isTable: /^(?:BASE TABLE|SYSTEM VERSIONED)$/.test(String(row["kind"])),
    engine: String(row["engine"]),
    options: String(row["options"]),
    mode: String(row["mode"]),
  };
}

async function columns(session: Session, table: string): Promise<readonly TargetColumn[]> {
  const { rows } = await session.query(`show full columns from ${table}`);
  return rows.map((row) => {
    const collation = row["Collation"];
    const type = `${String(row["Type"])}${collation === null ? "" : ` collate ${String(collation)}`}`;
    return {
      ...{ name: String(row["Field"]), type, kind: kindOf(type), isNullable: row["Null"] === "YES" },
      // a choice is sorted by its place in its type, text by its collation
      order: collation === null || /^(?:enum|set)/.test(type) ? type : String(collation),
      // MySQL's DEFAULT_GENERATED is a default that is an expression
      isGenerated: /auto_increment|\bGENERATED|PERSISTENT/i.test(String(row["Extra"])),
      hasDefault: row["Default"] !== null,
      isNumbered: /auto_increment/i.test(String(row["Extra"])),
    };
  });
}

async function uniqueKeys(session: Session, { schema, name }: TableName): Promise<readonly UniqueKey[]> {
  const { rows } = await session.query(keysOf, [schema, name]);
  const parts = new Map<string, (string | null)[]>();
  for (const row of rows) {
    const key = String(row["name"]);
    const columnsOf = parts.get(key) ?? [];
    columnsOf.push(wholeColumn(row));
    parts.set(key, columnsOf);
  }
  const always = { isTotal: true, isValid: true, isDeferrable: false };
  return [...parts].map(([key, columnsOf]) => ({ name: key, columns: columnsOf, ...always }));
}

/** The beginning of a column's values is as little the column as an expression is. */
function wholeColumn(row: Row): string | null {
  return row["part"] === null || row["length"] !== null ? null : String(row["part"]);
}

export async function target(session: Session, table: TableName): Promise<Target | null> {
  const found = await relation(session, table);
  if (found === null || !found.isTable) return null;
  return {
    table: found.table,
    columns: await columns(session, quotedTable(found.table)),
    keys: await uniqueKeys(session, found.table),
    isPartitioned: found.options.includes("partitioned"),
    faults: [...unsafeEngine(found), ...laxMode(found)],
  };
}

function unsafeEngine({ table, engine }: Found): readonly TableFault[] {
  if (/^(?:InnoDB|ROCKSDB|NDBCLUSTER|ndbcluster)$/i.test(engine)) return [];
  return [
    {
      why: `its engine ${engine} has no transactions: half a window would stay.`,
      mend: [`alter table ${quotedTable(table)} engine = InnoDB`],
    },
  ];
}

/** What does not fit would be cut short with a warning that nobody reads, and a missing value would become 0. */
function laxMode({ mode }: Found): readonly TableFault[] {
  if (/STRICT_(?:TRANS|ALL)_TABLES/.test(mode)) return [];
  return [
    {
      why: "the sessions' sql_mode is not strict: what does not fit would be cut short silently.",
      mend: [`set global sql_mode = concat(@@global.sql_mode, ',STRICT_TRANS_TABLES')`],
    },
  ];
}

export async function source(session: Session, from: SourceName): Promise<Source | null> {
  if ("query" in from) return { columns: await queryColumns(session, rowsOf(from)), keys: [] };
  const found = await relation(session, from);
  if (found === null) return null;
  const all = await columns(session, quotedTable(found.table));
  const mayBeNull = new Set(all.filter(({ isNullable }) => isNullable).map(({ name }) => name));
  const keys = (await uniqueKeys(session, found.table)).filter((key) =>
    key.columns.every((column) => column !== null && !mayBeNull.has(column)),
  );
  return { columns: all, keys };
}

/** A table of the query's shape, which this connection alone sees, tells the types. */
async function queryColumns(session: Session, rows: string): Promise<readonly Column[]> {
  const shape = list(["reprise_load_shape"]);
  await session.query(`drop temporary table if exists ${shape}`);
  await session.query(`create temporary table ${shape} as select q.* from ${rows} q limit 0`);
  const found = await columns(session, shape);
  await session.query(`drop temporary table ${shape}`);
  return found.map((column) => ({ ...column, isNullable: true }));
}

export async function misfits(_: Session, pairs: readonly ColumnPair[]): Promise<readonly Misfit[]> {
  return pairs.flatMap((pair) => {
    const why = misfitOf(pair);
    return why === null ? [] : [{ column: pair.target.name, why }];
  });
}
