import type { Fence } from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { id16, type Past } from "./records.ts";

const fenced = "id = ? and attempt = ? and state = 'r' and name = ?";

export function fenceOf(fence: Fence): readonly Uint8Array[] {
  return [id16(fence.id), id16(fence.attempt), id16(fence.name)];
}

/**
 * The fence of an owner's transaction: while it is open, nobody takes the work over or ends it. It reads the index alone, so
 * that the row itself stays free for the heartbeat; a shared lock, so that effects may start beside it.
 */
export async function share(connection: Connection, fence: Fence): Promise<boolean> {
  const { rows } = await connection.query(
    `select name from reprise_work force index (reprise_work_fence) where ${fenced} lock in share mode`,
    fenceOf(fence),
  );
  return rows.length === 1;
}

/** The fence of what ends an attempt: it waits for every start and transaction under way. `undefined`: fenced. */
export async function hold(connection: Connection, fence: Fence): Promise<Past | undefined> {
  const { rows } = await connection.query(
    `select token, owner from reprise_work force index (reprise_work_fence) where ${fenced} for update`,
    fenceOf(fence),
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return { id: fence.id, token: Number(row["token"]), owner: row["owner"] as Uint8Array };
}

/** For statements that write and ask at once. */
export const fencedRow = `from reprise_work force index (reprise_work_fence) where ${fenced}`;
