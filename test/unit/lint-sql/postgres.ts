import type { Pair } from "./pair.ts";

const body = (declared: string, text: string) =>
  `create function book() returns void language plpgsql as $body$\n${declared}begin\n${text}\nend;\n$body$;`;

export const postgresPairs: readonly Pair[] = [
  {
    name: "if not exists, then insert",
    rule: "check-then-insert",
    unsound: body(
      "",
      "if not exists (select 1 from sales.orders where ref = p_ref) then insert into sales.orders (ref, total) values (p_ref, 5); end if;",
    ),
    sound: body(
      "",
      "insert into sales.orders (ref, total, version) values (p_ref, 5, 2) on conflict (ref) do update set total = excluded.total where orders.version < excluded.version;",
    ),
  },
  {
    name: "if exists, update, else insert",
    rule: "check-then-insert",
    unsound: body(
      "",
      "if exists (select from orders where ref = p) then update orders set total = 5 where ref = p; else insert into orders (ref) values (p); end if;",
    ),
    sound: body(
      "",
      "perform pg_advisory_xact_lock(hashtext(p)); if exists (select from orders where ref = p) then update orders set total = 5 where ref = p; else insert into orders (ref) values (p); end if;",
    ),
  },
  {
    name: "if exists, return, then insert",
    rule: "check-then-insert",
    unsound: body(
      "",
      "if exists (select 1 from orders o where o.ref = p) then return; end if;\ninsert into orders (ref) values (p);",
    ),
    sound: body(
      "",
      "if not exists (select 1 from customers c where c.id = p) then raise exception 'no customer'; end if;\ninsert into orders (customer) values (p);",
    ),
  },
  {
    name: "a count into a variable, then insert",
    rule: "check-then-insert",
    unsound: body(
      "declare n int;\n",
      "select count(*) into n from orders where ref = p; if n = 0 then insert into orders (ref) values (p); end if;",
    ),
    sound: body(
      "declare n int;\n",
      "select count(*) into n from orders where customer = p; if n >= 10 then raise exception 'too many'; end if; insert into invoices (customer) values (p);",
    ),
  },
  {
    name: "select into, not found, insert",
    rule: "check-then-insert",
    unsound: body(
      "declare v orders%rowtype;\n",
      "select * into v from orders where ref = p; if not found then insert into orders (ref) values (p); end if;",
    ),
    sound: body(
      "declare v categories%rowtype;\n",
      "select * into v from categories where id = p_parent; if not found then raise exception 'no parent'; end if; insert into categories (parent) values (p_parent);",
    ),
  },
  {
    name: "a variable that is null, elsif",
    rule: "check-then-insert",
    unsound: body(
      "declare v int;\n",
      "select id into v from orders where ref = p; if p is null then return; elsif v is null then insert into orders (ref) values (p); end if;",
    ),
    sound: body(
      "declare v int;\n",
      "select id into v from customers where ref = p; if p is null then return; elsif v is null then insert into orders (ref) values (p); end if;",
    ),
  },
  {
    name: "exists in a variable",
    rule: "check-then-insert",
    unsound: body(
      "declare there boolean;\n",
      "there := exists (select 1 from orders where ref = p); if not there then insert into orders (ref) values (p); end if;",
    ),
    sound: body(
      "declare there boolean;\n",
      "there := exists (select 1 from orders where ref = p); if not there then raise exception 'unknown'; end if; insert into order_lines (ref) values (p);",
    ),
  },
  {
    name: "update, not found, insert",
    rule: "update-then-insert",
    unsound: body(
      "",
      "update stock set n = n + 1 where item = p; if not found then insert into stock (item, n) values (p, 1); end if;",
    ),
    sound: body(
      "",
      "loop update stock set n = n + 1 where item = p; if found then return; end if; begin insert into stock (item, n) values (p, 1); return; exception when unique_violation then null; end; end loop;",
    ),
  },
  {
    name: "update, row count, insert",
    rule: "update-then-insert",
    unsound: body(
      "declare n int;\n",
      "update stock set n = 1 where item = p; get diagnostics n = row_count; if n = 0 then insert into stock (item) values (p); end if;",
    ),
    sound: body(
      "declare n int;\n",
      "update stock set n = 1 where item = p; get diagnostics n = row_count; if n = 0 then insert into missing (item) values (p); end if;",
    ),
  },
  {
    name: "a DO block",
    rule: "check-then-insert",
    unsound:
      "do $$ begin if not exists (select from roles where name = 'admin') then insert into roles (name) values ('admin'); end if; end $$;",
    sound: "do $$ begin insert into roles (name) values ('admin') on conflict (name) do nothing; end $$;",
  },
  {
    name: "a body in quotes",
    rule: "check-then-insert",
    unsound:
      "create or replace function f(p text) returns void as 'begin if not exists (select 1 from t where k = ''x'') then insert into t (k) values (''x''); end if; end' language plpgsql;",
    sound:
      "create or replace function f(p text) returns void as 'begin insert into t (k) values (''x'') on conflict do nothing; end' language plpgsql;",
  },
  {
    name: "where not exists",
    rule: "insert-where-not-exists",
    unsound:
      'insert into "Orders" (ref, total) select s.ref, s.total from staging s where not exists (select 1 from "Orders" o where o.ref = s.ref);',
    sound:
      'insert into "Orders" (ref, total) select s.ref, s.total from staging s where not exists (select 1 from cancelled c where c.ref = s.ref) on conflict (ref) do nothing;',
  },
  {
    name: "where not exists, of another table",
    rule: "insert-where-not-exists",
    unsound: "insert into roles (name) select 'admin' where not exists (select 1 from roles where name = 'admin');",
    sound:
      "insert into visits (person) select p.id from people p where not exists (select 1 from banned b where b.id = p.id);",
  },
  {
    name: "not in",
    rule: "insert-where-not-exists",
    unsound: "insert into fact (ref) select ref from staging where ref not in (select ref from fact);",
    sound: "insert into fact (ref) select ref from staging where ref not in (select ref from excluded_refs);",
  },
  {
    name: "left join, is null",
    rule: "insert-where-not-exists",
    unsound:
      "insert into fact (ref, total) select s.ref, s.total from staging s left join fact f on f.ref = s.ref where f.ref is null;",
    sound:
      "insert into fact (ref, total) select s.ref, s.total from staging s left join fact f on f.ref = s.ref where f.ref is null on conflict (ref) do nothing;",
  },
  {
    name: "except",
    rule: "insert-where-not-exists",
    unsound: "insert into fact (ref) select ref from staging except select ref from fact;",
    sound: "insert into fact (ref) select ref from staging except select ref from cancelled;",
  },
  {
    name: "a CTE that updates, and inserts the rest",
    rule: "insert-where-not-exists",
    unsound:
      "with up as (update stock set n = n + 1 where item = 5 returning *) insert into stock (item, n) select 5, 1 where not exists (select * from up);",
    sound:
      "with up as (update stock set n = n + 1 where item = 5 returning *) insert into changes (item) select item from up;",
  },
  {
    name: "merge",
    rule: "merge-without-guard",
    unsound:
      "merge into fact f using staging s on f.ref = s.ref when matched then update set total = s.total when not matched then insert (ref, total) values (s.ref, s.total);",
    sound: "merge into fact f using staging s on f.ref = s.ref when matched then update set total = s.total;",
  },
  {
    name: "merge under a lock",
    rule: "merge-without-guard",
    unsound:
      "begin; merge into fact f using staging s on f.ref = s.ref when not matched then insert (ref) values (s.ref); commit;",
    sound:
      "begin; lock table fact in share row exclusive mode; merge into fact f using staging s on f.ref = s.ref when not matched then insert (ref) values (s.ref); commit;",
  },
  {
    name: "delete and insert of a window",
    rule: "delete-then-insert",
    unsound:
      "begin; delete from fact where day >= '2026-01-01' and day < '2026-02-01'; insert into fact (ref, day) select ref, day from staging; commit;",
    sound:
      "begin; delete from fact where day < '2020-01-01'; insert into fact (ref, day) select ref, day from staging on conflict (ref) do nothing; commit;",
  },
  {
    name: "delete and insert by key",
    rule: "delete-then-insert",
    unsound:
      "delete from fact using staging s where fact.ref = s.ref; insert into fact (ref, total) select ref, total from staging;",
    sound:
      "delete from fact where created_at < now() - interval '90 days'; insert into fact (ref, total) values (1, 2);",
  },
  {
    name: "delete and insert in one statement",
    rule: "delete-then-insert",
    unsound: "with gone as (delete from prices where item = 7) insert into prices (item, price) values (7, 1);",
    sound: "with gone as (delete from prices where item = 7 returning *) insert into old_prices select * from gone;",
  },
  {
    name: "delete and insert of other rows",
    rule: "delete-then-insert",
    unsound: "delete from orders where id = 5; insert into orders (id, ref) values (5, 'a');",
    sound: "delete from orders where id = 5; insert into orders (id, ref) values (6, 'a');",
  },
  {
    name: "in a serializable transaction",
    rule: "insert-where-not-exists",
    unsound:
      "begin isolation level repeatable read; insert into t (k) select 1 where not exists (select 1 from t where k = 1); commit;",
    sound:
      "begin isolation level serializable; insert into t (k) select 1 where not exists (select 1 from t where k = 1); commit;",
  },
  {
    name: "a record's column that is null",
    rule: "check-then-insert",
    unsound: `create or replace function add_seat(p_flight int, p_seat text) returns void language plpgsql as $body$
declare
  v_row seats%rowtype;
begin
  select * into v_row from seats where flight = p_flight and seat = p_seat;
  if v_row.id is null then
    insert into seats (flight, seat) values (p_flight, p_seat);
  end if;
end;
$body$;`,
    sound: `create or replace function add_seat(p_flight int, p_seat text) returns void language plpgsql as $body$
begin
  insert into seats (flight, seat) values (p_flight, p_seat) on conflict (flight, seat) do nothing;
end;
$body$;`,
  },
  {
    name: "found and return, else insert",
    rule: "check-then-insert",
    unsound: `create function ensure_tag(n text) returns bigint as $$
declare tid bigint;
begin
  select id into tid from tags where name = n;
  if found then return tid; end if;
  insert into tags (name) values (n) returning id into tid;
  return tid;
end $$ language plpgsql;`,
    sound: `create function ensure_tag(n text) returns bigint as $$
declare tid bigint;
begin
  loop
    select id into tid from tags where name = n;
    if found then return tid; end if;
    begin
      insert into tags (name) values (n) returning id into tid;
      return tid;
    exception when unique_violation then
      null;
    end;
  end loop;
end $$ language plpgsql;`,
  },
  {
    name: "a searched case over a count",
    rule: "check-then-insert",
    unsound: `do $$
declare n integer := (select count(*) from rates where day = current_date);
begin
  case when n = 0 then
    insert into rates (day, eur) values (current_date, 1.1);
  else
    null;
  end case;
end $$;`,
    sound: `do $$
begin
  insert into rates (day, eur) values (current_date, 1.1) on conflict (day) do update set eur = excluded.eur where rates.eur is distinct from excluded.eur;
end $$;`,
  },
  {
    name: "no_data_found that was raised after a look",
    rule: "check-then-insert",
    unsound: `create function f(k text) returns void language plpgsql as $$
begin
  begin
    perform 1 from settings where key = k;
    if not found then
      raise exception no_data_found;
    end if;
  exception when no_data_found then
    insert into settings (key, value) values (k, '');
  end;
end $$;`,
    sound: `create function f(k text) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext(k));
  perform 1 from settings where key = k;
  if not found then
    insert into settings (key, value) values (k, '');
  end if;
end $$;`,
  },
  {
    name: "select into strict and its handler",
    rule: "check-then-insert",
    unsound: `create function g(k text) returns bigint language plpgsql as $$
declare r bigint;
begin
  select id into strict r from customers where email = k;
  return r;
exception when no_data_found then
  insert into customers (email) values (k) returning id into r;
  return r;
end $$;`,
    sound: `create function g(k text) returns bigint language plpgsql as $$
declare r bigint;
begin
  select id into strict r from customers where email = k;
  return r;
exception when no_data_found then
  insert into customers (email) values (k) on conflict (email) do update set email = excluded.email returning id into r;
  return r;
end $$;`,
  },
  {
    name: "unlike all of its own table",
    rule: "insert-where-not-exists",
    unsound: `with fresh as (
  select s.order_no, s.total from staging.orders s
  where s.order_no <> all (select order_no from public.orders)
)
insert into public.orders (order_no, total) select order_no, total from fresh; -- ::int`,
    sound: `with fresh as (
  select distinct on (s.order_no) s.order_no, s.total from staging.orders s order by s.order_no
)
insert into public.orders (order_no, total) select order_no, total from fresh on conflict (order_no) do nothing;`,
  },
  {
    name: "an update in WITH that returned nothing",
    rule: "insert-where-not-exists",
    unsound: `with upd as (update stock set qty = qty + 3 where sku = $1 returning 1)
insert into stock (sku, qty) select $1, 3 where not exists (select from upd);`,
    sound: `insert into stock (sku, qty) values ($1, 3) on conflict (sku) do update set qty = stock.qty + excluded.qty;`,
  },
  {
    name: "a range of days deleted and inserted",
    rule: "delete-then-insert",
    unsound: `begin;
delete from report.daily where day between '2026-01-01' and '2026-01-31';
insert into report.daily (day, amount) select day, sum(amount) from sales where day between '2026-01-01' and '2026-01-31' group by day;
commit;`,
    sound: `begin;
delete from report.daily where day < now() - interval '3 years';
insert into report.daily (day, amount) select day, sum(amount) from sales group by day on conflict (day) do update set amount = excluded.amount where report.daily.amount is distinct from excluded.amount;
commit;`,
  },
  {
    name: "merge by target",
    rule: "merge-without-guard",
    unsound: `MERGE INTO wallets AS w USING (SELECT $1::bigint AS owner, $2::numeric AS delta) AS s
ON w.owner = s.owner
WHEN MATCHED THEN UPDATE SET balance = w.balance + s.delta
WHEN NOT MATCHED BY TARGET THEN INSERT (owner, balance) VALUES (s.owner, s.delta);`,
    sound: `MERGE INTO wallets AS w USING (SELECT $1::bigint AS owner, $2::numeric AS delta) AS s
ON w.owner = s.owner
WHEN MATCHED THEN UPDATE SET balance = w.balance + s.delta;`,
  },
  {
    name: "a count in the condition of a trigger",
    rule: "check-then-insert",
    unsound: `create function trg() returns trigger language plpgsql as $f$
begin
  if (select count(*) from daily_totals d where d.day = new.day) > 0 then
    update daily_totals set total = total + new.total where day = new.day;
  else
    insert into daily_totals (day, total) values (new.day, new.total);
  end if;
  return new;
end $f$;`,
    sound: `create function trg() returns trigger language plpgsql as $f$
begin
  if (select count(*) from holidays d where d.day = new.day) = 0 then
    insert into daily_totals (day, total) values (new.day, new.total);
  end if;
  return new;
end $f$;`,
  },
  {
    name: "exists in a variable that is not true",
    rule: "check-then-insert",
    unsound: `create procedure reg(p text) language plpgsql as $$
declare has boolean;
begin
  has := exists (select 1 from devices where serial = p);
  if has is not true then
    insert into devices (serial) values (p);
  end if;
end $$;`,
    sound: `create procedure reg(p text) language plpgsql as $$
declare has boolean;
begin
  lock table devices in share row exclusive mode;
  has := exists (select 1 from devices where serial = p);
  if has is not true then
    insert into devices (serial) values (p);
  end if;
end $$;`,
  },
];
