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
import { quote, rowsOf } from "./names.ts";
import { kindOf, misfitOf, orderOf } from "./types.ts";

/** With what it takes to make the table anew: SQLite alters no column. */
export interface SqliteTarget extends Target {
  readonly sql: string;
  /** What goes with the table when it is dropped: indexes and triggers. */
  readonly dependents: readonly string[];
  /** Columns by which a row is told from another. */
  readonly row: readonly string[];
}

interface Found {
  readonly table: { readonly schema: string; readonly name: string };
  readonly kind: string;
  readonly hasRowid: boolean;
  readonly isStrict: boolean;
}

/** SQLite compares names without their case. */
async function relation(session: Session, { schema, name }: TableName): Promise<Found | null> {
  const text = `select schema, name, type, wr, strict from pragma_table_list
    where name = ? collate nocase and schema = coalesce(?, schema) collate nocase
    order by schema = 'temp' desc, schema = 'main' desc limit 1`;
  const [row] = (await session.query(text, [name, schema])).rows;
  if (row === undefined) return null;
  return {
    table: { schema: String(row["schema"]), name: String(row["name"]) },
    kind: String(row["type"]),
    hasRowid: Number(row["wr"]) === 0,
    isStrict: Number(row["strict"]) === 1,
  };
}

interface Catalogue {
  readonly columns: readonly TargetColumn[];
  readonly keys: readonly UniqueKey[];
  readonly faults: readonly TableFault[];
  readonly primary: readonly string[];
}

async function catalogue(session: Session, found: Found): Promise<Catalogue> {
  const { schema, name } = found.table;
  const { rows: told } = await session.query(`select * from pragma_table_xinfo(?, ?) order by cid`, [name, schema]);
  const primary = told
    .filter((row) => Number(row["pk"]) > 0)
    .sort((a, b) => Number(a["pk"]) - Number(b["pk"]))
    .map((row) => String(row["name"]));
  const { keys, collations, faults, hasPrimaryIndex } = await uniqueKeys(session, found);
  // such a column is the row's number itself: it has no index, and null becomes the next number
  const [numbered] = primary.length === 1 && found.hasRowid && !hasPrimaryIndex ? primary : [];
  const columns = told.map((row): TargetColumn => {
    const column = String(row["name"]);
    const collation = collations.get(column);
    const declared = String(row["type"]);
    const type = `${!found.isStrict && /^any$/i.test(declared) ? "NUMERIC" : declared}${
      collation === undefined ? "" : ` collate ${collation}`
    }`;
    return {
      ...{ name: column, type, kind: kindOf(type), order: orderOf(type) },
      isNullable: Number(row["notnull"]) === 0 && column !== numbered,
      isGenerated: Number(row["hidden"]) >= 2,
      hasDefault: row["dflt_value"] !== null || column === numbered,
      isNumbered: column === numbered,
    };
  });
  const own = numbered === undefined ? [] : [{ name: numbered, columns: [numbered], ...sound }];
  return { columns, keys: [...own, ...keys], faults, primary };
}

const sound = { isTotal: true, isValid: true, isDeferrable: false };

async function uniqueKeys(session: Session, { table: { schema, name } }: Found) {
  const text = `select i.name as key, i.origin, i.partial, x.name as part, x.coll
    from pragma_index_list(?, ?) i, pragma_index_xinfo(i.name, ?) x
    where i."unique" = 1 and x.key = 1 order by i.seq, x.seqno`;
  const { rows } = await session.query(text, [name, schema, schema]);
  const found = new Map<string, { readonly isTotal: boolean; readonly columns: (string | null)[] }>();
  const collations = new Map<string, string>();
  const faults: TableFault[] = [];
  for (const row of rows) {
    const key = String(row["key"]);
    const part = row["part"] === null ? null : String(row["part"]);
    const one = found.get(key) ?? { isTotal: Number(row["partial"]) === 0, columns: [] };
    found.set(key, one);
    one.columns.push(part);
    const collation = String(row["coll"]);
    if (part === null || !one.isTotal) continue;
    const known = collations.get(part);
    collations.set(part, known ?? collation);
    if (known !== undefined && known.toLowerCase() !== collation.toLowerCase()) {
      const mend = key.startsWith("sqlite_") ? [] : [`drop index ${quote(schema)}.${quote(key)}`];
      faults.push({ why: `its unique keys compare '${part}' in different ways.`, mend });
    }
  }
  const keys = [...found].map(([key, one]) => ({ ...sound, ...one, name: key }));
  return { keys, collations, faults, hasPrimaryIndex: rows.some((row) => row["origin"] === "pk") };
}

export async function target(session: Session, table: TableName): Promise<SqliteTarget | null> {
  const found = await relation(session, table);
  if (found === null || found.kind !== "table") return null;
  const { columns, keys, faults, primary } = await catalogue(session, found);
  const { rows } = await session.query(
    `select type, sql from ${quote(found.table.schema)}.sqlite_schema where tbl_name = ? collate nocase and sql is not null`,
    [found.table.name],
  );
  const sql = String(rows.find((row) => row["type"] === "table")?.["sql"] ?? "");
  return {
    ...{ table: found.table, columns, keys, isPartitioned: false },
    faults: [...faults, ...quietConflicts(sql)],
    ...{ sql, dependents: rows.filter((row) => row["type"] !== "table").map((row) => String(row["sql"])) },
    row: found.hasRowid ? ["rowid"] : primary,
  };
}

const quotedOrComment = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\//g;

/** What a constraint says of its own conflicts holds for all but the one that an upsert names. */
function quietConflicts(sql: string): readonly TableFault[] {
  const found = /\bon\s+conflict\s+(ignore|replace)\b/i.exec(sql.replace(quotedOrComment, " "));
  if (found === null) return [];
  return [
    { why: `a constraint of it says 'on conflict ${found[1]?.toLowerCase()}', which loses rows silently.`, mend: [] },
  ];
}

export async function source(session: Session, from: SourceName): Promise<Source | null> {
  if ("query" in from) return { columns: await queryColumns(session, rowsOf(from)), keys: [] };
  const found = await relation(session, from);
  if (found === null || found.kind === "shadow") return null;
  const { columns, keys } = await catalogue(session, found);
  const mayBeNull = new Set(columns.filter(({ isNullable }) => isNullable).map(({ name }) => name));
  return {
    columns,
    keys: keys.filter((key) => key.columns.every((column) => column !== null && !mayBeNull.has(column))),
  };
}

/** A view of the query, which this connection alone sees, tells its columns. */
async function queryColumns(session: Session, rows: string): Promise<readonly Column[]> {
  await session.query(`drop view if exists temp.reprise_load_shape`);
  await session.query(`create temp view reprise_load_shape as select q.* from ${rows} q`);
  const { rows: told } = await session.query(`select name, type from pragma_table_xinfo('reprise_load_shape', 'temp')`);
  await session.query(`drop view temp.reprise_load_shape`);
  return told.map((row) => {
    const type = String(row["type"]);
    // an expression has no type: what it is compared with decides what may be cut by it
    return { name: String(row["name"]), type, kind: kindOf(type), order: orderOf(type), isNullable: true };
  });
}

export async function misfits(_: Session, pairs: readonly ColumnPair[]): Promise<readonly Misfit[]> {
  return pairs.flatMap((pair) => {
    const why = misfitOf(pair);
    return why === null ? [] : [{ column: pair.target.name, why }];
  });
}
