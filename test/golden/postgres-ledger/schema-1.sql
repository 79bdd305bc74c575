-- A ledger as schema 1 stores it, made on 2026-01-01, in the schema that search_path names. Never changed: a new schema gets a new file.
create table reprise_meta (name text primary key, value text not null);
create table reprise_work (
  created_at timestamptz not null, keep_until timestamptz not null, lease_until timestamptz, not_before timestamptz,
  ended_at timestamptz, cancelled_at timestamptz, progress_done float8, progress_total float8, name uuid not null, key uuid,
  bound uuid, id uuid, attempt uuid, parent uuid, intent uuid,
  token int not null default 1, resumes int not null default 0, print_v int, state "char" not null, refused boolean,
  print bytea, operation text collate "C", identity text, principal text, caller_key text, owner text,
  effect text, why text, input text, outcome text,
  constraint reprise_work_pkey primary key (name)) with (fillfactor = 85);
create unique index reprise_work_key on reprise_work (key) where key is not null;
create index reprise_work_bound on reprise_work (bound) where bound is not null;
create unique index reprise_work_id on reprise_work (id) where id is not null;
create index reprise_work_keep on reprise_work (keep_until);
create index reprise_work_operation on reprise_work (operation, created_at) where operation is not null;
create index reprise_work_waiting on reprise_work (created_at) where not_before is not null;
create index reprise_work_parked on reprise_work (created_at) where effect is not null;
create index reprise_work_due on reprise_work (operation, not_before) where not_before is not null and input is not null;
create index reprise_work_input on reprise_work (created_at)
  where input is not null and not_before is null and effect is null;
create index reprise_work_intent on reprise_work (intent, created_at) where intent is not null;
create table reprise_effect (
  started_at timestamptz not null, settle_at timestamptz not null, pinned_at timestamptz, id uuid not null,
  token int not null, kind "char" not null, state "char" not null, name text collate "C" not null, answer text,
  constraint reprise_effect_pkey primary key (id, name)) with (fillfactor = 85);
create index reprise_effect_started on reprise_effect (started_at) where state = 's';
create table reprise_attempt (
  at timestamptz not null, id uuid not null, token int not null, what text not null, owner text not null, why text,
  place bigint generated always as identity);
create index reprise_attempt_id on reprise_attempt (id);
create table reprise_journal (
  at double precision not null, resolution text not null, instance text not null, body text not null,
  constraint reprise_journal_pkey primary key (resolution, at, instance));
create table reprise_write (
  version bigint not null, place bigint not null, claimed bigint, lease_until timestamptz, not_before timestamptz,
  failed_at timestamptz, dead_at timestamptz, attempt uuid, attempts int not null default 0,
  failures int not null default 0, state "char" not null, queue text collate "C" not null, key text collate "C" not null,
  scope text not null, value text not null, error text,
  constraint reprise_write_pkey primary key (queue, key)) with (fillfactor = 85);
create index reprise_write_place on reprise_write (queue, place) where state = 'p';
create index reprise_write_attempt on reprise_write (attempt) where attempt is not null;
create index reprise_write_dead on reprise_write (queue, dead_at) where state = 'd';
insert into reprise_meta (name, value) values ('schema', '1'), ('writes', '9000000000000005');
insert into reprise_work (created_at, keep_until, lease_until, not_before, ended_at, name, key, bound, id, attempt, token, print_v, state, refused, print, operation, identity, principal, caller_key, owner, effect, why, input, outcome, intent) values ('2026-01-01 00:00:00.000+00', '2026-01-02 00:14:24.000+00', '2026-01-01 00:00:30.000+00', NULL, '2026-01-01 00:00:00.100+00', 'b48b4e058fa37d689bfdcd73f80ccfcc', '24bdf5f397e9cd6999a3b6dd8d639328', NULL, 'ebdf9fa620a38cd6a01b36a02088cb87', 'c5767d02bb750d1bae9b8ed3623b54c8', 1, 1, 'd', false, '\xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'book', 'done', 'ann', 'k1', 'golden', NULL, NULL, NULL, '{"done":"text"}', '3f1d2b7c9a4e5f60718293a4b5c6d7e8');
insert into reprise_work (created_at, keep_until, lease_until, not_before, ended_at, name, key, bound, id, attempt, token, print_v, state, refused, print, operation, identity, principal, caller_key, owner, effect, why, input, outcome) values ('2026-01-01 00:00:00.000+00', 'infinity', NULL, NULL, NULL, 'd40c94c91309bab385a325356e690e5b', 'd40c94c91309bab385a325356e690e5b', 'b48b4e058fa37d689bfdcd73f80ccfcc', NULL, NULL, 1, NULL, 'k', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
insert into reprise_work (created_at, keep_until, lease_until, not_before, ended_at, name, key, bound, id, attempt, token, print_v, state, refused, print, operation, identity, principal, caller_key, owner, effect, why, input, outcome) values ('2026-01-01 00:00:00.100+00', '2026-01-02 00:14:24.100+00', NULL, NULL, '2026-01-01 00:00:00.100+00', '4d37519ba64d05866ecbd6ef4b028aec', NULL, NULL, '164c3131e04de9a5630ecb2b475e5042', 'e84473a2e2b96b105cb033c3253679dc', 1, 1, 'd', true, '\xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'book', 'refused', 'ann', NULL, 'golden', NULL, NULL, NULL, '{"refused":"sold-out"}');
insert into reprise_work (created_at, keep_until, lease_until, not_before, ended_at, name, key, bound, id, attempt, token, print_v, state, refused, print, operation, identity, principal, caller_key, owner, effect, why, input, outcome) values ('2026-01-01 00:00:00.100+00', '2026-01-02 00:14:24.100+00', '2026-01-01 00:00:30.100+00', NULL, '2026-01-01 00:00:00.100+00', 'deb8332a467977f9a70c9e6988a2f574', '70f8740192ab90691a768f1fea2c31da', NULL, 'd40cb70d66d8a0340e08a481d7f4f7a2', '897e1f374b4e95dbfaee6b1123de62d2', 1, 1, 'u', NULL, '\xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'book', 'unknown', 'ann', 'k3', 'golden', 'charge', 'answer lost', NULL, NULL);
insert into reprise_work (created_at, keep_until, lease_until, not_before, ended_at, name, key, bound, id, attempt, token, print_v, state, refused, print, operation, identity, principal, caller_key, owner, effect, why, input, outcome) values ('2026-01-01 00:00:00.100+00', '2026-01-02 00:14:24.100+00', '2026-01-01 00:00:00.100+00', '2026-01-01 00:01:00.100+00', NULL, 'f694ea9ca82068c6dfc9a1b7947562f2', NULL, NULL, '1d80395e43e9df31e36a041a83574900', 'e677352d938daf088676b663d7d0e541', 1, 1, 'o', NULL, '\xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'book', 'open', 'ann', NULL, 'golden', NULL, 'TypeError', '{"input":1}', NULL);
insert into reprise_work (created_at, keep_until, lease_until, not_before, ended_at, name, key, bound, id, attempt, token, print_v, state, refused, print, operation, identity, principal, caller_key, owner, effect, why, input, outcome, cancelled_at, progress_done, progress_total) values ('2026-01-01 00:00:00.100+00', '2026-01-02 00:14:24.100+00', '2026-01-01 00:00:30.100+00', NULL, NULL, 'bb0841e2bf8d2c0d5a97c9383cbc7961', NULL, NULL, 'f13f435ed5031679c2805f65db892bcb', '04bc87a4516d29404464dd2a27d230bf', 1, 1, 'r', NULL, '\xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'book', 'running', 'ann', NULL, 'golden', NULL, NULL, '{"input":2}', NULL, '2026-01-01 00:00:00.100+00', 3, 10);
insert into reprise_work (created_at, keep_until, lease_until, not_before, ended_at, name, key, bound, id, attempt, token, print_v, state, refused, print, operation, identity, principal, caller_key, owner, effect, why, input, outcome, intent) values ('2026-01-01 00:00:00.050+00', '2026-01-02 00:00:00.050+00', NULL, NULL, '2026-01-01 00:00:00.050+00', 'cfe0a1611e318a8c38011a762eff1068', 'a4940c88c57cac931daece66c446e8d1', NULL, NULL, NULL, 1, 1, 'd', false, '\xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'book', 'database', 'ann', 'k4', 'golden', NULL, NULL, NULL, '{"database":1}', '3f1d2b7c9a4e5f60718293a4b5c6d7e8');
insert into reprise_effect (started_at, settle_at, pinned_at, id, token, kind, state, name, answer) values ('2026-01-01 00:00:00.000+00', '2026-01-01 00:00:05.000+00', '2026-01-01 00:00:00.100+00', 'ebdf9fa620a38cd6a01b36a02088cb87', 1, 'e', 'p', 'charge', '{"charge":"ch_1"}');
insert into reprise_effect (started_at, settle_at, pinned_at, id, token, kind, state, name, answer) values ('2026-01-01 00:00:00.100+00', '2026-01-01 00:00:00.100+00', '2026-01-01 00:00:00.100+00', 'ebdf9fa620a38cd6a01b36a02088cb87', 1, 't', 'p', 'seat', '{"seat":7}');
insert into reprise_effect (started_at, settle_at, pinned_at, id, token, kind, state, name, answer) values ('2026-01-01 00:00:00.100+00', '2026-01-01 00:00:05.100+00', NULL, 'd40cb70d66d8a0340e08a481d7f4f7a2', 1, 'e', 's', 'charge', NULL);
insert into reprise_effect (started_at, settle_at, pinned_at, id, token, kind, state, name, answer) values ('2026-01-01 00:00:00.100+00', '2026-01-01 00:00:05.100+00', NULL, '1d80395e43e9df31e36a041a83574900', 1, 'e', 's', 'mail', NULL);
insert into reprise_attempt (at, id, token, what, owner, why) values ('2026-01-01 00:00:00.100+00', 'd40cb70d66d8a0340e08a481d7f4f7a2', 1, 'parked', 'golden', 'answer lost');
insert into reprise_attempt (at, id, token, what, owner, why) values ('2026-01-01 00:00:00.100+00', '1d80395e43e9df31e36a041a83574900', 1, 'released', 'golden', 'TypeError');
insert into reprise_journal (at, resolution, instance, body) values (1767225600100, 'fine', 'golden', '{"runs":1}');
insert into reprise_write (version, place, claimed, attempts, failures, state, scope, value, error, queue, key, lease_until, failed_at, dead_at, attempt) values (9000000000000002, 9000000000000001, NULL, 0, 0, 'p', '[{"page":1},"home"]', '[12]', NULL, 'views', '["home"]', NULL, NULL, NULL, NULL);
insert into reprise_write (version, place, claimed, attempts, failures, state, scope, value, error, queue, key, lease_until, failed_at, dead_at, attempt) values (9000000000000003, 9000000000000003, 9000000000000003, 2, 3, 'p', '[{"page":1},"shop"]', '[7]', 'TypeError', 'views', '["shop"]', '2026-01-01 00:00:05.000+00', '2026-01-01 00:00:00.000+00', NULL, 'e677352d938daf088676b663d7d0e541');
insert into reprise_write (version, place, claimed, attempts, failures, state, scope, value, error, queue, key, lease_until, failed_at, dead_at, attempt) values (9000000000000005, 9000000000000005, NULL, 10, 0, 'd', '[{"page":1},"bad"]', '[-1]', 'RangeError', 'views', '["bad"]', NULL, '2026-01-01 00:00:00.000+00', '2026-01-01 00:00:00.900+00', NULL);
