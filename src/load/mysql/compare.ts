import type { Comparison, Job, ListedKey, Session } from "../dialect.ts";
import { numberOf, place } from "../rows.ts";
import type { LoadRange } from "../window.ts";
import { quote, quotedTable, rowsOf } from "./names.ts";
import { asTarget, asText, inRange, isSame, newestFirst, Params, readText, selectSource } from "./rows.ts";

/** The source's rows against the whole table, for a key may have moved from window to window; then the table's against it. */
export async function compare(session: Session, job: Job, range: LoadRange, limit: number): Promise<Comparison> {
  const counts = await counted(session, job, range);
  const keys = limit === 0 ? [] : await listed(session, job, range, limit);
  return { ...counts, keys };
}

async function counted(session: Session, job: Job, range: LoadRange): Promise<Omit<Comparison, "keys">> {
  const params = new Params();
  const text = `select found.what, count(*) as n from (${differences(job, range, params)}) found group by found.what`;
  const { rows } = await session.query(text, params.values);
  const of = (wanted: ListedKey["is"]) => numberOf(rows.find((row) => row["what"] === wanted)?.["n"]);
  return { missing: of("missing"), differing: of("differing"), older: of("older"), extra: of("extra") };
}

async function listed(session: Session, job: Job, range: LoadRange, limit: number): Promise<readonly ListedKey[]> {
  const keys = job.identity.map(({ target }, index) => `${asText(`found.k${index}`, target)} as t${index}`);
  const order = job.identity.map((_, index) => `found.k${index}`);
  const params = new Params();
  const text = `select found.what, ${keys.join(", ")} from (${differences(job, range, params)}) found
  order by ${order.join(", ")} limit ${params.push(limit, "?")}`;
  const { rows } = await session.query(text, params.values);
  return rows.map((row) => ({
    is: row["what"] as ListedKey["is"],
    key: Object.fromEntries(
      job.identity.map(({ name, target }, index) => [name, readText(row[`t${index}`], target) ?? ""]),
    ),
  }));
}

function differences(job: Job, range: LoadRange, params: Params): string {
  const { version, mark, identity, content } = job;
  const table = quotedTable(job.target.table);
  const key = identity.map((column) => place(job, column));
  const has = (name: string) => `f.${quote(name)}`;
  const whole = identity.map(({ name }) => `s.${quote(name)} is not null`);
  const [first] = identity;
  const older = version === null ? "false" : `${has(version.name)} > s.${place(job, version)}`;
  const compared = [...(version === null ? [] : [version]), ...content];
  const same = compared.map((column) => isSame(column, has(column.name), `s.${place(job, column)}`));
  const marked = mark === null ? "false" : `${has(mark.column.name)} is not null`;
  const unmarked = mark === null ? "true" : `${has(mark.column.name)} is null`;
  const ofSource = `select case when ${has(first?.name ?? "")} is null then 'missing' when ${older} then 'older'
      when not (${["true", ...same].join(" and ")}) or ${marked} then 'differing' end as what,
      ${key.map((column, index) => `s.${column} as k${index}`).join(", ")}
    from (select c.*, row_number() over (partition by ${key.join(", ")} order by ${newestFirst(job).join(", ")}) as repetition
      from (${selectSource(job, [inRange(job, range, "source", params), ...whole].join(" and "))}) c) s
    left join ${table} f on ${identity.map((column) => `${has(column.name)} = s.${place(job, column)}`).join(" and ")}
    where s.repetition = 1`;
  const met = identity.map((column) => `${asTarget(column)} = ${has(column.name)}`);
  const inTable = inRange(job, range, "target", params);
  const near = job.keyTellsWindow ? [inRange(job, range, "source", params)] : [];
  return `select d.* from (${ofSource}) d where d.what is not null
    union all
    select 'extra', ${identity.map(({ name }) => has(name)).join(", ")} from ${table} f
    where ${inTable} and ${unmarked}
      and not exists (select 1 from ${rowsOf(job.source)} s where ${[...met, ...near].join(" and ")})`;
}
