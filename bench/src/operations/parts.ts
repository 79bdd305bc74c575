import type { Answer } from "../child.ts";
import { atomicMariadb } from "./atomic-mariadb.ts";
import { atomicPooled, atomicPostgres } from "./atomic-postgres.ts";
import { atomicSqlite } from "./atomic-sqlite.ts";
import { externalPostgres } from "./external-postgres.ts";
import { httpExpress, httpFastify, httpMemory, httpRedis } from "./http.ts";
import { joinedPostgres } from "./joined-postgres.ts";
import { redis } from "./redis.ts";
import type { Part } from "./standing.ts";

/** The parts of the group, each in a process of its own: what one does to the engine's guesses must not touch another. */

export const parts = {
  "atomic.postgres": atomicPostgres,
  "atomic.postgres.unnamed": atomicPooled,
  "atomic.postgres.joined": joinedPostgres,
  "atomic.mariadb": atomicMariadb,
  "atomic.sqlite": atomicSqlite,
  "external.postgres": externalPostgres,
  redis,
  "http.fastify": httpFastify,
  "http.express": httpExpress,
  "http.express.memory": httpMemory,
  "http.express.redis": httpRedis,
} satisfies Readonly<Record<string, Part>>;

export async function servePart(name: string, rounds: string): Promise<Answer> {
  const part = (parts as Readonly<Record<string, Part>>)[name];
  if (part === undefined) throw new Error(`no such part: ${name}`);
  return () => part(Number(rounds));
}
