import pg from "pg";
import { expect, test } from "vitest";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlVersion } from "../support/mysql.ts";
import { postgresPlace, postgresUrl, postgresVersion } from "../support/postgres.ts";

const toMigrate = expect.objectContaining({
  code: "REPRISE_LEDGER_UNUSABLE",
  message: expect.stringContaining("reprise migrate"),
});

test("a role that may create nothing on PostgreSQL uses what is there, and is told to migrate an earlier version's tables", async (context) => {
  if ((await postgresVersion()) === undefined) context.skip(`${cannotRunHere}no PostgreSQL answers`);
  const { schema, admin, ledger, drop } = await postgresPlace();
  const role = `${schema}_role`;
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 2, options: `-c role=${role}` });
  const open = async () => {
    const opened = postgresLedger({ pool, schema, deadline: "60s" });
    await opened.open();
    return opened;
  };
  try {
    const owner = await ledger("pg");
    await admin.query(`create role ${role}; grant usage on schema ${schema} to ${role};
      grant select, insert, update, delete on all tables in schema ${schema} to ${role}`);
    expect(await (await open()).leases?.look("a")).toBeNull();
    await admin.query(`drop table ${schema}.reprise_lease`);
    await expect(open()).rejects.toEqual(toMigrate);
    await owner.schema?.migrate();
    await admin.query(`grant select on all tables in schema ${schema} to ${role}`);
    expect(await (await open()).leases?.look("a")).toBeNull();
  } finally {
    await pool.end();
    await drop();
    const last = new pg.Client({ connectionString: postgresUrl });
    await last.connect();
    await last.query(`drop role if exists ${role}`);
    await last.end();
  }
});

test("a user who may create nothing on MariaDB uses what is there, and is told to migrate an earlier version's tables", async (context) => {
  if ((await mysqlVersion()) === undefined) context.skip(`${cannotRunHere}no MariaDB answers`);
  const { name, pool, query, drop } = await createDatabase();
  const user = `u_${name.slice(-12)}`;
  const open = async () => {
    const opened = mysqlLedger({ pool: pool({ user }) });
    await opened.open();
    return opened;
  };
  try {
    const owner = mysqlLedger({ pool: pool() });
    await owner.open();
    await query(`create user ${user}`);
    await query(`grant select, insert, update, delete on ${name}.* to ${user}`);
    expect(await (await open()).leases?.look("a")).toBeNull();
    await query("drop table reprise_lease");
    await expect(open()).rejects.toEqual(toMigrate);
    await owner.schema?.migrate();
    expect(await (await open()).leases?.look("a")).toBeNull();
  } finally {
    await query(`drop user if exists ${user}`);
    await drop();
  }
});
