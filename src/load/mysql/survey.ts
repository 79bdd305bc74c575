import type { Column, Job, Session, Survey, SurveyWants } from "../dialect.ts";
import { numberOf, outer } from "../rows.ts";
import type { LoadRange } from "../window.ts";
import { quote, quotedTable, rowsOf } from "./names.ts";
import { asTarget, asText, boundsOf, inRange, Params, readText, type Side } from "./rows.ts";

/** A sample of so many rows cuts windows whose sizes differ by a twentieth or so; from a smaller one they differ more. */
const sampledOfWindow = 500;

export async function survey(session: Session, job: Job, range: LoadRange, wants: SurveyWants): Promise<Survey> {
  const { by, version } = job;
  const isKeyless = job.identity.map(({ name }) => `s.${quote(name)} is null`).join(" or ");
  const isVersionless = version === null ? "false" : `s.${quote(version.name)} is null`;
  const params = new Params();
  const text = `select count(*) as n,
    count(if(${isKeyless}, 1, null)) as keyless,
    count(if(${isVersionless} and not (${isKeyless}), 1, null)) as versionless,
    ${windowless(job, "source")} as windowless,
    ${bounds(job, "source")}
    from ${rowsOf(job.source)} s where ${inRange(job, range, "source", params)}`;
  const [found] = (await session.query(text, params.values)).rows;
  const target = wants.targetBounds ? await targetBounds(session, job, range) : undefined;
  const some = `select exists (select 1 from ${quotedTable(job.target.table)}) as some`;
  const [any] = (await session.query(some)).rows;
  const bound = (row: typeof found, wanted: "least" | "greatest", column: Column | undefined) =>
    column === undefined ? null : readText(row?.[wanted], column);
  const widest = (wanted: "least" | "greatest") =>
    outer(bound(found, wanted, by?.source), bound(target, wanted, by?.target), wanted, by?.source.kind === "integer");
  return {
    rows: numberOf(found?.["n"]),
    keyless: numberOf(found?.["keyless"]),
    versionless: numberOf(found?.["versionless"]),
    windowless: numberOf(found?.["windowless"]),
    targetIsWindowless: numberOf(target?.["windowless"]) > 0,
    repeated: wants.repeated ? await repeatedKeys(session, job, range) : { keys: 0, rows: 0 },
    least: widest("least"),
    greatest: widest("greatest"),
    targetIsEmpty: numberOf(any?.["some"]) === 0,
  };
}

function bounds(job: Job, side: Side): string {
  if (job.by === null) return "null as least, null as greatest";
  const column = `${side === "source" ? "s" : "f"}.${quote(job.by.name)}`;
  const of = (value: string) => asText(value, job.by?.[side] ?? { type: "" });
  return `${of(`min(${column})`)} as least, ${of(`max(${column})`)} as greatest`;
}

/** Rows without a value of what windows are cut by. */
function windowless(job: Job, side: Side): string {
  if (job.by === null) return "0";
  const column = `${side === "source" ? "s" : "f"}.${quote(job.by.name)}`;
  return `count(if(${column} is null, 1, null))`;
}

async function targetBounds(session: Session, job: Job, range: LoadRange) {
  const params = new Params();
  const where = inRange(job, range, "target", params);
  const text = `select ${bounds(job, "target")}, ${windowless(job, "target")} as windowless
    from ${quotedTable(job.target.table)} f where ${where}`;
  return (await session.query(text, params.values)).rows[0];
}

/** As the table's collation sees it: two spellings of one key are one key to its constraint. */
async function repeatedKeys(session: Session, job: Job, range: LoadRange): Promise<Survey["repeated"]> {
  const params = new Params();
  const whole = job.identity.map(({ name }) => `s.${quote(name)} is not null`);
  const text = `select count(*) as n, coalesce(sum(r.n), 0) as total from (
    select count(*) as n from ${rowsOf(job.source)} s
    where ${[inRange(job, range, "source", params), ...whole].join(" and ")}
    group by ${job.identity.map(asTarget).join(", ")} having count(*) > 1) r`;
  const [row] = (await session.query(text, params.values)).rows;
  return { keys: numberOf(row?.["n"]), rows: numberOf(row?.["total"]) };
}

/** From a sample: to be even, windows need not be exact. */
export async function cut(
  session: Session,
  job: Job,
  rows: number,
  atMost: number,
): Promise<readonly (readonly string[])[]> {
  const share = Math.min(1, sampledOfWindow / rows);
  const every = Math.max(1, Math.round(rows * share));
  const params = new Params();
  const columns = boundsOf(job, "source").map((column, index) => `${column} as k${index}`);
  const keys = job.identity.map((_, index) => `k${index}`);
  const whole = job.identity.map(({ name }) => `s.${quote(name)} is not null`);
  const sampled = share === 1 ? "" : ` and rand() < ${params.push(share, "?")}`;
  const told = job.identity.map(({ target }, index) => `${asText(`k${index}`, target)} as t${index}`);
  const text = `select ${told.join(", ")} from (
    select ${keys.join(", ")}, row_number() over (order by ${keys.join(", ")}) as n, count(*) over () as total from (
      select ${columns.join(", ")} from ${rowsOf(job.source)} s where ${whole.join(" and ")}${sampled}) sample
    ) placed where n % ${params.push(every, "?")} = 0 and n < total order by n limit ${params.push(atMost, "?")}`;
  const cuts = (await session.query(text, params.values)).rows.map((row) =>
    job.identity.map(({ target }, index) => readText(row[`t${index}`], target) ?? ""),
  );
  // a repeated key may have been met by two cuts, between which nothing lies
  return cuts.filter((one, index) => one.some((value, part) => value !== cuts[index - 1]?.[part]));
}
