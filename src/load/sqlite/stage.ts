import type { Job, Session } from "../dialect.ts";
import { place, RepeatedKey, type RowClass, writtenOf } from "../rows.ts";
import { quote, quotedTable, rowsOf } from "./names.ts";
import { asTarget, isWhole, keyOn, Params, typeBeside } from "./rows.ts";
import { affinityOf, collationOf } from "./types.ts";

/** Tables beside, which this connection alone sees. The file's lock is held, so nobody writes between two statements. */
const rows = "temp.reprise_load_rows";

/**
 * Copies the source's rows of a window, in the order of the identity, into columns that turn and compare values as the
 * table's do. How many there are.
 */
export async function stage(session: Session, job: Job, where: (params: Params) => string): Promise<number> {
  const columns = writtenOf(job);
  const { version } = job;
  await unstage(session);
  const key = job.identity.map((column) => place(job, column)).join(", ");
  const newest = job.ifSourceRepeatsKey === "newest" && version !== null;
  // an upsert would take one of two rows of one key after the other, and say nothing
  const once = newest ? [] : [`unique (${key})`];
  const made = columns.map(({ target }, index) => `c${index} ${typeBeside(target)}`);
  await session.query(
    `create table ${rows} (${["n integer primary key", "repetition integer not null", ...made, ...once].join(", ")})`,
  );
  const order = keyOn(job, "source").join(", ");
  const repetition = newest
    ? // of rows of one version one is chosen that is the same each time
      `row_number() over (partition by ${order} order by ${[
        `${asTarget(version)} desc`,
        ...job.content.map((column) => `${asTarget(column)} collate binary`),
      ].join(", ")})`
    : "1";
  const params = new Params();
  const text = `insert into ${rows} (repetition, ${columns.map((_, index) => `c${index}`).join(", ")})
    select ${repetition}, ${columns.map(({ name }) => `s.${quote(name)}`).join(", ")}
    from ${rowsOf(job.source)} s where ${where(params)} order by ${order}`;
  try {
    return (await session.query(text, params.values)).count;
  } catch (error) {
    throw isUnique(error) ? new RepeatedKey(error) : error;
  }
}

export async function unstage(session: Session): Promise<void> {
  await session.query(`drop table if exists ${rows}`);
}

function isUnique(error: unknown): boolean {
  return resultCode(error) === 2067;
}
/** SQLite's own number for an error: node:sqlite calls it errcode, libsql rawCode. 0: no error of SQLite's. */
export function resultCode(error: unknown): number {
  if (typeof error !== "object" || error === null) return 0;
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode;
  return "rawCode" in error && typeof error.rawCode === "number" ? error.rawCode : 0;
}

/** The copied rows, from one number to another, met with the table's, and the class of each. */
export function classified(job: Job, from: number, to: number, params: Params): string {
  return classes(job, rows, `s.n > ${params.push(from)} and s.n <= ${params.push(to)}`);
}

/**
 * The same of the source's rows as they lie, without a copy. `null`: they would not be compared as the table's, or are to
 * be told from others of their key.
 */
export function classifiedInPlace(job: Job, where: (params: Params) => string, params: Params): string | null {
  const columns = writtenOf(job);
  const isAlike = columns.every(({ source, target }) => affinityOf(source.type) === affinityOf(target.type));
  if (!isAlike || job.ifSourceRepeatsKey === "newest") return null;
  const named = columns.map(({ name }, index) => `s.${quote(name)} as c${index}`);
  const place = `(select ${named.join(", ")}, 1 as repetition from ${rowsOf(job.source)} s where ${where(params)})`;
  return classes(job, place, "true");
}

function classes(job: Job, from: string, where: string): string {
  const { version } = job;
  const needed = [...job.identity, ...(version === null ? [] : [version])].map((column) => `s.${place(job, column)}`);
  const isKeyless = needed.map((column) => `${column} is null`).join(" or ");
  return `select s.*, case when ${isKeyless} then ${quoted("keyless")}
      when s.repetition > 1 then ${quoted("duplicate")}
      ${comparisons(job).join("\n      ")} end as class
    from ${from} s left join ${quotedTable(job.target.table)} f on ${met(job)}
    where ${where}`;
}

/** As the table's unique key compares. */
export function met(job: Job): string {
  const same = job.identity.map((column) => {
    const collation = collationOf(column.target.type);
    const value = `s.${place(job, column)}${collation === null ? "" : ` collate ${quote(collation)}`}`;
    return `${value} = f.${quote(column.name)}`;
  });
  return same.join(" and ");
}

/** By their bytes, for another case is a change, though a collation equates the two. */
export function differs(job: Job, comes: (column: string, index: number) => string, has = "f"): string {
  const first = writtenOf(job).length - job.content.length;
  const each = job.content.map(
    ({ name }, index) => `${has}.${quote(name)} collate binary is not ${comes(name, first + index)}`,
  );
  return each.length === 0 ? "false" : `(${each.join(" or ")})`;
}

function comparisons(job: Job): readonly string[] {
  const { version, mark, ifSameVersionDiffers, identity } = job;
  const [first] = identity;
  const isNew = first === undefined ? "false" : `f.${quote(first.name)} is null`;
  const ofVersion =
    version === null
      ? []
      : [
          `when f.${quote(version.name)} > s.${place(job, version)} then ${quoted("older")}`,
          `when f.${quote(version.name)} < s.${place(job, version)} then ${quoted("newer")}`,
        ];
  const tied = quoted(ifSameVersionDiffers === "overwrite" ? "newer" : "tied");
  return [
    `when ${isNew} then ${quoted("new")}`,
    ...ofVersion,
    `when ${differs(job, (_, index) => `s.c${index}`)} then ${tied}`,
    ...(mark === null ? [] : [`when f.${quote(mark.column.name)} is not null then ${quoted("newer")}`]),
    `else ${quoted("same")}`,
  ];
}

function quoted(name: RowClass): string {
  return `'${name}'`;
}

/** The source's keys, for whoever asks which of the table's it lacks. */
export const keys = "temp.reprise_load_keys";
export async function stageKeys(session: Session, job: Job, where: (params: Params) => string): Promise<void> {
  await session.query(`drop table if exists ${keys}`);
  const columns = job.identity.map(({ target }, index) => `k${index} ${typeBeside(target)}`);
  const names = job.identity.map((_, index) => `k${index}`).join(", ");
  await session.query(`create table ${keys} (${columns.join(", ")}, primary key (${names})) without rowid`);
  const params = new Params();
  await session.query(
    `insert or ignore into ${keys} (${names}) select ${job.identity.map(({ name }) => `s.${quote(name)}`).join(", ")}
    from ${rowsOf(job.source)} s where ${where(params)} and ${isWhole(job)}`,
    params.values,
  );
}
export function isGone(job: Job): string {
  const same = job.identity.map(({ name }, index) => `g.k${index} = f.${quote(name)}`);
  return `not exists (select 1 from ${keys} g where ${same.join(" and ")})`;
}
