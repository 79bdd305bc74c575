import type { Comparison, Job, ListedKey, Session, Survey, SurveyWants } from "../dialect.ts";
import { numberOf, outer, place, textOf } from "../rows.ts";
import type { LoadRange } from "../window.ts";
import { quote, quotedTable, rowsOf } from "./names.ts";
import { asTarget, asText, inRange, isWhole, keyOn, Params, type Side } from "./rows.ts";
import { differs, isGone, met, stage, stageKeys, unstage } from "./stage.ts";

/** A sample of so many rows cuts windows whose sizes differ by a twentieth or so; from a smaller one they differ more. */
const sampledOfWindow = 500;

export async function survey(session: Session, job: Job, range: LoadRange, wants: SurveyWants): Promise<Survey> {
  const isKeyless = job.identity.map(({ name }) => `s.${quote(name)} is null`).join(" or ");
  const isVersionless = job.version === null ? "false" : `s.${quote(job.version.name)} is null`;
  const params = new Params();
  const text = `select count(*) as n,
    count(*) filter (where ${isKeyless}) as keyless,
    count(*) filter (where ${isVersionless} and not (${isKeyless})) as versionless,
    ${windowless(job, "source")} as windowless,
    ${bounds(job, "source")}
    from ${rowsOf(job.source)} s where ${inRange(job, range, "source", params)}`;
  const [found] = (await session.query(text, params.values)).rows;
  const target = wants.targetBounds ? await targetBounds(session, job, range) : undefined;
  const isNumber = job.by?.source.kind === "integer";
  const [any] = (await session.query(`select exists (select 1 from ${quotedTable(job.target.table)}) as any`)).rows;
  return {
    rows: numberOf(found?.["n"]),
    keyless: numberOf(found?.["keyless"]),
    versionless: numberOf(found?.["versionless"]),
    windowless: numberOf(found?.["windowless"]),
    targetIsWindowless: numberOf(target?.["windowless"]) > 0,
    repeated: wants.repeated ? await repeatedKeys(session, job, range) : { keys: 0, rows: 0 },
    least: outer(textOf(found?.["least"]), textOf(target?.["least"]), "least", isNumber),
    greatest: outer(textOf(found?.["greatest"]), textOf(target?.["greatest"]), "greatest", isNumber),
    targetIsEmpty: numberOf(any?.["any"]) === 0,
  };
}

/** Windows have bounds that a calendar has; what is no date is in one of the outermost. */
function bounds(job: Job, side: Side): string {
  if (job.by === null) return "null as least, null as greatest";
  const column = `${side === "source" ? "s" : "f"}.${quote(job.by.name)}`;
  const readers = { integer: "cast", timestamp: "datetime" } as Readonly<Record<string, string>>;
  const reader = readers[job.by[side].kind] ?? "date";
  const value =
    reader === "cast"
      ? `iif(typeof(${column}) = 'integer', ${column}, null)`
      : `iif(typeof(${column}) = 'text', ${reader}(${column}), null)`;
  return `cast(min(${value}) as text) as least, cast(max(${value}) as text) as greatest`;
}

/** Rows without a value of what windows are cut by. */
function windowless(job: Job, side: Side): string {
  if (job.by === null) return "0";
  const column = `${side === "source" ? "s" : "f"}.${quote(job.by.name)}`;
  return `count(*) filter (where ${column} is null)`;
}

async function targetBounds(session: Session, job: Job, range: LoadRange) {
  const params = new Params();
  const where = inRange(job, range, "target", params);
  const text = `select ${bounds(job, "target")}, ${windowless(job, "target")} as windowless
    from ${quotedTable(job.target.table)} f where ${where}`;
  return (await session.query(text, params.values)).rows[0];
}

/** As the table's key compares: two spellings of one key are one key to its constraint. */
async function repeatedKeys(session: Session, job: Job, range: LoadRange): Promise<Survey["repeated"]> {
  const params = new Params();
  const text = `select count(*) as n, coalesce(sum(n), 0) as total from (
    select count(*) as n from ${rowsOf(job.source)} s
    where ${inRange(job, range, "source", params)} and ${isWhole(job)}
    group by ${keyOn(job, "source").join(", ")} having count(*) > 1)`;
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
  const columns = job.identity.map((column, index) => `${asTarget(column)} as k${index}`);
  const literals = job.identity.map((_, index) => `quote(k${index}) as k${index}`);
  const order = keyOn(job, "source");
  const params = new Params();
  const sampled = share === 1 ? "" : ` and abs(random() % 1000000) < ${params.push(Math.ceil(share * 1_000_000))}`;
  const text = `select ${literals.join(", ")} from (
    select ${columns.join(", ")}, row_number() over (order by ${order.join(", ")}) as n, count(*) over () as total
    from ${rowsOf(job.source)} s where ${isWhole(job)}${sampled}
  ) where n % ${params.push(every)} = 0 and n < total order by n limit ${params.push(atMost)}`;
  const cuts = (await session.query(text, params.values)).rows.map((row) =>
    job.identity.map((_, index) => String(row[`k${index}`])),
  );
  // a repeated key may have been met by two cuts, between which nothing lies
  return cuts.filter((one, index) => one.some((value, part) => value !== cuts[index - 1]?.[part]));
}

/** The source's rows against the whole table, for a key may have moved from window to window; then the table's against it. */
export async function compare(session: Session, job: Job, range: LoadRange, limit: number): Promise<Comparison> {
  await stage(session, job, (params) => inRange(job, range, "source", params));
  await stageKeys(session, job, (params) => (job.keyTellsWindow ? inRange(job, range, "source", params) : "true"));
  const some = new Params();
  const counts = await session.query(
    `select what, count(*) as n from (${differences(job, range, some)}) group by what`,
    some.values,
  );
  const of = (wanted: ListedKey["is"]) => numberOf(counts.rows.find((row) => row["what"] === wanted)?.["n"]);
  const params = new Params();
  const columns = job.identity.map((_, index) => `${asText(`k${index}`)} as k${index}`);
  const order = job.identity.map((_, index) => `d.k${index}`);
  const listed = await session.query(
    `select what, ${columns.join(", ")} from (${differences(job, range, params)}) d
    order by ${order.join(", ")} limit ${params.push(limit)}`,
    params.values,
  );
  await unstage(session);
  return {
    ...{ missing: of("missing"), differing: of("differing"), older: of("older"), extra: of("extra") },
    keys: listed.rows.map((row) => ({
      is: row["what"] as ListedKey["is"],
      key: Object.fromEntries(job.identity.map(({ name }, index) => [name, String(row[`k${index}`])])),
    })),
  };
}

function differences(job: Job, range: LoadRange, params: Params): string {
  const { version, mark, identity } = job;
  const table = quotedTable(job.target.table);
  const [first] = identity;
  const whole = identity.map((column) => `s.${place(job, column)} is not null`);
  const [has, comes] = version === null ? ["1", "1"] : [`f.${quote(version.name)}`, `s.${place(job, version)}`];
  const marked = mark === null ? "false" : `f.${quote(mark.column.name)} is not null`;
  const unmarked = mark === null ? "true" : `f.${quote(mark.column.name)} is null`;
  return `select case when f.${quote(first?.name ?? "")} is null then 'missing' when ${has} > ${comes} then 'older'
      when ${has} is not ${comes} or ${differs(job, (_, index) => `s.c${index}`)} or ${marked} then 'differing' end as what,
      ${identity.map((column, index) => `s.${place(job, column)} as k${index}`).join(", ")}
    from temp.reprise_load_rows s left join ${table} f on ${met(job)}
    where s.repetition = 1 and ${whole.join(" and ")} and what is not null
    union all
    select 'extra', ${identity.map(({ name }) => `f.${quote(name)}`).join(", ")} from ${table} f
    where ${inRange(job, range, "target", params)} and ${unmarked} and ${isGone(job)}`;
}
