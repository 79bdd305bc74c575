import type { Comparison, Job, ListedKey, Session, Survey, SurveyWants } from "../dialect.ts";
import { numberOf, outer, place, textOf } from "../rows.ts";
import type { LoadRange } from "../window.ts";
import { quote, quotedTable, rowsOf } from "./names.ts";
import {
  asTarget,
  asText,
  differ,
  inRange,
  isRounded,
  mayBeRounded,
  newestFirst,
  Params,
  selectSource,
} from "./rows.ts";
import { settle } from "./session.ts";

/** A sample of so many rows cuts windows whose sizes differ by a twentieth or so; from a smaller one they differ more. */
const sampledOfWindow = 500;

export async function survey(session: Session, job: Job, range: LoadRange, wants: SurveyWants): Promise<Survey> {
  await settle(session);
  const params = new Params();
  const where = inRange(job, range, "source", params);
  const isKeyless = job.identity.map(({ name }) => `s.${quote(name)} is null`).join(" or ");
  const isVersionless = job.version === null ? "false" : `s.${quote(job.version.name)} is null`;
  const rounding = mayBeRounded(job);
  const text = `select count(*)::text as rows,
    count(*) filter (where ${isKeyless})::text as keyless,
    count(*) filter (where ${isVersionless} and not (${isKeyless}))::text as versionless,
    ${windowless(job, "source")} as windowless,
    ${rounding.map((column, index) => `count(*) filter (where ${isRounded(column)})::text as r${index},`).join(" ")}
    ${bounds(job, "source")}
    from ${rowsOf(job.source)} s where ${where}`;
  const [found] = (await session.query(text, params.values)).rows;
  const target = wants.targetBounds ? await targetBounds(session, job, range) : undefined;
  const isNumber = job.by?.source.kind === "integer";
  const [none] = (
    await session.query(`select (not exists (select from ${quotedTable(job.target.table)}))::text as none`)
  ).rows;
  return {
    rows: numberOf(found?.["rows"]),
    keyless: numberOf(found?.["keyless"]),
    versionless: numberOf(found?.["versionless"]),
    windowless: numberOf(found?.["windowless"]),
    rounded: rounding.map((column, index) => ({ column, rows: numberOf(found?.[`r${index}`]) })),
    targetIsWindowless: numberOf(target?.["windowless"]) > 0,
    repeated: wants.repeated ? await repeatedKeys(session, job, range) : { keys: 0, rows: 0 },
    least: outer(textOf(found?.["least"]), textOf(target?.["least"]), "least", isNumber),
    greatest: outer(textOf(found?.["greatest"]), textOf(target?.["greatest"]), "greatest", isNumber),
    targetIsEmpty: none?.["none"] === "true",
  };
}

function bounds(job: Job, side: "source" | "target"): string {
  if (job.by === null) return "null as least, null as greatest";
  const column = `${side === "source" ? "s" : "f"}.${quote(job.by.name)}`;
  // windows have bounds that a calendar has; what is infinite is in the outermost
  const finite = job.by[side].kind === "integer" ? "" : ` filter (where isfinite(${column}))`;
  return `${asText(`min(${column})${finite}`)} as least, ${asText(`max(${column})${finite}`)} as greatest`;
}

/** Rows without a value of what windows are cut by. */
function windowless(job: Job, side: "source" | "target"): string {
  if (job.by === null) return "'0'";
  const column = `${side === "source" ? "s" : "f"}.${quote(job.by.name)}`;
  return `count(*) filter (where ${column} is null)::text`;
}

async function targetBounds(session: Session, job: Job, range: LoadRange) {
  const params = new Params();
  const where = inRange(job, range, "target", params);
  const text = `select ${bounds(job, "target")}, ${windowless(job, "target")} as windowless
    from ${quotedTable(job.target.table)} f where ${where}`;
  return (await session.query(text, params.values)).rows[0];
}

async function repeatedKeys(session: Session, job: Job, range: LoadRange): Promise<Survey["repeated"]> {
  const params = new Params();
  const whole = job.identity.map(({ name }) => `s.${quote(name)} is not null`);
  const text = `select count(*)::text as keys, coalesce(sum(n), 0)::text as rows from (
    select count(*) as n from ${rowsOf(job.source)} s
    where ${[inRange(job, range, "source", params), ...whole].join(" and ")}
    group by ${job.identity.map(asTarget).join(", ")} having count(*) > 1) r`;
  const [row] = (await session.query(text, params.values)).rows;
  return { keys: numberOf(row?.["keys"]), rows: numberOf(row?.["rows"]) };
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
  const columns = job.identity.map(({ name }, index) => `s.${quote(name)} as k${index}`);
  const keys = job.identity.map((_, index) => `k${index}`);
  const whole = job.identity.map(({ name }) => `s.${quote(name)} is not null`);
  const sampled = share === 1 ? "" : ` and random() < ${params.add(String(share), "float8")}`;
  const text = `select ${keys.map((key) => `${asText(key)} as ${key}`).join(", ")} from (
    select ${keys.join(", ")}, row_number() over (order by ${keys.join(", ")}) as n, count(*) over () as total from (
      select ${columns.join(", ")} from ${rowsOf(job.source)} s where ${whole.join(" and ")}${sampled}) sample
    ) placed where n % ${params.add(String(every), "int8")} = 0 and n < total order by n limit ${params.add(String(atMost), "int8")}`;
  const cuts = (await session.query(text, params.values)).rows.map((row) => keys.map((key) => String(row[key])));
  // a repeated key may have been met by two cuts, between which nothing lies
  return cuts.filter((one, index) => one.some((value, part) => value !== cuts[index - 1]?.[part]));
}

/** The source's rows against the whole table, for a key may have moved from window to window; then the table's against it. */
export async function compare(session: Session, job: Job, range: LoadRange, limit: number): Promise<Comparison> {
  const { version, mark } = job;
  const params = new Params();
  const table = quotedTable(job.target.table);
  const key = job.identity.map((column) => place(job, column));
  const order = [...key, newestFirst(job)].join(", ");
  const met = job.identity.map((column) => `f.${quote(column.name)} = s.${place(job, column)}`).join(" and ");
  const has = (name: string) => `f.${quote(name)}`;
  const [firstKey] = job.identity;
  const older = version === null ? "false" : `${has(version.name)} > s.${place(job, version)}`;
  const isOther = differ(
    job,
    ({ name }) => has(name),
    (column) => `s.${place(job, column)}`,
  );
  const differs =
    version === null ? isOther : `${has(version.name)} is distinct from s.${place(job, version)} or ${isOther}`;
  const marked = mark === null ? "false" : `${has(mark.column.name)} is not null`;
  const unmarked = mark === null ? "true" : `${has(mark.column.name)} is null`;
  const whole = job.identity.map(({ name }) => `s.${quote(name)} is not null`);
  const near = job.keyTellsWindow ? [inRange(job, range, "source", params)] : [];
  const same = job.identity.map((column) => `${asTarget(column)} = ${has(column.name)}`);
  // the source is read beside them: a table of their names would not be seen
  const text = `with "reprise src" as materialized (
    select distinct on (${key.join(", ")}) * from (
      ${selectSource(job, [inRange(job, range, "source", params), ...whole].join(" and "))}) c order by ${order}
  ), "reprise met" as materialized (
    select ${key.map((column) => `s.${column}`).join(", ")}, case when ${has(firstKey?.name ?? "")} is null then 'missing'
      when ${older} then 'older' when ${differs} or ${marked} then 'differing' end as is
    from "reprise src" s left join ${table} f on ${met}
  ), "reprise found" as materialized (
    select * from "reprise met" where "is" is not null
    union all
    select ${job.identity.map(({ name }) => has(name)).join(", ")}, 'extra' from ${table} f
    where ${inRange(job, range, "target", params)} and ${unmarked}
      and not exists (select from ${rowsOf(job.source)} s where ${[...same, ...near].join(" and ")})
  )
  select 'count' as kind, "is", count(*)::text as n, ${key.map((_, index) => `null as k${index}`).join(", ")}
  from "reprise found" group by "is"
  union all
  select 'key', "is", null, ${key.map((column, index) => `${asText(column)} as k${index}`).join(", ")}
  from (select * from "reprise found" order by ${key.join(", ")} limit ${params.add(String(limit), "int8")}) listed`;
  const { rows } = await session.query(text, params.values);
  const count = (wanted: ListedKey["is"]) =>
    numberOf(rows.find(({ kind, is }) => kind === "count" && is === wanted)?.["n"]);
  const listed = rows.filter(({ kind }) => kind === "key");
  return {
    missing: count("missing"),
    differing: count("differing"),
    older: count("older"),
    extra: count("extra"),
    keys: listed.map((row) => ({
      is: row["is"] as ListedKey["is"],
      key: Object.fromEntries(job.identity.map(({ name }, index) => [name, String(row[`k${index}`])])),
    })),
  };
}
