import type { Figure } from "./figure.ts";
import { measureMysqlPages, measureSqlitePages } from "./sizing/others.ts";
import { measurePostgres } from "./sizing/postgres.ts";

/**
 * What a ledger of 1,000 operations a second, kept for 30 days, weighs and costs, taken from one of a million operations;
 * and how long the page waits for ledgers of that size.
 */
export async function measureSizing(options: {
  readonly quick: boolean;
  readonly progress: (said: string) => void;
}): Promise<readonly Figure[]> {
  const { quick, progress } = options;
  const load = { rows: quick ? 50_000 : 1_000_000, running: 1_000, unknown: 300, open: 200 };
  const postgres = await measurePostgres(load, progress);
  const sqlite = await measureSqlitePages(load, progress);
  const mysql = await measureMysqlPages(load, progress);
  return [...postgres, ...sqlite, ...mysql];
}
