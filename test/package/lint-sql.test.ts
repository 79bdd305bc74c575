import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cannotRunHere } from "../support/environment.ts";
import { postgresUrl, postgresVersion } from "../support/postgres.ts";
import { runCommand } from "./command.ts";
import { type Installed, install, link } from "./installed.ts";

/** `npx reprise lint sql` and `npx reprise inspect --keys` as a person has them. */

let installed: Installed;
beforeAll(async () => {
  installed = await install();
  link(installed, "pg");
  for (const name of ["src", "src/node_modules", "src/.hidden"]) mkdirSync(join(installed.folder, name));
  const unsound =
    "insert into orders (ref, version) select 'canary' where not exists (select 1 from orders where ref = 'canary');";
  installed.write("src/load.sql", `select 1;\n\n  ${unsound}\n`);
  installed.write(
    "src/job.ts",
    "export const f = async () => { if (!(await Order.count({ ref }))) await Order.create({ ref }); };",
  );
  installed.write("src/sound.sql", `-- reprise: sound, one run at a time holds the deployment's lock\n${unsound}`);
  installed.write("src/bare.sql", `-- reprise: sound\n${unsound}`);
  installed.write("src/node_modules/a.sql", unsound);
  installed.write("src/.hidden/a.sql", unsound);
});
afterAll(() => installed.remove());

const run = (args: readonly string[], input = "") => runCommand(installed, args, input);

describe("reprise lint sql", () => {
  test("tells where, why and what to write instead, and no value", async () => {
    const { code, out, err } = await run(["lint", "sql", "src/load.sql"]);
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out).toMatch(
      /src\/load\.sql:3:3 {2}insert-where-not-exists\n {2}Two runs at once both find no row in orders/,
    );
    expect(out).toMatch(/on conflict \(ref\) do update set version = excluded\.version/);
    expect(out).toMatch(/where orders\.version < excluded\.version/);
    expect(out).not.toContain("canary");
  });

  test("walks a folder, but no packages and nothing hidden", async () => {
    const { code, out } = await run(["lint", "sql", "src", "--json"]);
    expect(code).toBe(1);
    const told = JSON.parse(out) as {
      readonly files: number;
      readonly findings: readonly { file: string; rule: string }[];
    };
    expect(told.files).toBe(4);
    expect(told.findings.map(({ file, rule }) => `${file} ${rule}`)).toEqual([
      "src/bare.sql accepted-without-reason",
      "src/bare.sql insert-where-not-exists",
      "src/job.ts check-then-insert",
      "src/load.sql insert-where-not-exists",
    ]);
  });

  test("accepts what is meant so, for a reason", async () => {
    const { code, out } = await run(["lint", "sql", "src/sound.sql"]);
    expect({ code, out }).toEqual({ code: 0, out: "1 file read: sound.\n" });
  });

  test("reads standard input in the dialect that is said", async () => {
    const statement = "insert ignore into orders (ref) values (1)";
    expect((await run(["lint", "sql", "-", "--dialect", "mysql"], statement)).code).toBe(1);
    expect((await run(["lint", "sql", "-", "--dialect", "postgres"], "select 1")).code).toBe(0);
  });

  test("reads UTF-16 with a mark, and calls nothing sound that is no text", async () => {
    const statement = "\uFEFFinsert into t (a)\r\nselect 1 where not exists (select 1 from t)";
    writeFileSync(join(installed.folder, "wide.sql"), Buffer.from(statement, "utf16le"));
    expect((await run(["lint", "sql", "wide.sql"])).code).toBe(1);
    writeFileSync(join(installed.folder, "binary.sql"), Buffer.from([0x73, 0x00, 0x80, 0xff]));
    expect(await run(["lint", "sql", "binary.sql"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("no text"),
    });
  });

  test("ends with 2 where it cannot read, or is asked wrongly", async () => {
    expect(await run(["lint", "sql", "absent.sql"])).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("no such file"),
    });
    expect((await run(["lint", "sql"])).code).toBe(2);
    expect((await run(["lint", "sql", "src", "--dialect", "oracle"])).code).toBe(2);
  });
});

describe("reprise inspect --keys", () => {
  test("tells tables without a key and functions that check and insert", async (context) => {
    if ((await postgresVersion()) === undefined) return context.skip(`${cannotRunHere}no PostgreSQL answers`);
    const name = `reprise_inspect_${process.pid}`;
    const admin = new pg.Client({ connectionString: postgresUrl });
    await admin.connect();
    await admin.query(`create database ${name}`);
    const url = new URL(postgresUrl);
    url.pathname = `/${name}`;
    try {
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      await client.query(`create table orders (id serial primary key, ref text);
        insert into orders (ref) values ('canary'), ('canary'), (null);
        create function add(p text) returns void language plpgsql as $$ begin
          if not exists (select 1 from orders where ref = p) then insert into orders (ref) values (p); end if; end $$;`);
      await client.end();
      const { code, out, err } = await run(["inspect", url.href, "--keys"]);
      expect({ code, err }).toEqual({ code: 1, err: "" });
      expect(out).toMatch(/1 table: 1 without a natural key/);
      expect(out).toMatch(/orders {2}surrogate-only/);
      expect(out).toMatch(/ref: 1 key repeated, 1 row too many, 1 row with null/);
      expect(out).toMatch(/alter table orders alter column ref set not null;/);
      expect(out).toMatch(/create unique index concurrently orders_ref_key on orders \(ref\);/);
      expect(out).toMatch(/function public\.add:\d+:\d+ {2}check-then-insert/);
      expect(out).not.toContain("canary");
    } finally {
      await admin.query(`drop database ${name}`);
      await admin.end();
    }
  });

  test("ends with 2 where nothing answers, and says nothing of the address", async () => {
    const { code, out, err } = await run(["inspect", "postgres://canary@127.0.0.1:1/x", "--keys"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/cannot be asked \(ECONNREFUSED\)/);
    expect(err).not.toContain("canary");
    expect((await run(["inspect", "NO_SUCH_VARIABLE", "--keys"])).code).toBe(2);
    expect((await run(["inspect", "absent.db", "--keys"])).err).toMatch(/no such file/);
    expect((await run(["inspect", "shop.db"])).code).toBe(2);
  });
});
