import type { Column, Table, UniqueIndex } from "./shape.ts";

/** Asks one statement, whose values it binds. Rejects where it takes longer than is left. */
export type Ask = (statement: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** What each database says of its tables, in the same words. */
export interface Catalogue {
  readonly tables: (ask: Ask) => Promise<readonly Table[]>;
  readonly quote: (name: string) => string;
}

const made =
  /nextval\s*\(|gen_random_uuid|uuid_generate|uuidv[147]|\buuid\s*\(|newid|random|auto_increment|cuid|ulid|nanoid/i;
const plain = /^[a-z_][a-z0-9_]*$/;

const quote = (name: string) => (plain.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
const quoteBack = (name: string) => (plain.test(name) ? name : `\`${name.replaceAll("`", "``")}\``);

const postgresTables = `
  select c.oid::text as id, n.nspname as schema, c.relname as name, greatest(c.reltuples, 0)::float8 as rows,
    (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null), 'nullable', not a.attnotnull,
       'made', a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid), '') ~* '(nextval|gen_random_uuid|uuid_generate|uuidv[147]|random)',
       'distinct', coalesce((select s.n_distinct <= -0.9 from pg_stats s where s.schemaname = n.nspname and s.tablename = c.relname
         and s.attname = a.attname order by s.inherited desc limit 1), false)) order by a.attnum)
     from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    (select json_agg(json_build_object('name', i.relname, 'valid', x.indisvalid and x.indisready and x.indislive, 'partial', x.indpred is not null,
       'expression', 0 = any(x.indkey::int2[]), 'same', coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false),
       'columns', (select json_agg(a.attname order by k.place) from unnest(x.indkey::int2[]) with ordinality k(attnum, place)
         join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum where k.place <= x.indnkeyatts)) order by x.indisprimary desc, i.relname)
     from pg_index x join pg_class i on i.oid = x.indexrelid where x.indrelid = c.oid and x.indisunique) as indexes
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
    and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  order by n.nspname, c.relname limit 5000`;

interface PostgresRow {
  readonly schema: string;
  readonly name: string;
  readonly rows: number;
  readonly columns:
    | readonly { name: string; type: string; nullable: boolean; made: boolean; distinct: boolean }[]
    | null;
  readonly indexes:
    | readonly {
        name: string;
        valid: boolean;
        partial: boolean;
        expression: boolean;
        same: boolean;
        columns: string[] | null;
      }[]
    | null;
}

export const postgresCatalogue: Catalogue = {
  quote,
  tables: async (ask) =>
    ((await ask(postgresTables)) as unknown as readonly PostgresRow[]).map(
      ({ schema, name, rows, columns, indexes }) => ({
        name: schema === "public" ? quote(name) : `${quote(schema)}.${quote(name)}`,
        rows,
        columns: (columns ?? []).map((one) => ({
          name: one.name,
          type: one.type,
          isNullable: one.nullable,
          isMadeUp: one.made,
          isDistinct: one.distinct,
        })),
        unique: (indexes ?? []).map((one) => ({
          name: one.name,
          columns: one.columns ?? [],
          isValid: one.valid,
          isPartial: one.partial,
          hasExpression: one.expression,
          nullsAreSame: one.same,
        })),
      }),
    ),
};

/** Functions that are the user's own, as they would be created again. */
export const postgresFunctions = `
  select format('%I.%I', n.nspname, p.proname) as name, pg_get_functiondef(p.oid) as text
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
  where p.prokind in ('f', 'p') and l.lanname in ('plpgsql', 'sql') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
    and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  order by 1 limit 2000`;

export const mysqlCatalogue: Catalogue = {
  quote: quoteBack,
  tables: async (ask) => {
    const tables = await ask(
      "select table_name as `table`, coalesce(table_rows, 0) as `rows` from information_schema.tables where table_schema = database() and table_type = 'BASE TABLE' order by table_name limit 5000",
    );
    const columns = await ask(
      "select table_name as `table`, column_name as `name`, column_type as `type`, is_nullable as `nullable`, coalesce(column_default, '') as `default`, extra as `extra` from information_schema.columns where table_schema = database() order by table_name, ordinal_position",
    );
    const indexes = await ask(
      "select table_name as `table`, index_name as `name`, column_name as `column`, sub_part as `part` from information_schema.statistics where table_schema = database() and non_unique = 0 order by table_name, index_name = 'PRIMARY' desc, index_name, seq_in_index",
    );
    return tables.map(({ table, rows }) => {
      const own = indexes.filter((one) => one["table"] === table);
      const names = [...new Set(own.map((one) => String(one["name"])))];
      return {
        name: quoteBack(String(table)),
        rows: Number(rows),
        columns: columns
          .filter((one) => one["table"] === table)
          .map(
            (one): Column => ({
              name: String(one["name"]),
              type: String(one["type"]),
              isNullable: one["nullable"] === "YES",
              isMadeUp: made.test(`${String(one["extra"])} ${String(one["default"])}`),
              isDistinct: false,
            }),
          ),
        unique: names.map((name): UniqueIndex => {
          const parts = own.filter((one) => one["name"] === name);
          return {
            name,
            columns: parts
              .map((one) => one["column"])
              .filter((column) => column !== null)
              .map(String),
            isValid: true,
            // of a prefix: two values that begin alike are one to it
            isPartial: parts.some((one) => one["part"] !== null),
            hasExpression: parts.some((one) => one["column"] === null),
            nullsAreSame: false,
          };
        }),
      };
    });
  },
};

export const sqliteCatalogue: Catalogue = {
  quote,
  tables: async (ask) => {
    const found: Table[] = [];
    const tables = await ask(
      "select name, sql from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name limit 5000",
    );
    for (const { name, sql } of tables) {
      const table = `'${String(name).replaceAll("'", "''")}'`;
      const columns = await ask(
        `select name, type, "notnull" as "notnull", dflt_value as "default", pk from pragma_table_info(${table})`,
      );
      const indexes = await ask(`select name, origin, partial from pragma_index_list(${table}) where "unique" = 1`);
      const keys = columns
        .filter(({ pk }) => Number(pk) > 0)
        .sort((one, other) => Number(one["pk"]) - Number(other["pk"]));
      const [only] = keys;
      // `integer primary key` is the row's own number
      const isNumbered = keys.length === 1 && /^integer$/i.test(String(only?.["type"]));
      const withoutNumber = /\bwithout\s+rowid\b/i.test(String(sql));
      const unique: UniqueIndex[] = [];
      const whole = { isValid: true, nullsAreSame: false };
      if (isNumbered && only !== undefined) {
        unique.push({
          ...whole,
          name: "primary key",
          columns: [String(only["name"])],
          isPartial: false,
          hasExpression: false,
        });
      }
      for (const index of indexes) {
        const parts = await ask(`select name from pragma_index_info('${String(index["name"]).replaceAll("'", "''")}')`);
        const names = parts.map((one) => one["name"]);
        unique.push({
          ...whole,
          name: String(index["name"]),
          columns: names.filter((one) => one !== null).map(String),
          isPartial: Number(index["partial"]) === 1,
          hasExpression: names.includes(null),
        });
      }
      found.push({
        name: quote(String(name)),
        rows: 0,
        columns: columns.map(
          (one): Column => ({
            name: String(one["name"]),
            type: String(one["type"]),
            isNullable: Number(one["notnull"]) === 0 && !(Number(one["pk"]) > 0 && (withoutNumber || isNumbered)),
            isMadeUp: (isNumbered && one === only) || made.test(String(one["default"] ?? "")),
            isDistinct: false,
          }),
        ),
        unique,
      });
    }
    return found;
  },
};
