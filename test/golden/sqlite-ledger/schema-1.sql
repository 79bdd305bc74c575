-- A ledger as schema 1 stores it, made on 2026-01-01. Never changed: a new schema gets a new file.
CREATE TABLE reprise_meta (name text primary key, value text not null);
CREATE TABLE reprise_work (
  name text primary key, key text, bound text, id text, attempt text, token integer not null default 1,
  resumes integer not null default 0,
  print text, print_v integer, state text not null, lease_until integer, not_before integer,
  outcome text, refused integer, keep_until integer, input text, created_at integer not null, ended_at integer,
  effect text, why text, operation text, identity text, principal text, caller_key text, owner text,
  parent text, intent text, progress text, cancelled integer);
CREATE UNIQUE INDEX reprise_work_key on reprise_work (key) where key is not null;
CREATE INDEX reprise_work_bound on reprise_work (bound) where bound is not null;
CREATE UNIQUE INDEX reprise_work_id on reprise_work (id) where id is not null;
CREATE INDEX reprise_work_operation on reprise_work (operation, created_at) where operation is not null;
CREATE INDEX reprise_work_keep on reprise_work (keep_until) where state = 'd';
CREATE INDEX reprise_work_live on reprise_work (created_at) where state in ('o', 'r', 'u');
CREATE INDEX reprise_work_intent on reprise_work (intent, created_at) where intent is not null;
CREATE TABLE reprise_effect (
  id text not null, name text not null, kind text not null, state text not null, started_at integer not null,
  pinned_at integer, settle_at integer not null, token integer not null, answer text, primary key (id, name));
CREATE TABLE reprise_attempt (
  id text not null, at integer not null, what text not null, owner text not null, token integer not null, why text);
CREATE INDEX reprise_attempt_id on reprise_attempt (id);
CREATE TABLE reprise_journal (
  resolution text not null, at integer not null, instance text not null, body text not null,
  primary key (resolution, at, instance));
insert into reprise_meta (name, value) values ('schema', '1');
insert into reprise_work (name, key, bound, id, attempt, token, print, print_v, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner, parent, intent, progress, cancelled) values ('b48b4e058fa37d689bfdcd73f80ccfcc', '24bdf5f397e9cd6999a3b6dd8d639328', NULL, 'ebdf9fa620a38cd6a01b36a02088cb87', 'c5767d02bb750d1bae9b8ed3623b54c8', 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'd', 1767225630000, NULL, '{"done":"text"}', 0, 1767312864000, NULL, 1767225600000, 1767225600100, NULL, NULL, 'book', 'done', 'ann', 'k1', 'golden', NULL, NULL, NULL, NULL);
insert into reprise_work (name, key, bound, id, attempt, token, print, print_v, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner, parent, intent, progress, cancelled) values ('d40c94c91309bab385a325356e690e5b', 'd40c94c91309bab385a325356e690e5b', 'b48b4e058fa37d689bfdcd73f80ccfcc', NULL, NULL, 1, NULL, NULL, 'k', NULL, NULL, NULL, NULL, NULL, NULL, 1767225600000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
insert into reprise_work (name, key, bound, id, attempt, token, print, print_v, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner, parent, intent, progress, cancelled) values ('4d37519ba64d05866ecbd6ef4b028aec', NULL, NULL, '164c3131e04de9a5630ecb2b475e5042', 'e84473a2e2b96b105cb033c3253679dc', 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'd', NULL, NULL, '{"refused":"sold-out"}', 1, 1767312864100, NULL, 1767225600100, 1767225600100, NULL, NULL, 'book', 'refused', 'ann', NULL, 'golden', NULL, NULL, NULL, NULL);
insert into reprise_work (name, key, bound, id, attempt, token, print, print_v, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner, parent, intent, progress, cancelled) values ('deb8332a467977f9a70c9e6988a2f574', '70f8740192ab90691a768f1fea2c31da', NULL, 'd40cb70d66d8a0340e08a481d7f4f7a2', '897e1f374b4e95dbfaee6b1123de62d2', 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'u', 1767225630100, NULL, NULL, NULL, 1767312864100, NULL, 1767225600100, 1767225600100, 'charge', 'answer lost', 'book', 'unknown', 'ann', 'k3', 'golden', NULL, NULL, NULL, NULL);
insert into reprise_work (name, key, bound, id, attempt, token, print, print_v, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner, parent, intent, progress, cancelled) values ('f694ea9ca82068c6dfc9a1b7947562f2', NULL, NULL, '1d80395e43e9df31e36a041a83574900', 'e677352d938daf088676b663d7d0e541', 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'o', 1767225600100, 1767225660100, NULL, NULL, 1767312864100, '{"input":1}', 1767225600100, NULL, NULL, 'TypeError', 'book', 'open', 'ann', NULL, 'golden', NULL, NULL, NULL, NULL);
insert into reprise_work (name, key, bound, id, attempt, token, print, print_v, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner, parent, intent, progress, cancelled) values ('bb0841e2bf8d2c0d5a97c9383cbc7961', NULL, NULL, 'f13f435ed5031679c2805f65db892bcb', '04bc87a4516d29404464dd2a27d230bf', 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'r', 1767225630100, NULL, NULL, NULL, 1767312864100, '{"input":2}', 1767225600100, NULL, NULL, NULL, 'book', 'running', 'ann', NULL, 'golden', 'deb8332a467977f9a70c9e6988a2f574', NULL, '{"done":3,"total":10}', 1);
insert into reprise_effect (id, name, kind, state, started_at, pinned_at, settle_at, token, answer) values ('ebdf9fa620a38cd6a01b36a02088cb87', 'charge', 'effect', 'p', 1767225600000, 1767225600100, 1767225605000, 1, '{"charge":"ch_1"}');
insert into reprise_effect (id, name, kind, state, started_at, pinned_at, settle_at, token, answer) values ('ebdf9fa620a38cd6a01b36a02088cb87', 'seat', 'transaction', 'p', 1767225600100, 1767225600100, 1767225600100, 1, '{"seat":7}');
insert into reprise_effect (id, name, kind, state, started_at, pinned_at, settle_at, token, answer) values ('d40cb70d66d8a0340e08a481d7f4f7a2', 'charge', 'effect', 's', 1767225600100, NULL, 1767225605100, 1, NULL);
insert into reprise_effect (id, name, kind, state, started_at, pinned_at, settle_at, token, answer) values ('1d80395e43e9df31e36a041a83574900', 'mail', 'effect', 's', 1767225600100, NULL, 1767225605100, 1, NULL);
insert into reprise_attempt (id, at, what, owner, token, why) values ('d40cb70d66d8a0340e08a481d7f4f7a2', 1767225600100, 'parked', 'golden', 1, 'answer lost');
insert into reprise_attempt (id, at, what, owner, token, why) values ('1d80395e43e9df31e36a041a83574900', 1767225600100, 'released', 'golden', 1, 'TypeError');
insert into reprise_journal (resolution, at, instance, body) values ('fine', 1767225600100, 'golden', '{"runs":1}');
insert into reprise_work (name, key, bound, id, attempt, token, print, print_v, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner, parent, intent, progress, cancelled) values ('cfe0a1611e318a8c38011a762eff1068', 'a4940c88c57cac931daece66c446e8d1', NULL, NULL, NULL, 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'd', NULL, NULL, '{"database":1}', 0, 1767312000050, NULL, 1767225600050, 1767225600050, NULL, NULL, 'book', 'database', 'ann', 'k4', 'golden', NULL, '3f1d2b7c9a4e5f60718293a4b5c6d7e8', NULL, NULL);
