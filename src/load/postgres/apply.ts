import { type LostCounts, noneLost, type WindowCounts } from "../counts.ts";
import type { Hints, Job, Session } from "../dialect.ts";
import { countsOf, isNewer, markedOf, numberOf, place, type RowClass, rowClasses, writtenOf } from "../rows.ts";
import type { LoadRange, LoadWindow } from "../window.ts";
import { list, quote, quotedTable, rowsOf } from "./names.ts";
import { asTarget, differ, inWindow, newestFirst, Params, selectSource } from "./rows.ts";
import { settle } from "./session.ts";

/**
 * How a window's rows meet the table's. `window`: with those that lie in the same window of the table, which is read once.
 * `each`: row by row through the unique index, for a small part of a big table, which the planner would read whole for every
 * window. `whole`: as the planner likes. `none`: there is nothing to meet.
 */
type Join = "none" | "window" | "each" | "whole";

/** The share of the table from which reading it whole is cheaper than looking up row by row. */
const mostOfTable = { window: 0.05, whole: 0.2 };

export async function apply(session: Session, job: Job, window: LoadWindow, hints: Hints): Promise<WindowCounts> {
  await settle(session);
  const lost = await markLost(session, job, window);
  const params = new Params();
  const join = await joinFor(session, job, window, hints);
  const isWritten = window.is !== "keyless";
  const text = `with ${classify(job, window, join, params)}${isWritten ? upsert(job) : ""}
${countClasses(isWritten ? (job.target.isPartitioned ? "told" : "written") : null)}`;
  const counts = countsIn((await session.query(text, params.values)).rows[0], isWritten);
  return { ...counts, ...lost };
}

/** What a run would do, and how many rows it would mark if it were one window. */
export async function preview(session: Session, job: Job, range: LoadRange): Promise<WindowCounts> {
  const params = new Params();
  const text = `with ${classify(job, { is: "range", ...range }, "whole", params)}\n${countClasses(null)}`;
  const counts = countsIn((await session.query(text, params.values)).rows[0], false);
  if (job.mark === null) return counts;
  const { lost, held } = await countLost(session, job, range);
  return { ...counts, ...markedOf(job, lost, held) };
}

async function joinFor(session: Session, job: Job, window: LoadWindow, hints: Hints): Promise<Join> {
  const table = quotedTable(job.target.table);
  if (window.is === "keyless") return "none";
  if (window.is === "whole") return "whole";
  if (window.is === "keys" && sortsAlike(job)) return "window";
  // equal keys are in the same window, and what this run wrote is in others
  if (hints.targetWasEmpty && (window.is === "keys" || job.keyTellsWindow)) return "none";
  const [explained] = (await session.query(`explain (format json) select from ${table}`)).rows;
  const share = hints.rows / planRows(Object.values(explained ?? {})[0]);
  if (job.keyTellsWindow && share > mostOfTable.window) return "window";
  return share > mostOfTable.whole ? "whole" : "each";
}

/** Else a key may be in one window of the source and in another of the table. */
function sortsAlike(job: Job): boolean {
  return job.identity.every(({ source, target }) => source.order === target.order);
}

/** What the planner thinks the table has, which it takes from its size: statistics are late in a load. */
function planRows(explained: unknown): number {
  const plans: unknown = typeof explained === "string" ? JSON.parse(explained) : explained;
  const [first] = plans as readonly [{ readonly Plan: { readonly "Plan Rows": number } }];
  return first.Plan["Plan Rows"];
}

/**
 * `src`: the source's rows, in the order of the identity, in which they are written. `cmp`: the same with the class of each.
 * Columns are known by their place there, so that no name of a user's meets one of these.
 */
function classify(job: Job, window: LoadWindow, join: Join, params: Params): string {
  const where = inWindow(job, window, "source", params);
  const { version } = job;
  const key = job.identity.map((column) => place(job, column));
  const newest = job.ifSourceRepeatsKey === "newest" && version !== null;
  const keyless = [...key, ...(version === null ? [] : [place(job, version)])].map((column) => `s.${column} is null`);
  const repeats = newest ? [`when s.repetition > 1 then 'duplicate'`] : [];
  const source = newest
    ? `select c.*, row_number() over (partition by ${key.join(", ")}
    order by ${newestFirst(job)}) as repetition from (${selectSource(job, where)}) c`
    : selectSource(job, where);
  const compared = join === "none" ? ["else 'new'"] : comparisons(job);
  const near = join === "window" ? inWindow(job, window, "target", params) : "true";
  const joined = {
    none: "",
    each: `left join lateral (${rowsOfTable(job, sameKey(job))} limit 1) f on true`,
    window: `left join (${rowsOfTable(job, near)}) f on ${sameKey(job)}`,
    whole: `left join ${quotedTable(job.target.table)} f on ${sameKey(job)}`,
  }[join];
  return `src as materialized (
  ${source} order by ${key.join(", ")}
), cmp as materialized (
  select s.*, case when ${keyless.join(" or ")} then 'keyless'
    ${[...repeats, ...compared].join("\n    ")} end as class
  from src s ${joined}
)`;
}

function rowsOfTable(job: Job, where: string): string {
  return `select f.* from ${quotedTable(job.target.table)} f where ${where}`;
}
function sameKey(job: Job): string {
  return job.identity.map((column) => `f.${quote(column.name)} = s.${place(job, column)}`).join(" and ");
}

function comparisons(job: Job): readonly string[] {
  const { version, mark, ifSameVersionDiffers } = job;
  const [first] = job.identity;
  const isNew = first === undefined ? "false" : `f.${quote(first.name)} is null`;
  const differs = differ(
    job,
    (column) => `f.${quote(column.name)}`,
    (column) => `s.${place(job, column)}`,
  );
  const revives = mark === null ? [] : [`when f.${quote(mark.column.name)} is not null then 'newer'`];
  const ofVersion =
    version === null
      ? []
      : [
          `when f.${quote(version.name)} > s.${place(job, version)} then 'older'`,
          `when f.${quote(version.name)} < s.${place(job, version)} then 'newer'`,
        ];
  const tied = ifSameVersionDiffers === "overwrite" ? "newer" : "tied";
  return [`when ${isNew} then 'new'`, ...ofVersion, `when ${differs} then '${tied}'`, ...revives, "else 'same'"];
}

/**
 * In the order of the identity, so that two windows lock rows in one order. The comparison before has spared the writing;
 * the constraint and this condition keep it right where another wrote meanwhile.
 */
function upsert(job: Job): string {
  const columns = writtenOf(job);
  const key = job.identity.map(({ name }) => name);
  const changed = columns.slice(key.length).map(({ name }) => `${quote(name)} = excluded.${quote(name)}`);
  if (job.mark !== null) changed.push(`${quote(job.mark.column.name)} = null`);
  const has = (name: string) => `f.${quote(name)}`;
  const comes = (name: string) => `excluded.${quote(name)}`;
  const newer = isNewer(
    job,
    has,
    comes,
    differ(
      job,
      ({ name }) => has(name),
      ({ name }) => comes(name),
    ),
  );
  const conflict = changed.length === 0 ? "do nothing" : `do update set ${changed.join(", ")}\n  where ${newer}`;
  return `,
written as (
  insert into ${quotedTable(job.target.table)} as f (${list(columns.map(({ name }) => name))})
  select ${columns.map((_, index) => `c${index}`).join(", ")} from cmp where class in ('new', 'newer')
  order by ${job.identity.map((column) => place(job, column)).join(", ")}
  on conflict (${list(key)}) ${conflict}
  returning ${job.target.isPartitioned ? key.map((name, index) => `f.${quote(name)} as c${index}`).join(", ") : "f.xmax = 0 as inserted"}
)${job.target.isPartitioned ? inserted(key.length) : ""}
`;
}

/** Of partitions PostgreSQL tells no system column: what was new when it was looked at counts as inserted. */
function inserted(keys: number): string {
  const same = Array.from({ length: keys }, (_, index) => `c.c${index} = w.c${index}`);
  return `, told as (
  select c.class = 'new' as inserted from written w join cmp c on ${same.join(" and ")} where c.class in ('new', 'newer')
)`;
}

function countClasses(written: "written" | "told" | null): string {
  const counts = rowClasses.map((name) => `count(*) filter (where class = '${name}')::text as of_${name}`);
  const ofWritten =
    written === null
      ? ""
      : `,\n  (select count(*) filter (where inserted)::text from ${written}) as inserted,
  (select count(*) filter (where not inserted)::text from ${written}) as updated`;
  return `select count(*)::text as read, ${counts.join(", ")}${ofWritten} from cmp`;
}

/** `isWritten`: else what would be. */
function countsIn(row: Readonly<Record<string, unknown>> | undefined, isWritten: boolean): WindowCounts {
  const written = { inserted: numberOf(row?.["inserted"]), updated: numberOf(row?.["updated"]) };
  const classes = { read: numberOf(row?.["read"]), of: (name: RowClass) => numberOf(row?.[`of_${name}`]) };
  return countsOf(classes, isWritten ? written : null);
}

/** Rows without mark that the source lacks; where only equal windows hold equal keys, its window is enough to see that. */
function gone(job: Job, window: LoadWindow, params: Params): { readonly lost: string; readonly held: string } {
  const column = job.mark === null ? "" : `f.${quote(job.mark.column.name)}`;
  const held = `${quotedTable(job.target.table)} f where ${inWindow(job, window, "target", params)} and ${column} is null`;
  const same = job.identity.map((column) => `${asTarget(column)} = f.${quote(column.name)}`);
  const near = window.is === "range" && job.keyTellsWindow ? [inWindow(job, window, "source", params)] : [];
  const lost = `${held} and not exists (select from ${rowsOf(job.source)} s where ${[...same, ...near].join(" and ")})`;
  return { lost, held };
}

async function countLost(session: Session, job: Job, range: LoadRange) {
  const params = new Params();
  const { lost, held } = gone(job, { is: "range", ...range }, params);
  const text = `select (select count(*) from ${lost})::text as lost, (select count(*) from ${held})::text as held`;
  const [row] = (await session.query(text, params.values)).rows;
  return { lost: numberOf(row?.["lost"]), held: numberOf(row?.["held"]) };
}

/** Locked in the order of the identity first, as the upsert does: an update alone locks as it comes upon them. */
async function markLost(session: Session, job: Job, window: LoadWindow): Promise<LostCounts> {
  if (job.mark === null) return noneLost;
  const params = new Params();
  const { lost, held } = gone(job, window, params);
  const column = quote(job.mark.column.name);
  const share = job.mark.atMost;
  const [parts, of] = [params.add(String(share.parts), "numeric"), params.add(String(share.of), "numeric")];
  const keys = job.identity.map(({ name }, index) => `f.${quote(name)} as k${index}`);
  const same = job.identity.map(({ name }, index) => `f.${quote(name)} = g.k${index}`);
  const order = job.identity.map(({ name }) => `f.${quote(name)}`);
  const text = `with gone as materialized (
  select ${keys.join(", ")} from ${lost} order by ${order.join(", ")} for update of f
), marked as (
  update ${quotedTable(job.target.table)} f set ${column} = now() from gone g
  where ${same.join(" and ")} and f.${column} is null
    and (select count(*) from gone) * ${of} <= (select count(*) from ${held}) * ${parts}
  returning 1
)
select (select count(*) from gone)::text as lost, (select count(*) from marked)::text as marked`;
  const [row] = (await session.query(text, params.values)).rows;
  return { lost: numberOf(row?.["lost"]), marked: numberOf(row?.["marked"]) };
}
