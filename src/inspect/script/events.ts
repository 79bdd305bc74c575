import type { Dialect } from "../finding.ts";
import { locksRows } from "../sql/guards.ts";
import { insteadOf } from "../sql/instead.ts";
import { readInsert, readUpdate, splitWith } from "../sql/statements.ts";
import { clause, comparedColumns, isWord, type Tokens, tablesRead } from "../sql/tables.ts";
import { type Chain, chainAround, closingOf, type Script, textAt } from "./structure.ts";

/** A call that looks for a row, or writes one, as far as its name and its statement tell. */
export interface Event {
  readonly is: "look" | "write";
  readonly by: "select" | "update";
  /** In lower case, without what mappers append; several where a statement reads several tables. */
  readonly models: readonly string[];
  /** As it is printed. */
  readonly model: string;
  readonly method: string;
  readonly chain: Chain;
  /** The columns that it asks by. */
  readonly key: readonly string[];
  readonly columns: readonly string[];
  /** Whether it locks the rows that it finds. */
  readonly locks: boolean;
  /** Whether it may as well update. */
  readonly mayUpdate: boolean;
}

const looks = new Set([
  ...[
    "findOne",
    "findOneBy",
    "findFirst",
    "findUnique",
    "findByPk",
    "findAll",
    "findMany",
    "find",
    "findBy",
    "count",
    "countBy",
  ],
  ...[
    "exists",
    "exist",
    "existsBy",
    "existBy",
    "findAndCountAll",
    "getOne",
    "getCount",
    "getExists",
    "findById",
    "countDocuments",
  ],
]);
const writes = new Set([
  "create",
  "insert",
  "save",
  "bulkCreate",
  "createMany",
  "insertMany",
  "insertOne",
  "insertGraph",
]);
/** They end a chain that says elsewhere what it is about. */
const builders = new Set([
  "from",
  "selectFrom",
  "into",
  "insertInto",
  "table",
  "getRepository",
  "queryBuilder",
  "model",
]);
const guards = new Set([
  "onConflict",
  "onConflictDoNothing",
  "onConflictDoUpdate",
  "onDuplicateKeyUpdate",
  "orIgnore",
  "orUpdate",
  "ignore",
]);
const notTables =
  /(?:service|client|api|controller|gateway|helper|cache|map|set|list|array|factory|builder|logger|registry|provider|http|axios|fs)$/i;
const managers = /^(?:em|manager|entityManager|entity_manager|orm|mikro|session)$/i;

/** What the call at the name `at` does to a table; `undefined`: nothing, or nobody can tell. */
export function eventOf(script: Script, at: number): Event | undefined {
  const method = textAt(script, at);
  const isLook = looks.has(method);
  if (
    !isLook &&
    !writes.has(method) &&
    method !== "select" &&
    method !== "selectFrom" &&
    method !== "insertInto" &&
    method !== "first"
  ) {
    return undefined;
  }
  if (textAt(script, at - 1) !== "." && textAt(script, at - 1) !== "?.") return undefined;
  const chain = chainAround(script, at);
  const place = chain.links.findIndex((link) => link.at === at);
  const link = chain.links[place];
  if (link === undefined || link.open === -1) return undefined;
  const model = modelOf(script, chain, place);
  if (model === undefined) return undefined;
  const isWrite = writes.has(method) || method === "insertInto";
  if (isWrite && chain.links.some(({ name }) => guards.has(name))) return undefined;
  const args = { from: link.open, to: closingOf(script, link.open) };
  if (isWrite && hasName(script, args, "skipDuplicates", "ignoreDuplicates", "updateOnDuplicate", "onConflict"))
    return undefined;
  if (!isWrite && args.to === args.from + 1 && (method === "exists" || method === "find")) return undefined;
  return {
    is: isWrite ? "write" : "look",
    by: "select",
    models: [normal(model)],
    model,
    method,
    chain,
    key: isWrite ? [] : keyOf(script, chain),
    columns: [],
    locks:
      chain.links.some(({ name }) => /^(?:forUpdate|forShare|setLock|for)$/.test(name)) ||
      hasName(script, args, "lock", "lockMode"),
    mayUpdate: method === "save" && !["{", "new"].includes(textAt(script, args.from + 1)),
  };
}

function hasName(script: Script, { from, to }: { from: number; to: number }, ...names: readonly string[]): boolean {
  for (let at = from; at < to; at += 1) if (names.includes(textAt(script, at))) return true;
  return false;
}

function modelOf(script: Script, chain: Chain, place: number): string | undefined {
  const { links } = chain;
  const built = links.find(({ name, open }) => builders.has(name) && open !== -1);
  const said = built === undefined ? undefined : argument(script, built.open);
  if (said !== undefined) return said;
  const [root] = links;
  const method = links[place]?.name ?? "";
  // knex("users"), db("users")
  if (root !== undefined && root.open !== -1 && place > 0 && script.tokens[root.open + 1]?.kind === "string") {
    return closingOf(script, root.open) === root.open + 2 ? argument(script, root.open) : undefined;
  }
  const before = links[place - 1];
  const called = links[place]?.open ?? -1;
  // db.insert(users).values(…)
  if (method === "insert" && links[place + 1]?.name === "values") return argument(script, called);
  if (method === "select" || method === "selectFrom" || method === "insertInto" || method === "first") return undefined;
  if (before === undefined) return undefined;
  if (managers.test(before.name) || before.name === "createQueryBuilder") return argument(script, called);
  if (before.open !== -1 || before.name === "this" || notTables.test(before.name)) return undefined;
  // an array, or a file system, has no such words before it
  return before.name;
}

/** The first argument, where it is a name or a plain string. */
function argument(script: Script, open: number): string | undefined {
  const token = script.tokens[open + 1];
  const after = textAt(script, open + 2);
  if (token === undefined || (after !== ")" && after !== ",")) return undefined;
  if (token.kind === "name") return token.text;
  if (token.kind !== "string") return undefined;
  const [name] = script.text.slice(token.start + 1, token.end - 1).split(/\s/);
  return name;
}

export function normal(model: string): string {
  return model
    .replace(/^["`[]|["`\]]$/g, "")
    .replace(/(?:Repository|Repo|Model|Table|Dao|Entity|Collection|s)$/i, "")
    .toLowerCase();
}

/** The names in `where: { a, b: … }`, `findOneBy({ a })`, `.where({ a })`, `.where("a", …)`. */
function keyOf(script: Script, { links, to }: Chain): readonly string[] {
  for (const { name, open } of links) {
    if (open === -1) continue;
    let brace = -1;
    const first = script.tokens[open + 1];
    if (name === "where" && first?.kind === "string") return [script.text.slice(first.start + 1, first.end - 1)];
    if (
      ["where", "findOneBy", "findBy", "existsBy", "countBy", "exists"].includes(name) &&
      textAt(script, open + 1) === "{"
    )
      brace = open + 1;
    for (let at = open; at < to && brace === -1 && at < open + 80; at += 1) {
      if (textAt(script, at) === "where" && textAt(script, at + 1) === ":" && textAt(script, at + 2) === "{")
        brace = at + 2;
    }
    if (brace === -1) continue;
    const keys: string[] = [];
    for (let at = brace + 1; at < closingOf(script, brace); at += 1) {
      if (script.around[at] !== brace || script.tokens[at]?.kind !== "name") continue;
      if (["{", ","].includes(textAt(script, at - 1))) keys.push(textAt(script, at));
    }
    return keys.slice(0, 4);
  }
  return [];
}

/** What a statement in a string does, as an event of the call that it is given to. */
export function eventsOfStatement(script: Script, from: number, statement: Tokens, dialect: Dialect): readonly Event[] {
  const call = callAround(script, from);
  if (call === undefined) return [];
  const { main } = splitWith(statement);
  const common = {
    method: "sql",
    chain: call,
    key: [] as readonly string[],
    columns: [] as readonly string[],
    mayUpdate: false,
  };
  const insert = readInsert(main);
  if (insert !== undefined) {
    if (insert.isGuarded || insert.manner !== "plain" || insert.table.isPrivate) return [];
    const written = { models: [normal(insert.table.name)], model: insert.table.text, columns: insert.columns };
    return [{ ...common, ...written, is: "write", by: "select", locks: false }];
  }
  const updated = readUpdate(main);
  const key = comparedColumns(clause(main, "where"));
  if (updated !== undefined) {
    return [
      { ...common, key, is: "look", by: "update", models: [normal(updated.name)], model: updated.text, locks: false },
    ];
  }
  if (!isWord(main[0], "select")) return [];
  const tables = tablesRead(statement).map(({ table }) => table);
  const [first] = tables;
  if (first === undefined) return [];
  const models = tables.map(({ name }) => normal(name));
  return [
    {
      ...common,
      key,
      is: "look",
      by: "select",
      models,
      model: first.text,
      locks: locksRows(main) && dialect !== "sqlite",
    },
  ];
}

/** `client.query("…")`, or the tagged template itself. */
function callAround(script: Script, at: number): Chain | undefined {
  if (script.tokens[at]?.kind === "template" && script.tokens[at - 1]?.kind === "name") {
    const chain = chainAround(script, at - 1);
    return { ...chain, to: Math.max(chain.to, at) };
  }
  // through the objects that statements are wrapped in: `{ text: "…" }`, `sql("…")`
  let open = script.around[at] ?? -1;
  for (let turns = 0; turns < 4 && open !== -1; turns += 1) {
    if (textAt(script, open) === "(" && script.tokens[open - 1]?.kind === "name") {
      if (["if", "while", "for", "switch", "return", "await"].includes(textAt(script, open - 1))) return undefined;
      const chain = chainAround(script, open - 1);
      if (chain.isAwaited) return chain;
    } else if (textAt(script, open) === "(" && textAt(script, open - 1) === ">") {
      // `query<Row>("…")`
      let back = open - 1;
      for (let depth = 0; back > open - 40 && back > 0; back -= 1) {
        if (textAt(script, back) === ">") depth += 1;
        else if (textAt(script, back) === "<") depth -= 1;
        if (depth === 0) break;
      }
      const chain = chainAround(script, back - 1);
      if (chain.isAwaited) return chain;
    }
    open = script.around[open] ?? -1;
  }
  return undefined;
}

export function insteadInProgram(write: Event, key: readonly string[], text: string, dialect: Dialect): string {
  const columns = key.join('", "') || "<key>";
  const uses = (name: RegExp) => name.test(text);
  const needs = `// needs: a unique constraint on ${write.model} (${key.join(", ") || "<key>"}), each column not null`;
  const call = writeWith();
  if (call !== undefined) return `${call}\n${needs}`;
  const table = { text: write.model, schema: undefined, name: write.model, isPrivate: false };
  return insteadOf({ table, columns: write.columns, key }, dialect);

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
