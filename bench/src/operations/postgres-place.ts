import { randomBytes } from "node:crypto";
import pg from "pg";

/** The server: `POSTGRES_URL`, or the one of this machine. */
export const postgresUrl = process.env["POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/test";

export const poolSize = 16;

/** A schema of its own, with the table of the work and the key table that is written by hand. */
export interface PostgresPlace {
  readonly schema: string;
  readonly pool: (url?: string, max?: number) => pg.Pool;
  readonly drop: () => Promise<void>;
}

export async function askPostgres(): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
  } finally {
    await client.end().catch(() => undefined);
  }
}

export async function openPostgresPlace(): Promise<PostgresPlace> {
  const schema = `reprise_bench_${randomBytes(6).toString("hex")}`;
  const admin = new pg.Client({ connectionString: postgresUrl });
  await admin.connect();
  await admin.query(`create schema ${schema};
    create table ${schema}.booking (id bigint generated always as identity primary key, reference text not null,
      seat int not null);
    create table ${schema}.handwritten (key text primary key, response text, charge text, recovery_point text,
      created_at timestamptz not null default now())`);
  const pools: pg.Pool[] = [];
  return {
    schema,
    pool: (url = postgresUrl, max = poolSize) => {
      const pool = new pg.Pool({ connectionString: url, max });
      pools.push(pool);
      return pool;
    },
    drop: async () => {
      for (const pool of pools) await pool.end();
      await admin.query(`drop schema ${schema} cascade`);
      await admin.end();
    },
  };
}
