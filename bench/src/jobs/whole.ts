import type { LoadResult } from "reprise";

/** @throws unless the load is done and has read every row: of any other run no figure is worth anything */
export function isWhole(result: LoadResult, rows: number): void {
  if (result.status !== "done" || result.read !== rows) throw new Error(`the load is ${JSON.stringify(result)}`);
}
