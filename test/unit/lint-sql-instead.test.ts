import { expect, test } from "vitest";
import type { Dialect } from "../../src/inspect/finding.ts";
import { lintSql } from "../../src/inspect/index.ts";

/** What is written instead does to a row that is there what the code did with it. */

function insteadOf(text: string, dialect: Dialect | undefined, file = "a.sql"): string | undefined {
  const findings = lintSql(text, { dialect, file });
  expect(findings).toHaveLength(1);
  return findings[0]?.instead;
}

test("what only inserts leaves a row that is there as it was, unless a version says which is newer", () => {
  const settings = `do $$ begin
    if not exists (select 1 from settings where key = 'x') then insert into settings (key, value) values ('x', '1'); end if;
  end $$;`;
  expect(insteadOf(settings, "postgres")).toContain("on conflict (key) do nothing;");
  const missing =
    "insert into fact (ref, total, version) select ref, total, version from staging s where not exists (select 1 from fact f where f.ref = s.ref)";
  expect(insteadOf(missing, "postgres")).toContain("where fact.version < excluded.version;");
  expect(insteadOf("insert ignore into kv (k) values (1)", "mysql")).toContain("on duplicate key update k = k;");
  const place = "if not exists (select 1 from dbo.T where Id = @id) insert dbo.T (Id, V) values (@id, 1);";
  expect(insteadOf(place, "tsql")).not.toContain("when matched");
});

test("a counter is not set back to what its first insert holds", () => {
  const count = `create function f() returns void language plpgsql as $$ begin
    update counters set n = n + 1 where name = 'a';
    if not found then insert into counters (name, n) values ('a', 1); end if;
  end $$;`;
  expect(insteadOf(count, "postgres")).toContain("on conflict (name) do update set n = …;");
  const added = `create procedure p(k int) begin
    update counters set n = n + 1 where id = k;
    if row_count() = 0 then insert into counters (id, n) values (k, 1); end if;
  end`;
  expect(insteadOf(added, "mysql")).toContain("on duplicate key update n = …;");
});

test("a column that only the update sets is set, and one that only the insert sets is not", () => {
  const seen = `create function f(e text) returns void language plpgsql as $$ begin
    if exists (select 1 from users where email = e) then update users set seen = now(), name = coalesce(e, 'x') where email = e;
    else insert into users (email, name, created) values (e, e, now()); end if;
  end $$;`;
  expect(insteadOf(seen, "postgres")).toContain("on conflict (email) do update set seen = …, name = excluded.name;");
  const leaving = `create function f(e text) returns void language plpgsql as $$ begin
    if exists (select 1 from users where email = e) then update users set seen = now() where email = e; return; end if;
    insert into users (email) values (e);
  end $$;`;
  expect(insteadOf(leaving, "postgres")).toContain("on conflict (email) do update set seen = …;");
  const within = `with u as (update stock set qty = 5 where sku = 'a' returning *)
    insert into stock (sku, qty) select 'a', 5 where not exists (select 1 from u);`;
  expect(insteadOf(within, "postgres")).toContain("do update set qty = excluded.qty");
  const program = `import { Pool } from "pg";
    const found = await pool.query("update users set seen = now() where email = $1", [email]);
    if (found.rowCount === 0) await pool.query("insert into users (email) values ($1)", [email]);`;
  expect(insteadOf(program, undefined, "a.ts")).toContain("on conflict (email) do update set seen = …;");
});

test("the only column that is inserted is the key, where nothing says which is", () => {
  const counted =
    "declare @n int = (select count(*) from dbo.T where Id = @id); if @n = 0 insert dbo.T (Id) values (@id);";
  expect(insteadOf(counted, "tsql")).toContain("on t.Id = s.Id");
  expect(insteadOf("insert into fact (a) select a from s except select a from fact", "postgres")).toContain("(a)");
});

test("the key of exists({ where }) is what stands in where", () => {
  const program = `import { Repository } from "typeorm";
    const taken = await users.exists({ where: { email } });
    if (!taken) await users.insert({ email });`;
  expect(insteadOf(program, undefined, "a.ts")).toContain('["email"]');
});
