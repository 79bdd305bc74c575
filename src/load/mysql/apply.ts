import { databaseErrorOf } from "../../contract/database-error.ts";
import type { WindowCounts } from "../counts.ts";
import type { Hints, Job, Session } from "../dialect.ts";
import { classCounts, countsOf, isNewer, markedOf, numberOf, place, RepeatedKey, writtenOf } from "../rows.ts";
import type { LoadRange, LoadWindow } from "../window.ts";
import { classified } from "./classify.ts";
import { countLost, markLost } from "./lost.ts";
import { list, quote, quotedTable } from "./names.ts";
import { inRange, inWindow, isSame, Params } from "./rows.ts";

/** A table that this connection alone sees, and that writes no log. A statement can name it only once. */
const rows = "reprise_load_rows";

/**
 * Where nothing is new, one look says so, and locks nothing. Else the window's rows are classified once more, into a table
 * beside, so that what is counted is what is written, whatever others commit meanwhile.
 */
export async function apply(session: Session, job: Job, window: LoadWindow, hints: Hints): Promise<WindowCounts> {
  // equal keys are in the same window, and what this run wrote is in others
  const isNew = hints.targetWasEmpty && (window.is !== "range" || job.keyTellsWindow);
  const lost = await markLost(session, job, window);
  return { ...(await written(session, job, window, isNew)), ...lost };
}

async function written(session: Session, job: Job, window: LoadWindow, isNew: boolean): Promise<WindowCounts> {
  if (!isNew) {
    const counts = await counted(session, job, (params) => inWindow(job, window, "source", params));
    if (counts.inserted + counts.updated === 0) return counts;
  }
  await session.query(`drop temporary table if exists ${rows}`);
  await session.query(beside(job));
  await classify(session, job, window, isNew);
  const found = await session.query(`select class, count(*) as n from ${rows} group by class`);
  const classes = classCounts(found.rows);
  const wanted = classes.of("new") + classes.of("newer");
  const done = wanted === 0 ? null : await upsert(session, job, wanted);
  await session.query(`drop temporary table ${rows}`);
  return countsOf(classes, done);
}

/** What a run would do, and how many rows it would mark if it were one window. */
export async function preview(session: Session, job: Job, range: LoadRange): Promise<WindowCounts> {
  const counts = await counted(session, job, (params) => inRange(job, range, "source", params));
  if (job.mark === null) return counts;
  const { lost, held } = await countLost(session, job, { is: "range", ...range });
  return { ...counts, ...markedOf(job, lost, held) };
}

async function counted(session: Session, job: Job, where: (params: Params) => string): Promise<WindowCounts> {
  const params = new Params();
  const { from, is } = classified(job, where(params), false);
  const found = await session.query(`select ${is} as class, count(*) as n from ${from} group by class`, params.values);
  return countsOf(classCounts(found.rows), null);
}

/** Of the types of the table, so that it is here that a value that does not fit is refused. */
function beside(job: Job): string {
  const columns = writtenOf(job).map(({ target }, index) => `c${index} ${target.type} null`);
  const key = job.identity.map((column) => place(job, column)).join(", ");
  // the upsert would take the last of two rows of one key, and say nothing
  const once = job.ifSourceRepeatsKey === "refuse" ? [`unique key (${key})`] : [];
  return `create temporary table ${rows} (${["class varchar(9) not null", ...columns, ...once].join(", ")})`;
}

async function classify(session: Session, job: Job, window: LoadWindow, isNew: boolean): Promise<void> {
  const params = new Params();
  const { from, is } = classified(job, inWindow(job, window, "source", params), isNew);
  const columns = writtenOf(job).map((_, index) => `c${index}`);
  const text = `insert into ${rows} (class, ${columns.join(", ")})
  select ${is}, ${columns.map((column) => `s.${column}`).join(", ")} from ${from}`;
  try {
    await session.query(text, params.values);
  } catch (error) {
    throw databaseErrorOf(error).errno === duplicateEntry ? new RepeatedKey(error) : error;
  }
}
const duplicateEntry = 1062;

/**
 * In the order of the identity, so that two windows lock rows in one order. The classes have spared the writing; the
 * constraint and the condition keep it right where another wrote meanwhile. How many rows were there already, and how many
 * of those were changed, is counted as it happens: what the server says afterwards depends on a flag of the connection.
 */
async function upsert(session: Session, job: Job, wanted: number): Promise<Pick<WindowCounts, "inserted" | "updated">> {
  const columns = writtenOf(job);
  await session.query("set @reprise_met = 0, @reprise_changed = 0, @reprise_newer = 0");
  await session.query(`insert into ${quotedTable(job.target.table)} (${list(columns.map(({ name }) => name))})
  select ${columns.map((_, index) => `c${index}`).join(", ")} from ${rows} where class in ('new', 'newer')
  order by ${job.identity.map((column) => place(job, column)).join(", ")}
  on duplicate key update ${assignments(job)}`);
  const [told] = (await session.query("select @reprise_met as met, @reprise_changed as changed")).rows;
  return { inserted: wanted - numberOf(told?.["met"]), updated: numberOf(told?.["changed"]) };
}

/**
 * The server assigns from left to right, and what it has assigned is what it compares with from then on: so the first
 * assignment decides for all, and the version, by which it decides, is the last.
 */
function assignments(job: Job): string {
  const { version, mark, content, identity } = job;
  const has = (name: string) => `${quotedTable(job.target.table)}.${quote(name)}`;
  const comes = (name: string) => `values(${quote(name)})`;
  const same = content.map((column) => isSame(column, has(column.name), comes(column.name)));
  const differs = same.length === 0 ? "false" : `not (${same.join(" and ")})`;
  const values: (readonly [string, string])[] = [
    ...(mark === null ? [] : [[mark.column.name, "null"] as const]),
    ...[...content, ...(version === null ? [] : [version])].map(({ name }) => [name, comes(name)] as const),
  ];
  const [key] = identity;
  // a table of nothing but its key has nothing to change
  if (values.length === 0 && key !== undefined) values.push([key.name, has(key.name)]);
  const meets = "(@reprise_met := @reprise_met + 1) > 0";
  const decides = `(@reprise_newer := if(${isNewer(job, has, comes, differs)}, 1, 0)) = 1`;
  const counts = "(@reprise_changed := @reprise_changed + 1) > 0";
  return values
    .map(([name, value], index) => {
      const when = index === 0 ? `if(${meets}, if(${decides}, ${counts}, false), false)` : "@reprise_newer = 1";
      return `${quote(name)} = if(${when}, ${value}, ${has(name)})`;
    })
    .join(",\n    ");
}
