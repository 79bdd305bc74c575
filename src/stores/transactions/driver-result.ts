import type { QueryResult } from "../../contract/transactions.ts";

type Rows = QueryResult["rows"];

/** What `pg` (`{ rows, rowCount }`), `postgres` (rows that have a `count`) and `mysql2` (`[rows or header, fields]`) answer with. */
export function resultOfDriver(answer: unknown): QueryResult {
  if (!Array.isArray(answer)) {
    const { rows, rowCount } = answer as { readonly rows: Rows; readonly rowCount: number | null };
    return { rows, count: rowCount ?? 0 };
  }
  if ("count" in answer) {
    // null after a statement such as savepoint
    const { count } = answer as { readonly count: number | null };
    return { rows: [...(answer as Rows)], count: count ?? 0 };
  }
  return resultOfMysql(answer[0]);
}

/** The first of what `mysql2` answers with: rows, or a header. */
export function resultOfMysql(first: Rows | { readonly affectedRows: number }): QueryResult {
  return "affectedRows" in first ? { rows: [], count: first.affectedRows } : { rows: first, count: first.length };
}
