import { type LostCounts, noneLost } from "../counts.ts";
import type { Job, Session } from "../dialect.ts";
import { keyOf, numberOf } from "../rows.ts";
import { isAtMost } from "../share.ts";
import type { LoadWindow } from "../window.ts";
import { quote, quotedTable, rowsOf } from "./names.ts";
import { asTarget, inWindow, Params } from "./rows.ts";

/** Rows of the table that the source no longer has. */
const gone = "reprise_load_gone";

/** Rows of the window without mark. */
function held(job: Job, window: LoadWindow, params: Params): string {
  const unmarked = job.mark === null ? "true" : `f.${quote(job.mark.column.name)} is null`;
  return `${quotedTable(job.target.table)} f where ${inWindow(job, window, "target", params)} and ${unmarked}`;
}

/** Where only equal windows hold equal keys, the source's window tells that it lacks a row. */
function isLost(job: Job, window: LoadWindow, params: Params): string {
  const same = job.identity.map((column) => `${asTarget(column)} = f.${quote(column.name)}`);
  const isNear = window.is === "keys" || (window.is === "range" && job.keyTellsWindow);
  const near = isNear ? [inWindow(job, window, "source", params)] : [];
  return `not exists (select 1 from ${rowsOf(job.source)} s where ${[...same, ...near].join(" and ")})`;
}

async function countHeld(session: Session, job: Job, window: LoadWindow): Promise<number> {
  const params = new Params();
  const [row] = (await session.query(`select count(*) as n from ${held(job, window, params)}`, params.values)).rows;
  return numberOf(row?.["n"]);
}

export async function countLost(session: Session, job: Job, window: LoadWindow) {
  const params = new Params();
  const text = `select count(*) as n from ${held(job, window, params)} and ${isLost(job, window, params)}`;
  const [row] = (await session.query(text, params.values)).rows;
  return { lost: numberOf(row?.["n"]), held: await countHeld(session, job, window) };
}

/** Found first, then locked in the order of the identity, as the upsert does: an update would lock as it comes upon them. */
export async function markLost(session: Session, job: Job, window: LoadWindow): Promise<LostCounts> {
  if (job.mark === null) return noneLost;
  const columns = job.identity.map(({ target }, index) => `k${index} ${target.type} not null`);
  await session.query(`drop temporary table if exists ${gone}`);
  await session.query(
    `create temporary table ${gone} (n bigint unsigned not null auto_increment primary key, ${columns.join(", ")})`,
  );
  const params = new Params();
  const keys = job.identity.map(({ name }) => `f.${quote(name)}`);
  const found = await session.query(
    `insert into ${gone} (${keys.map((_, index) => `k${index}`).join(", ")})
    select ${keys.join(", ")} from ${held(job, window, params)} and ${isLost(job, window, params)}
    order by ${keys.join(", ")}`,
    params.values,
  );
  const lost = found.count;
  const isFew = lost > 0 && isAtMost(lost, await countHeld(session, job, window), job.mark.atMost);
  const marked = isFew ? await mark(session, job, job.mark.column.name) : 0;
  await session.query(`drop temporary table ${gone}`);
  return { lost, marked };
}

async function mark(session: Session, job: Job, name: string): Promise<number> {
  const key = keyOf(job);
  const index = key === undefined ? "" : `force index (${quote(key.name)})`;
  const same = job.identity.map((column, index) => `f.${quote(column.name)} = g.k${index}`);
  const column = `f.${quote(name)}`;
  const { count } = await session.query(
    `update ${gone} g straight_join ${quotedTable(job.target.table)} f ${index} on ${same.join(" and ")}
    set ${column} = now(6) where ${column} is null`,
  );
  return count;
}
