import type { Dialect } from "../finding.ts";
import { changesIn } from "../sql/changes.ts";
import { insteadOf } from "../sql/instead.ts";
import type { Event } from "./events.ts";
import type { Script } from "./structure.ts";

/** What to write instead of `first` and `write`, with the mapper that the program uses. */
export function insteadInProgram(
  first: Event,
  write: Event,
  key: readonly string[],
  script: Script,
  dialect: Dialect,
): string {
  const { model, method, insert } = write;
  const upsert = method === "sql" ? undefined : mapperOf(script);
  if (upsert === undefined) {
    const table = { text: model, schema: undefined, name: model, isPrivate: false };
    const columns = { columns: insert?.columns ?? [], spelling: insert?.spelling ?? new Map<string, string>() };
    const changes = first.is === "look" && first.by === "select" ? "none" : changesOf(first, write);
    return insteadOf({ table, ...columns, key, changes }, dialect);
  }
  const columns = key.length === 0 ? ["<key>"] : key;
  const needs = `// needs: a unique constraint on ${model} (${columns.join(", ")}), each column not null`;
  return `${upsert(model, columns)}\n${needs}`;
}

function changesOf({ update = [] }: Event, { insert }: Event) {
  return (insert === undefined ? undefined : changesIn(update, insert.table)) ?? "all";
}

type Upsert = (model: string, key: readonly string[]) => string;

const quoted = (key: readonly string[]) => key.map((column) => `"${column}"`).join(", ");

const mappers: readonly (readonly [RegExp, Upsert])[] = [
  [
    /prisma/i,
    (model, key) => `await prisma.${model}.upsert({ where: { ${key.join(", ")} }, create: { … }, update: { … } });`,
  ],
  [/sequelize/i, (model, key) => `await ${model}.upsert({ … }, { conflictFields: [${quoted(key)}] });`],
  [/typeorm/i, (model, key) => `await ${model}.upsert({ … }, [${quoted(key)}]);`],
  [/mikro-orm/i, (model) => `await em.upsert(${model}, { … });`],
  [
    /drizzle-orm/i,
    (model, key) => {
      const target = key.map((column) => (column === "<key>" ? column : `${model}.${column}`)).join(", ");
      return `await db.insert(${model}).values({ … }).onConflictDoUpdate({ target: [${target}], set: { … }, setWhere: … });`;
    },
  ],
  [
    /kysely/i,
    (model, key) =>
      `await db.insertInto("${model}").values({ … }).onConflict((row) => row.columns([${quoted(key)}]).doUpdateSet({ … }).where(…)).execute();`,
  ],
  [/knex/i, (model, key) => `await knex("${model}").insert({ … }).onConflict([${quoted(key)}]).merge().where(…);`],
  [/supabase/i, (model, key) => `await supabase.from("${model}").upsert({ … }, { onConflict: "${key.join(",")}" });`],
  [
    /mongoose|mongodb/i,
    (model, key) => `await ${model}.updateOne({ ${key.join(", ")} }, { $setOnInsert: { … } }, { upsert: true });`,
  ],
];

/** Told once for a program: a long one has many findings. */
const known = new WeakMap<Script, { readonly upsert: Upsert | undefined }>();

function mapperOf(script: Script): Upsert | undefined {
  const told = known.get(script) ?? { upsert: mappers.find(([name]) => name.test(script.text))?.[1] };
  known.set(script, told);
  return told.upsert;
}
