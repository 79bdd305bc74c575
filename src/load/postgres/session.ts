import type { Session } from "../dialect.ts";

/**
 * Settings of this transaction alone. Compiling a window's statement takes longer than running it, and a window of ordinary
 * size is sorted in memory where the server's own 4 MB would send it to disk.
 */
const settings = `select set_config('jit', 'off', true),
  case when pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('32MB') then set_config('work_mem', '32MB', true) end`;

export async function settle(session: Session): Promise<void> {
  await session.query(settings);
}
