// Where loads are killed: two tables, a ledger beside them, and what the table has come to. A database is an entry here.
import pg from "pg";
import { postgresLedger } from "reprise/postgres";

export const databases = { postgres };

/** `schema`: of the tables and the ledger, which one process makes and all others find. */
async function postgres(schema) {
  const connectionString = process.env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/test";
  const pool = new pg.Pool({ connectionString, max: 4 });
  // a server that ends a connection says so to nobody
  pool.on("error", () => {});
  const [staging, fact] = [`${schema}.staging`, `${schema}.fact`];
  const columns = "ref text, day date, version int, amount numeric(12, 2), note text";
  const keys = "insert into TABLE select 'ref-' || n * 7919 % 1000003, date '2026-01-01' + n % 180";
  return {
    staging,
    fact,
    ledger: () => postgresLedger({ pool, schema, deadline: "60s" }),
    /** Every row of the source; of the table a third older, a third as it is, and a third missing. */
    create: async (rows) => {
      await pool.query(`create schema ${schema}; create table ${staging} (${columns}, primary key (ref, day));
        create table ${fact} (id bigint generated always as identity, ${columns}, primary key (ref, day));
        alter table ${fact} alter column version set not null`);
      await pool.query(`${keys.replace("TABLE", staging)}, 2, n, 'note ' || n from generate_series(1, ${rows}) n`);
    },
    reset: async () => {
      await pool.query(`truncate ${fact}; insert into ${fact} (ref, day, version, amount, note)
        select ref, day, 1 + (amount::int % 3), amount, case when amount::int % 3 = 0 then 'old' else note end
        from ${staging} where amount::int % 3 < 2`);
    },
    hash: async () => {
      const { rows } = await pool.query(
        `select md5(string_agg(row(ref, day, version, amount, note)::text, ',' order by ref, day)) as hash from ${fact}`,
      );
      return rows[0].hash;
    },
    /** Nobody waits for the leases of the dead. */
    endLeases: () => pool.query(`update ${schema}.reprise_lease set until = clock_timestamp() - interval '1 second'`),
    drop: async () => {
      await pool.query(`drop schema ${schema} cascade`);
      await pool.end();
    },
    close: () => pool.end(),
  };
}
