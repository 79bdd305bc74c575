import type {
  Column,
  ColumnKind,
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
import { textOf } from "../rows.ts";
import { quote, quotedTable, rowsOf } from "./names.ts";
import { digitsOf } from "./rows.ts";

/** Booleans and arrays come as text and JSON text, which every driver reads alike. */

/** A domain is told as the type that it is of, which says what is rounded and how windows are cut. */
const columnsOf = `
  select a.attname as name,
    case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) else format_type(a.atttypid, a.atttypmod) end as type,
    case when a.attcollation = 0 then null else a.attcollation::regcollation::text end as collation,
    case when a.attnotnull then 'no' else 'yes' end as nullable,
    case when a.attgenerated <> '' or a.attidentity = 'a' then 'yes' else 'no' end as generated,
    case when a.atthasdef or a.attidentity <> '' then 'yes' else 'no' end as filled,
    case when a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) like 'nextval(%' then 'yes' else 'no' end as numbered
  from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
  order by a.attnum`;

const keysOf = `
  select c.relname as name,
    (select json_agg(case when k.attnum = 0 then null else a.attname end order by k.n)
      from unnest(i.indkey::int2[]) with ordinality k(attnum, n)
      left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where k.n <= i.indnkeyatts)::text as columns,
    case when i.indpred is null then 'yes' else 'no' end as total,
    case when i.indisvalid and i.indisready and i.indislive then 'yes' else 'no' end as valid,
    case when i.indimmediate then 'no' else 'yes' end as deferrable
  from pg_index i join pg_class c on c.oid = i.indexrelid
  where i.indrelid = $1::oid and i.indisunique
  order by c.relname`;

const find = `
  select c.oid::text as oid, n.nspname as schema, c.relkind::text as kind,
    case when c.relkind <> 'p' and exists (select from pg_inherits h where h.inhparent = c.oid) then 'yes' else 'no' end as inherited
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.oid = to_regclass($1::text)`;

interface Found {
  readonly oid: string;
  readonly table: TableName;
  readonly kind: string;
  /** Other tables inherit from it: their rows are read as its own, and none of its unique keys knows of them. */
  readonly isInherited: boolean;
}

async function relation(session: Session, table: TableName): Promise<Found | null> {
  const { rows } = await session.query(find, [quotedTable(table)]);
  const [row] = rows;
  if (row === undefined) return null;
  return {
    oid: String(row["oid"]),
    table: { schema: String(row["schema"]), name: table.name },
    kind: String(row["kind"]),
    isInherited: row["inherited"] === "yes",
  };
}

async function columns(session: Session, oid: string): Promise<readonly TargetColumn[]> {
  const { rows } = await session.query(columnsOf, [oid]);
  return rows.map((row) => ({
    name: String(row["name"]),
    type: String(row["type"]),
    kind: kindOf(String(row["type"])),
    order: orderOf(String(row["type"]), row["collation"]),
    collation: textOf(row["collation"]),
    isNullable: row["nullable"] === "yes",
    isGenerated: row["generated"] === "yes",
    hasDefault: row["filled"] === "yes",
    isNumbered: row["numbered"] === "yes",
  }));
}

async function uniqueKeys(session: Session, oid: string): Promise<readonly UniqueKey[]> {
  const { rows } = await session.query(keysOf, [oid]);
  return rows.map((row) => ({
    name: String(row["name"]),
    columns: JSON.parse(String(row["columns"])) as readonly (string | null)[],
    isTotal: row["total"] === "yes",
    isValid: row["valid"] === "yes",
    isDeferrable: row["deferrable"] === "yes",
  }));
}

/** What mends it is for people to say: what is in those tables may be wanted there. */
const inherited: TableFault = {
  why: "other tables inherit from it, and its unique key does not hold for their rows, which are read as its own.",
  mend: [],
};

export async function target(session: Session, table: TableName): Promise<Target | null> {
  const found = await relation(session, table);
  if (found === null || (found.kind !== "r" && found.kind !== "p")) return null;
  return {
    table: found.table,
    columns: await columns(session, found.oid),
    keys: await uniqueKeys(session, found.oid),
    isPartitioned: found.kind === "p",
    faults: found.isInherited ? [inherited] : [],
  };
}

export async function source(session: Session, from: SourceName): Promise<Source | null> {
  if ("query" in from) return { columns: await queryColumns(session, rowsOf(from)), keys: [] };
  const found = await relation(session, from);
  if (found === null) return null;
  const all = await columns(session, found.oid);
  // a key that rows of other tables may repeat spares no search
  if (found.isInherited) return { columns: all, keys: [] };
  const mayBeNull = new Set(all.filter(({ isNullable }) => isNullable).map(({ name }) => name));
  const keys = (await uniqueKeys(session, found.oid)).filter((key) =>
    key.columns.every((column) => column !== null && !mayBeNull.has(column)),
  );
  return { columns: all, keys };
}

/** Of one row that is joined with none of the query's: what its columns are called, and then of which types they are. */
async function queryColumns(session: Session, rows: string): Promise<readonly Column[]> {
  const one = `from (select) one left join ${rows} q on false`;
  const [row = {}] = (await session.query(`select q.* ${one}`)).rows;
  const names = Object.keys(row);
  if (names.length === 0) return [];
  const types = names.map((name, index) => {
    const column = `q.${quote(name)}`;
    // what has no collation cannot be asked for it
    const text = `pg_typeof(${column})::oid in (select oid from pg_type where typcollation <> 0)`;
    const type = `select format_type(coalesce(nullif(typbasetype, 0), oid), typtypmod) from pg_type where oid = pg_typeof(${column})`;
    return `(${type}) as t${index}, case when ${text} then 'yes' end as has${index}`;
  });
  const [told = {}] = (await session.query(`select ${types.join(", ")} ${one}`)).rows;
  const collations = names.map((name, index) =>
    told[`has${index}`] === "yes" ? `pg_collation_for(q.${quote(name)}) as c${index}` : `null as c${index}`,
  );
  const [collated = {}] = (await session.query(`select ${collations.join(", ")} ${one}`)).rows;
  return names.map((name, index) => {
    const type = String(told[`t${index}`]);
    const collation = textOf(collated[`c${index}`]);
    return { name, type, kind: kindOf(type), order: orderOf(type, collation), collation, isNullable: true };
  });
}

function kindOf(type: string): ColumnKind {
  if (type === "date") return "date";
  if (/^timestamp(?:\(\d\))? with time zone$/.test(type)) return "instant";
  if (/^timestamp(?:\(\d\))? without time zone$/.test(type)) return "timestamp";
  return type === "smallint" || type === "integer" || type === "bigint" ? "integer" : "other";
}

function orderOf(type: string, collation: unknown): string {
  const bare = type.replace(/\(.*\)/, "");
  if (["smallint", "integer", "bigint", "numeric"].includes(bare)) return "number";
  if (bare === "text" || bare === "character varying") return `text ${String(collation)}`;
  return collation === null || collation === undefined ? bare : `${bare} ${String(collation)}`;
}

/**
 * Of pairs of types, by name: whether the first is assigned to the second, whether that may lose a part of a value without
 * an error (a fraction, a time of day, the order of json), and whether two values of the second can be compared. Whole
 * numbers and texts that are too large or long for their column are an error of the database, so they may try.
 */
const judge = `
  with pair as (
    select p.n, coalesce(nullif(s.typbasetype, 0), s.oid) as source, coalesce(nullif(t.typbasetype, 0), t.oid) as target
    from unnest($1::text[], $2::text[]) with ordinality p(source, target, n)
    join pg_type s on s.oid = p.source::regtype join pg_type t on t.oid = p.target::regtype
  )
  select p.n::text as n,
    case
      when not exists (select from pg_operator o where o.oprname = '=' and o.oprleft = o.oprright
          and (o.oprleft = t.oid
            or t.typtype = 'e' and o.oprleft = 'anyenum'::regtype
            or t.typcategory = 'A' and o.oprleft = 'anyarray'::regtype
            or t.typtype = 'r' and o.oprleft = 'anyrange'::regtype
            or t.typtype = 'm' and o.oprleft = 'anymultirange'::regtype
            or t.oid = 'varchar'::regtype))
        then 'not-comparable'
      when s.oid = t.oid then 'fits'
      when t.typcategory = 'S' and (s.typcategory = 'S' or s.typtype in ('b', 'e')) then 'fits'
      when s.oid = 'json'::regtype and t.oid = 'jsonb'::regtype then 'fits'
      when t.oid = 'timestamptz'::regtype and s.oid in ('timestamp'::regtype, 'date'::regtype) then 'depends-on-session'
      when c.castcontext = 'i' and not (s.typcategory = 'N' and t.oid in ('float4'::regtype, 'float8'::regtype)) then 'fits'
      when c.castcontext is null then 'not-assignable'
      when c.castcontext = 'e' then 'not-assignable'
      when s.oid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) and t.oid in ('int2'::regtype, 'int4'::regtype) then 'fits'
      when s.oid = 'int8'::regtype and t.oid = 'numeric'::regtype then 'fits'
      when s.oid in ('int2'::regtype) and t.typcategory = 'N' then 'fits'
      when s.oid = 'float4'::regtype and t.oid = 'float8'::regtype then 'fits'
      when s.oid = 'int4'::regtype and t.oid = 'float8'::regtype then 'fits'
      else 'loses-value'
    end as verdict
  from pair p join pg_type s on s.oid = p.source join pg_type t on t.oid = p.target
  left join pg_cast c on c.castsource = s.oid and c.casttarget = t.oid
  order by p.n`;

export async function misfits(session: Session, pairs: readonly ColumnPair[]): Promise<readonly Misfit[]> {
  const bare = (type: string) => type.replace(/\(\d+(?:,-?\d+)?\)/, "");
  const types = [pairs.map(({ source: { type } }) => bare(type)), pairs.map(({ target: { type } }) => bare(type))];
  const { rows } = await session.query(judge, types);
  return rows.flatMap((row) => {
    const pair = pairs[Number(row["n"]) - 1];
    if (pair === undefined) return [];
    const verdict = String(row["verdict"]) as "fits" | Misfit["why"];
    if (verdict !== "fits") return [{ column: pair.target.name, why: verdict }];
    return isNarrower(pair) ? [{ column: pair.target.name, why: "loses-value" as const }] : [];
  });
}

/** Digits behind the point that the table would round away without an error. */
function isNarrower({ source, target }: ColumnPair): boolean {
  const [given, kept] = [digitsOf(source.type), digitsOf(target.type)];
  return given !== null && kept !== null && given > kept;
}
