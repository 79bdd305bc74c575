import { giveTurn } from "../../base/turn.ts";
import { addCounts, type LostCounts, noCounts, noneLost, type WindowCounts } from "../counts.ts";
import type { Hints, Job, Session } from "../dialect.ts";
import { classCounts, countsOf, isNewer, markedOf, numberOf, place, writtenOf } from "../rows.ts";
import { isAtMost } from "../share.ts";
import type { LoadRange, LoadWindow } from "../window.ts";
import { list, quote, quotedTable } from "./names.ts";
import { inRange, inWindow, Params } from "./rows.ts";
import { classified, classifiedInPlace, differs, isGone, stage, stageKeys, unstage } from "./stage.ts";

/** The driver answers in this thread: so many rows are met or written before others have their turn. */
const rowsAtOnce = 5_000;

/** Where nothing is new, one look at the rows as they lie says so; else they are copied. */
export async function apply(session: Session, job: Job, window: LoadWindow, hints: Hints): Promise<WindowCounts> {
  const where = (params: Params) => inWindow(job, window, "source", params);
  const lost = await markLost(session, job, window);
  const looked = hints.targetWasEmpty ? null : await looksThrough(session, job, where);
  const isNothingNew = looked !== null && looked.inserted + looked.updated === 0;
  const counts = isNothingNew ? looked : await copied(session, job, where, window.is !== "keyless");
  return { ...counts, ...lost };
}

async function copied(
  session: Session,
  job: Job,
  where: (params: Params) => string,
  isWritten: boolean,
): Promise<WindowCounts> {
  const counts = await counted(session, job, await stage(session, job, where), isWritten);
  await unstage(session);
  return counts;
}

async function looksThrough(
  session: Session,
  job: Job,
  where: (params: Params) => string,
): Promise<WindowCounts | null> {
  const params = new Params();
  const rows = classifiedInPlace(job, where, params);
  return rows === null ? null : classesOf(session, rows, params);
}

/** What a run would do, and how many rows it would mark if it were one window. */
export async function preview(session: Session, job: Job, range: LoadRange): Promise<WindowCounts> {
  const counts = await copied(session, job, (params) => inRange(job, range, "source", params), false);
  if (job.mark === null) return counts;
  const { lost, held } = await countLost(session, job, { is: "range", ...range });
  return { ...counts, ...markedOf(job, lost, held) };
}

/** Nobody writes meanwhile, so that the classes are what becomes of the rows. */
async function counted(session: Session, job: Job, staged: number, isWritten: boolean): Promise<WindowCounts> {
  let sum = noCounts;
  for (let from = 0; from < staged; from += rowsAtOnce) {
    if (from > 0) await giveTurn();
    const params = new Params();
    const counts = await classesOf(session, classified(job, from, from + rowsAtOnce, params), params);
    sum = addCounts(sum, counts);
    if (isWritten && counts.inserted + counts.updated > 0) await upsert(session, job, from, from + rowsAtOnce);
  }
  return { ...sum, read: staged };
}

async function classesOf(session: Session, rows: string, params: Params): Promise<WindowCounts> {
  const found = await session.query(`select class, count(*) as n from (${rows}) group by class`, params.values);
  return countsOf(classCounts(found.rows), null);
}

async function upsert(session: Session, job: Job, from: number, to: number): Promise<void> {
  const columns = writtenOf(job);
  const key = job.identity.map(({ name }) => name);
  const changed = columns.slice(key.length).map(({ name }) => `${quote(name)} = excluded.${quote(name)}`);
  if (job.mark !== null) changed.push(`${quote(job.mark.column.name)} = null`);
  const comes = (name: string) => `excluded.${quote(name)}`;
  const newer = isNewer(job, (name) => `f.${quote(name)}`, comes, differs(job, comes));
  const conflict = changed.length === 0 ? "do nothing" : `do update set ${changed.join(", ")} where ${newer}`;
  const params = new Params();
  await session.query(
    `insert into ${quotedTable(job.target.table)} as f (${list(columns.map(({ name }) => name))})
    select ${columns.map((_, index) => `c${index}`).join(", ")} from (${classified(job, from, to, params)})
    where class in ('new', 'newer') order by ${job.identity.map((column) => place(job, column)).join(", ")}
    on conflict (${list(key)}) ${conflict}`,
    params.values,
  );
}

/** Rows of the window without mark. */
function held(job: Job, window: LoadWindow, params: Params): string {
  const unmarked = job.mark === null ? "true" : `f.${quote(job.mark.column.name)} is null`;
  return `${inWindow(job, window, "target", params)} and ${unmarked}`;
}

async function countLost(session: Session, job: Job, window: LoadWindow) {
  // where only equal windows hold equal keys, the source's window tells what it lacks
  const isNear = window.is === "keys" || (window.is === "range" && job.keyTellsWindow);
  await stageKeys(session, job, (params) => (isNear ? inWindow(job, window, "source", params) : "true"));
  const params = new Params();
  const text = `select count(*) as held, count(iif(${isGone(job)}, 1, null)) as lost
    from ${quotedTable(job.target.table)} f where ${held(job, window, params)}`;
  const [row] = (await session.query(text, params.values)).rows;
  return { lost: numberOf(row?.["lost"]), held: numberOf(row?.["held"]) };
}

async function markLost(session: Session, job: Job, window: LoadWindow): Promise<LostCounts> {
  if (job.mark === null) return noneLost;
  const { lost, held: all } = await countLost(session, job, window);
  if (lost === 0 || !isAtMost(lost, all, job.mark.atMost)) return { lost, marked: 0 };
  const params = new Params();
  const { count } = await session.query(
    `update ${quotedTable(job.target.table)} as f set ${quote(job.mark.column.name)} = strftime('%Y-%m-%d %H:%M:%f', 'now')
    where ${held(job, window, params)} and ${isGone(job)}`,
    params.values,
  );
  return { lost, marked: count };
}
