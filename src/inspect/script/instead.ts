import type { Dialect } from "../finding.ts";
import { insteadOf } from "../sql/instead.ts";
import type { Event } from "./events.ts";

/** What to write instead, with the mapper that the program uses. */
export function insteadInProgram(write: Event, key: readonly string[], text: string, dialect: Dialect): string {
  const columns = key.join('", "') || "<key>";
  const uses = (name: RegExp) => name.test(text);
  const needs = `// needs: a unique constraint on ${write.model} (${key.join(", ") || "<key>"}), each column not null`;
  const call = writeWith();
  if (call !== undefined) return `${call}\n${needs}`;
  const table = { text: write.model, schema: undefined, name: write.model, isPrivate: false };
  return insteadOf(
    { table, columns: write.insert?.columns ?? [], spelling: write.insert?.spelling ?? new Map(), key },
    dialect,
  );

  function writeWith(): string | undefined {
    const model = write.model;
    if (write.method === "sql") return undefined;
    if (uses(/prisma/i))
      return `await prisma.${model}.upsert({ where: { ${key.join(", ") || "<key>"} }, create: { … }, update: { … } });`;
    if (uses(/sequelize/i)) return `await ${model}.upsert({ … }, { conflictFields: ["${columns}"] });`;
    if (uses(/typeorm/i)) return `await ${model}.upsert({ … }, ["${columns}"]);`;
    if (uses(/mikro-orm/i)) return `await em.upsert(${model}, { … });`;
    if (uses(/drizzle-orm/i)) {
      return `await db.insert(${model}).values({ … }).onConflictDoUpdate({ target: [${key.map((one) => `${model}.${one}`).join(", ") || "<key>"}], set: { … }, setWhere: … });`;
    }
    if (uses(/kysely/i)) {
      return `await db.insertInto("${model}").values({ … }).onConflict((row) => row.columns(["${columns}"]).doUpdateSet({ … }).where(…)).execute();`;
    }
    if (uses(/knex/i)) return `await knex("${model}").insert({ … }).onConflict(["${columns}"]).merge().where(…);`;
    if (uses(/supabase/i))
      return `await supabase.from("${model}").upsert({ … }, { onConflict: "${key.join(",") || "<key>"}" });`;
    if (uses(/mongoose|mongodb/i))
      return `await ${model}.updateOne({ ${key.join(", ") || "<key>"} }, { $setOnInsert: { … } }, { upsert: true });`;
    return undefined;
  }
}
