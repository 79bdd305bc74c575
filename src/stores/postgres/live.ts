import type { Definitions, Live } from "../schema.ts";
import type { OwnRow } from "./driver.ts";
import { numberOf, textOf } from "./rows.ts";

/** What the catalogue tells of our tables, each row a fact; of `$1`, the schema. */
export const catalogue = `with t as (select c.oid, c.relname::text as tab, c.relkind, c.reloptions, c.relpersistence from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition and starts_with(c.relname::text, 'reprise_'))
  select 'table' as kind, tab, '' as name, case when relkind = 'p' then lower(replace(pg_get_partkeydef(oid), '  ', ' '))
      else trim(case when relpersistence = 'u' then 'unlogged ' else '' end || coalesce(array_to_string(reloptions, ', '), ''))
      end as definition, 1 as valid from t
  union all select 'column', t.tab, a.attname::text, format_type(a.atttypid, a.atttypmod)
      || case when a.attcollation = y.typcollation then '' else ' collate ' || quote_ident(o.collname) end
      || case when a.attnotnull then ' not null' else '' end
      || case when a.attidentity = 'a' then ' generated always as identity' when d.oid is null then ''
        else ' default ' || pg_get_expr(d.adbin, d.adrelid) end, 1
    from t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    join pg_type y on y.oid = a.atttypid left join pg_collation o on o.oid = a.attcollation
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  union all select case when i.indisprimary then 'key' else 'index' end, t.tab, x.relname::text,
      case when i.indisunique and not i.indisprimary then 'unique ' else '' end
      || case when m.amname = 'btree' then '' else 'using ' || m.amname || ' ' end
      || '(' || (select string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' order by k) from generate_series(1, i.indnkeyatts) k)
      || ')' || coalesce(' where ' || pg_get_expr(i.indpred, i.indrelid), ''), case when i.indisvalid then 1 else 0 end
    from t join pg_index i on i.indrelid = t.oid join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
  union all select 'partition', t.tab, p.relname::text, lower(pg_get_expr(p.relpartbound, p.oid)),
      case when 'fillfactor=85' = any(p.reloptions) then 1 else 0 end
    from t join pg_inherits h on h.inhparent = t.oid join pg_class p on p.oid = h.inhrelid
  union all select 'function', '', p.proname::text, p.prosrc, 1
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = $1 and starts_with(p.proname::text, 'reprise_')`;

export interface LiveSchema {
  readonly tables: Live;
  /** What each does, by its name. */
  readonly functions: ReadonlyMap<string, string>;
  readonly partitions: readonly Partition[];
}
export interface Partition {
  readonly table: string;
  readonly name: string;
  readonly modulus: number;
  readonly remainder: number;
  readonly isRoomy: boolean;
}

export function liveSchema(rows: readonly OwnRow[]): LiveSchema {
  const facts = rows.map((row) => ({
    kind: textOf(row["kind"]),
    table: textOf(row["tab"]),
    name: textOf(row["name"]),
    definition: textOf(row["definition"]),
    isValid: numberOf(row["valid"]) === 1,
  }));
  const of = (kind: string, table?: string) =>
    facts.filter((one) => one.kind === kind && (table === undefined || one.table === table));
  const byName = (kind: string, table: string): Definitions =>
    Object.fromEntries(of(kind, table).map(({ name, definition }) => [name, asDeclared(definition)]));
  return {
    tables: new Map(
      of("table").map(({ table, definition }) => [
        table,
        {
          columns: byName("column", table),
          primaryKey: of("key", table)[0]?.definition ?? "",
          indexes: byName("index", table),
          invalid: new Set(of("index", table).flatMap(({ name, isValid }) => (isValid ? [] : [name]))),
          options: definition.startsWith("hash ") ? `partition by ${definition}` : definition,
        },
      ]),
    ),
    functions: new Map(of("function").map(({ name, definition }) => [name, definition])),
    partitions: of("partition").flatMap(({ table, name, definition, isValid }) => {
      const [modulus, remainder] = (definition.match(/\d+/g) ?? []).map(Number);
      return modulus === undefined || remainder === undefined
        ? []
        : [{ table, name, modulus, remainder, isRoomy: isValid }];
    }),
  };
}

/** An index's condition comes back with every cast and parenthesis. */
function asDeclared(definition: string): string {
  const [head = "", condition] = definition.split(" where ");
  if (condition === undefined) return definition;
  const words = condition
    .replace(/::"?\w+"?|[()]/g, "")
    .replace(/\b(?:IS|NOT|NULL|OR|AND)\b/g, (word) => word.toLowerCase());
  return `${head} where ${words}`;
}
