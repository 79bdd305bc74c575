import type { Job } from "../dialect.ts";
import { keyOf, place, type RowClass } from "../rows.ts";
import { quote, quotedTable } from "./names.ts";
import { isSame, newestFirst, selectSource } from "./rows.ts";

/** The server takes no `order by` in a derived table without a limit for more than a remark. */
const all = "limit 18446744073709551615";

/**
 * The source's rows in the order of the identity, met with the table's through its unique key, and the class of each.
 * `isNew`: there is nothing to meet. Columns are known by their place, so that no name of a user's meets one of these.
 */
export function classified(job: Job, where: string, isNew: boolean): { readonly from: string; readonly is: string } {
  const { version } = job;
  const key = job.identity.map((column) => place(job, column));
  const needed = [...key, ...(version === null ? [] : [place(job, version)])];
  const newest = job.ifSourceRepeatsKey === "newest" && version !== null;
  const ofKey = newest
    ? `, row_number() over (partition by ${key.join(", ")} order by ${newestFirst(job).join(", ")}) as repetition`
    : "";
  const rows = newest ? `select c.*${ofKey} from (${selectSource(job, where)}) c` : selectSource(job, where);
  const cases = [
    `when ${needed.map((column) => `s.${column} is null`).join(" or ")} then ${quoted("keyless")}`,
    ...(newest ? [`when s.repetition > 1 then ${quoted("duplicate")}`] : []),
    ...(isNew ? [`else ${quoted("new")}`] : comparisons(job)),
  ];
  return {
    from: `(${rows} order by ${key.join(", ")} ${all}) s ${isNew ? "" : meet(job)}`,
    is: `case ${cases.join("\n    ")} end`,
  };
}

function meet(job: Job): string {
  const key = keyOf(job);
  // window by window the planner would rather read the whole table
  const index = key === undefined ? "" : `force index (${quote(key.name)})`;
  const same = job.identity.map((column) => `f.${quote(column.name)} = s.${place(job, column)}`);
  return `left join ${quotedTable(job.target.table)} f ${index} on ${same.join(" and ")}`;
}

function comparisons(job: Job): readonly string[] {
  const { version, mark, ifSameVersionDiffers, identity } = job;
  const [first] = identity;
  const isNew = first === undefined ? "false" : `f.${quote(first.name)} is null`;
  const same = job.content.map((column) => isSame(column, `f.${quote(column.name)}`, `s.${place(job, column)}`));
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
    ...(same.length === 0 ? [] : [`when not (${same.join(" and ")}) then ${tied}`]),
    ...(mark === null ? [] : [`when f.${quote(mark.column.name)} is not null then ${quoted("newer")}`]),
    `else ${quoted("same")}`,
  ];
}

function quoted(name: RowClass): string {
  return `'${name}'`;
}
