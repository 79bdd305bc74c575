import type { Answer } from "../child.ts";
import type { Found } from "../operations/standing.ts";
import { loadCrash, scheduleCrash } from "./crash.ts";
import { loadMariadb } from "./load-mariadb.ts";
import { loadPostgres, loadPostgresLarge } from "./load-postgres.ts";
import { loadSqlite } from "./load-sqlite.ts";
import { loadStale } from "./load-stale.ts";
import { overlapAzure, overlapMariadb, overlapPostgres, overlapRedis, overlapSqlite } from "./schedule-overlap.ts";

export interface Scale {
  readonly quick: boolean;
}
export type JobPart = (scale: Scale) => Promise<Found>;

/** Each in a process of its own. */
export const parts = {
  "load.mariadb": loadMariadb,
  "load.sqlite": loadSqlite,
  "load.postgres": loadPostgres,
  "load.postgres.large": loadPostgresLarge,
  "load.stale": loadStale,
  "load.crash": loadCrash,
  "schedule.overlap.postgres": overlapPostgres,
  "schedule.overlap.mariadb": overlapMariadb,
  "schedule.overlap.sqlite": overlapSqlite,
  "schedule.overlap.redis": overlapRedis,
  "schedule.overlap.azure": overlapAzure,
  "schedule.crash": scheduleCrash,
} satisfies Readonly<Record<string, JobPart>>;

export async function serveJob(name: string, scale: string): Promise<Answer> {
  const part = (parts as Readonly<Record<string, JobPart>>)[name];
  if (part === undefined) throw new Error(`no such part: ${name}`);
  return () => part({ quick: scale === "quick" });
}
