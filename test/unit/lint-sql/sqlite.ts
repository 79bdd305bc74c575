import type { Pair } from "./pair.ts";

export const sqlitePairs: readonly Pair[] = [
  {
    name: "insert or ignore",
    rule: "insert-ignore",
    unsound: "INSERT OR IGNORE INTO orders (ref, total) VALUES (?, ?)",
    sound: "INSERT INTO orders (ref, total) VALUES (?, ?) ON CONFLICT (ref) DO NOTHING",
  },
  {
    name: "insert or replace",
    rule: "replace-deletes",
    unsound: "INSERT OR REPLACE INTO orders (ref, total) VALUES (?, ?)",
    sound: "INSERT OR ABORT INTO orders (ref, total) VALUES (?, ?)",
  },
  {
    name: "replace into",
    rule: "replace-deletes",
    unsound: "replace into [orders] (ref) select ref from staging",
    sound: "select replace(ref, 'into', 'x') from [orders]",
  },
  {
    name: "replace in a trigger",
    rule: "replace-deletes",
    unsound: "create trigger t after insert on orders begin insert or replace into totals (day) values (new.day); end;",
    sound:
      "create trigger t after insert on orders begin insert into totals (day) values (new.day) on conflict (day) do update set n = n + 1; end;",
  },
  {
    name: "delete and insert",
    rule: "delete-then-insert",
    unsound: "delete from fact where day = '2026-01-01'; insert into fact (day, total) select day, total from staging;",
    sound:
      "begin immediate; delete from fact where day = '2026-01-01'; insert into fact (day, total) select day, total from staging; commit;",
  },
  {
    name: "all deleted and inserted",
    rule: "delete-then-insert",
    unsound: "begin; delete from fact; insert into fact select * from staging; commit;",
    sound: "create temp table work (a); delete from work; insert into work select a from staging;",
  },
  {
    name: "ignore after a string",
    rule: "insert-ignore",
    unsound: "select 'it''s -- no comment'; insert or ignore into t values (1)",
    sound: "select 'it''s'; -- insert or ignore into t values (1)",
  },
  {
    name: "one writer: where not exists is one statement of it",
    rule: "replace-deletes",
    unsound:
      "insert or replace into roles (name) select 'admin' where not exists (select 1 from roles where name = 'admin')",
    sound: "insert into roles (name) select 'admin' where not exists (select 1 from roles where name = 'admin')",
  },
  {
    name: "replace in a transaction",
    rule: "replace-deletes",
    unsound: `BEGIN;
INSERT OR REPLACE INTO kv (k, v) VALUES ('a', 1);
COMMIT;`,
    sound: `BEGIN;
INSERT INTO kv (k, v) VALUES ('a', 1) ON CONFLICT (k) DO UPDATE SET v = excluded.v;
COMMIT;`,
  },
  {
    name: "ignore into a quoted name",
    rule: "insert-ignore",
    unsound: `PRAGMA foreign_keys = on;
insert or ignore into "seen pages" (url) select url from queue;`,
    sound: `PRAGMA foreign_keys = on;
insert into "seen pages" (url) select url from queue where not exists (select 1 from "seen pages" s where s.url = queue.url);`,
  },
  {
    name: "a trigger that deletes and inserts",
    rule: "delete-then-insert",
    unsound: `create trigger t after insert on orders begin
  delete from totals where day = new.day;
  insert into totals (day, n) select day, count(*) from orders where day = new.day;
end;`,
    sound: `create trigger t after insert on orders begin
  insert into totals (day, n) values (new.day, 1) on conflict (day) do update set n = n + 1;
end;`,
  },
];
