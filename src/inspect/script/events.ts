import type { Insert, Removal } from "../sql/statements.ts";
import type { Tokens } from "../sql/tables.ts";
import { keyOf } from "./keys.ts";
import { type Chain, chainAround, closingOf, type Script, textAt } from "./structure.ts";

/** A call that looks for a row, or writes one, as far as its name and its statement tell. */
export interface Event {
  readonly is: "look" | "write" | "removal";
  readonly by: "select" | "update";
  /** In lower case, without what mappers append; several where a statement reads several tables. */
  readonly models: readonly string[];
  /** As it is printed. */
  readonly model: string;
  readonly method: string;
  readonly chain: Chain;
  /** The columns that it asks by. */
  readonly key: readonly string[];
  /** Of a statement, what it inserts or deletes. */
  readonly insert?: Insert;
  /** Of a statement that updates, and looks so for a row. */
  readonly update?: Tokens;
  readonly removal?: Removal;
  /** Whether it locks the rows that it finds. */
  readonly locks: boolean;
  /** Whether it may as well update. */
  readonly mayUpdate: boolean;
}

const looks = new Set(
  "findOne findOneBy findFirst findUnique findByPk findAll findMany find findBy count countBy exists exist existsBy existBy findAndCountAll getOne getCount getExists findById countDocuments".split(
    " ",
  ),
);
const updates = new Set("update updateMany updateOne updateTable".split(" "));
const removals = new Set("delete deleteMany deleteOne deleteFrom del destroy nativeDelete".split(" "));
/** They tell of a table only together with the rest of the chain. */
const starters = new Set("select selectFrom insertInto first updateTable deleteFrom".split(" "));
const writes = new Set("create insert save bulkCreate createMany insertMany insertOne insertGraph".split(" "));
/** They end a chain that says elsewhere what it is about. */
const builders = new Set(
  "from selectFrom into insertInto updateTable deleteFrom table collection getRepository queryBuilder model".split(" "),
);
const guards = new Set(
  "onConflict onConflictDoNothing onConflictDoUpdate onDuplicateKeyUpdate orIgnore orUpdate ignore".split(" "),
);
const notTables =
  /(?:service|client|api|controller|gateway|helper|cache|map|set|list|array|factory|builder|logger|registry|provider|http|axios|fs)$/i;
const managers = /^(?:em|manager|entityManager|entity_manager|orm|mikro|session)$/i;

/** What the call at the name `at` does to a table; `undefined`: nothing, or nobody can tell. */
export function eventOf(script: Script, at: number): Event | undefined {
  const method = textAt(script, at);
  const is = kindOf(method);
  if (is === undefined) return undefined;
  if (textAt(script, at - 1) !== "." && textAt(script, at - 1) !== "?.") return undefined;
  const chain = chainAround(script, at);
  const place = chain.links.findIndex((link) => link.at === at);
  const link = chain.links[place];
  if (link === undefined || link.open === -1) return undefined;
  const model = modelOf(script, chain, place);
  if (model === undefined) return undefined;
  const isWrite = is === "write";
  if (isWrite && chain.links.some(({ name }) => guards.has(name))) return undefined;
  const args = { from: link.open, to: closingOf(script, link.open) };
  if (isWrite && hasName(script, args, "skipDuplicates", "ignoreDuplicates", "updateOnDuplicate", "onConflict"))
    return undefined;
  if (!isWrite && args.to === args.from + 1 && (method === "exists" || method === "find")) return undefined;
  return {
    is,
    by: updates.has(method) ? "update" : "select",
    models: [normal(model)],
    model,
    method,
    chain,
    key: isWrite ? [] : keyOf(script, chain),
    locks:
      chain.links.some(({ name }) => /^(?:forUpdate|forShare|setLock|for)$/.test(name)) ||
      hasName(script, args, "lock", "lockMode"),
    mayUpdate: method === "save" && !["{", "new"].includes(textAt(script, args.from + 1)),
  };
}

function kindOf(method: string): Event["is"] | undefined {
  if (writes.has(method) || method === "insertInto") return "write";
  if (removals.has(method)) return "removal";
  return looks.has(method) || updates.has(method) || starters.has(method) ? "look" : undefined;
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
  // db.insert(users).values(…), db.update(users).set(…), db.delete(users).where(…)
  const follows = links[place + 1]?.name;
  if (method === "insert" && follows === "values") return argument(script, called);
  if (method === "update" && follows === "set") return argument(script, called);
  if (method === "delete" && (follows === "where" || /^(?:db|tx|trx)$/.test(before?.name ?? "")))
    return argument(script, called);
  if (starters.has(method)) return undefined;
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
