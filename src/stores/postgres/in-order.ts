import type { QueryResult } from "../../contract/transactions.ts";
import type { Connection, Query } from "./driver.ts";

/** Asked for without waiting for answers. */
export async function inOrder(queries: readonly Query[], query: Connection["query"]): Promise<readonly QueryResult[]> {
  const results = await Promise.allSettled(queries.map(({ text, params }) => query(text, params)));
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}
