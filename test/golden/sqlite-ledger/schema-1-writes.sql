-- The journal of writes that schema 1 has since 2026, beside what schema-1.sql holds. Never changed.
CREATE TABLE reprise_write (
  queue text not null, key text not null, scope text not null, value text not null, version integer not null,
  place integer not null, state text not null, attempt text, lease_until integer, claimed integer,
  attempts integer not null default 0, failures integer not null default 0, not_before integer, failed_at integer,
  dead_at integer, error text, primary key (queue, key));
CREATE INDEX reprise_write_place on reprise_write (queue, place) where state = 'p';
CREATE INDEX reprise_write_attempt on reprise_write (attempt) where attempt is not null;
CREATE INDEX reprise_write_dead on reprise_write (queue, dead_at) where state = 'd';
insert into reprise_meta (name, value) values ('writes', '9000000000000005');
insert into reprise_write (queue, key, scope, value, version, place, state, attempt, lease_until, claimed, attempts, failures, not_before, failed_at, dead_at, error) values
  ('views', '["home"]', '[{"page":1},"home"]', '[12]', 9000000000000002, 9000000000000001, 'p', NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL),
  ('views', '["shop"]', '[{"page":1},"shop"]', '[7]', 9000000000000003, 9000000000000003, 'p', 'golden', 1767225605000, 9000000000000003, 2, 3, NULL, 1767225600000, NULL, 'TypeError'),
  ('views', '["bad"]', '[{"page":1},"bad"]', '[-1]', 9000000000000005, 9000000000000005, 'd', NULL, NULL, NULL, 10, 0, NULL, 1767225600000, 1767225600900, 'RangeError');
