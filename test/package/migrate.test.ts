import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cannotRunHere } from "../support/environment.ts";
import { postgresUrl, postgresVersion } from "../support/postgres.ts";
import { runCommand } from "./command.ts";
import { type Installed, install, link } from "./installed.ts";

/** `reprise migrate` and `reprise doctor`, in a project that has installed the package. */

let installed: Installed;
beforeAll(async () => {
  installed = await install();
  for (const name of ["libsql", "pg", "@libsql", "@neon-rs", "detect-libc"]) link(installed, name);
});
afterAll(() => installed.remove());

const run = (...args: readonly string[]) => runCommand(installed, args);

describe("on a file of SQLite", () => {
  beforeAll(() => {
    installed.write(
      "shop.mjs",
      `import { createReprise } from "reprise";
       import { sqliteLedger } from "reprise/sqlite";
       const ledger = sqliteLedger({ path: "shop.db" });
       export const shop = createReprise({ service: "shop", undecided: "listed", ledger });
       export const office = createReprise({ service: "office", undecided: "listed", ledger });`,
    );
  });

  test("--print prints the statements, and makes no file", async () => {
    const { code, out, err } = await run("migrate", "shop.mjs", "--print");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("-- office, shop: ledger sqlite\n");
    expect(out).toMatch(/^create table if not exists reprise_work \($/m);
    expect(existsSync(join(installed.folder, "shop.db"))).toBe(false);
  });

  test("the doctor finds every table missing, and makes no file either", async () => {
    const { code, out } = await run("doctor", "shop.mjs", "--json");
    expect(code).toBe(1);
    const { sound, ledgers } = JSON.parse(out);
    expect(sound).toBe(false);
    expect(ledgers).toHaveLength(1);
    expect(ledgers[0].services).toEqual(["office", "shop"]);
    expect(ledgers[0].differences.map(({ what }: { what: string }) => what)).toContain(
      "Table reprise_work is missing.",
    );
    expect(existsSync(join(installed.folder, "shop.db"))).toBe(false);
  });

  test("the tables of an anchor's database are a ledger's too", async () => {
    installed.write(
      "anchored.mjs",
      `import { createReprise } from "reprise";
       import { sqliteLedger } from "reprise/sqlite";
       export const shop = createReprise({ service: "shop", undecided: "listed", ledger: sqliteLedger({ path: "own.db" }) });
       export const seats = shop.anchor({ ledger: sqliteLedger({ path: "seats.db" }), retention: "30d" });`,
    );
    const { code, out } = await run("doctor", "anchored.mjs", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out).ledgers).toHaveLength(2);
  });

  test("what is created is sound, and is created once", async () => {
    const first = await run("migrate", "shop.mjs");
    expect(first).toMatchObject({ code: 0, err: "" });
    expect(first.out).toMatch(/^office, shop {2}ledger sqlite {2}Ran \d+ statements:$/m);
    const again = await run("migrate", "shop.mjs");
    expect(again).toMatchObject({ code: 0, out: "office, shop  ledger sqlite  Nothing was missing.\n" });
    expect(await run("doctor", "shop.mjs")).toMatchObject({ code: 0, out: "office, shop  ledger sqlite  Sound.\n" });
  });

  test("partitions are refused where there are none", async () => {
    const { code, err } = await run("migrate", "shop.mjs", "--partitions", "8");
    expect(code).toBe(2);
    expect(err).toContain("ledger 'sqlite', partitions: it does not divide its tables.");
  });
});

test("a module without a ledger, and one that has none to compare, are told so", async () => {
  installed.write(
    "bare.mjs",
    `import { createReprise } from "reprise"; export const r = createReprise({ service: "bare" });`,
  );
  installed.write(
    "memory.mjs",
    `import { createReprise } from "reprise"; import { memoryLedger } from "reprise/memory";
     export const r = createReprise({ service: "m", undecided: "listed", ledger: memoryLedger() });`,
  );
  for (const command of ["migrate", "doctor"]) {
    const bare = await run(command, "bare.mjs");
    expect(bare.code).toBe(2);
    expect(bare.err).toContain("exports no instance of createReprise with a ledger");
    expect(await run(command, "memory.mjs")).toMatchObject({ code: 0, err: "" });
  }
});

describe("on PostgreSQL", () => {
  const schema = `reprise_test_${randomBytes(6).toString("hex")}`;
  let client: pg.Client | undefined;
  beforeAll(async () => {
    if ((await postgresVersion()) === undefined) return;
    client = new pg.Client({ connectionString: postgresUrl });
    await client.connect();
    const module = (name: string, url: string) =>
      installed.write(
        name,
        `import pg from "pg";
         import { createReprise } from "reprise";
         import { postgresLedger } from "reprise/postgres";
         const pool = new pg.Pool({ connectionString: ${JSON.stringify(url)} });
         export const shop = createReprise({ service: "shop", undecided: "listed",
           ledger: postgresLedger({ pool, schema: ${JSON.stringify(schema)} }) });`,
      );
    module("postgres.mjs", postgresUrl);
    module("away.mjs", "postgres://postgres@127.0.0.1:1/test");
  });
  beforeEach((context) => {
    if (client === undefined) context.skip(`${cannotRunHere}no PostgreSQL answers`);
  });
  afterAll(async () => {
    await client?.query(`drop schema if exists ${schema} cascade`);
    await client?.end();
  });

  test("what --print prints is what the doctor calls sound, and partitions are an option of it", async () => {
    const { code, out } = await run("migrate", "postgres.mjs", "--print", "--partitions", "3");
    expect(code).toBe(0);
    const there = () => client?.query("select 1 from pg_namespace where nspname = $1", [schema]);
    expect((await there())?.rowCount).toBe(0);
    await client?.query(out);
    // each statement may run again
    await client?.query(out);
    expect(await run("doctor", "postgres.mjs")).toMatchObject({ code: 0 });
    const differing = await run("migrate", "postgres.mjs", "--partitions", "4");
    expect(differing.code).toBe(2);
    expect(differing.err).toContain("the table of works is there, in 3 partitions.");
  });

  test("a dropped index is told with the statement that mends it, and migrate runs that", async () => {
    await client?.query(`drop index ${schema}.reprise_attempt_id`);
    const mend = `create index concurrently if not exists reprise_attempt_id on "${schema}".reprise_attempt (id)`;
    const found = await run("doctor", "postgres.mjs");
    expect(found.code).toBe(1);
    expect(found.out).toContain("  Index reprise_attempt_id of reprise_attempt is missing.\n");
    expect(found.out).toContain(`    ${mend};\n`);
    const { code, out } = await run("migrate", "postgres.mjs", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out).ledgers[0].statements).toEqual([mend]);
    expect((await run("doctor", "postgres.mjs")).code).toBe(0);
  });

  test("what migrate leaves as it is ends it with 1", async () => {
    await client?.query(`alter table ${schema}.reprise_work alter column token drop not null`);
    const { code, out } = await run("migrate", "postgres.mjs");
    expect(code).toBe(1);
    expect(out).toContain("What is there was left as it is, and differs:");
    expect(out).toContain(`alter table "${schema}".reprise_work alter column token set not null;`);
    await client?.query(`alter table ${schema}.reprise_work alter column token set not null`);
  });

  test("a server that is away is told so", async () => {
    const { code, err } = await run("doctor", "away.mjs");
    expect(code).toBe(2);
    expect(err).toMatch(/postgres.*compare/s);
  });
});
