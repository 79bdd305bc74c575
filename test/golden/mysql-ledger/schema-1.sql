-- A ledger as schema 1 stores it, made on 2026-01-01. Never changed: a new schema gets a new file.
create table reprise_meta (
  name varbinary(64) not null primary key, value varbinary(255) not null) engine=InnoDB;
create table reprise_work (
  name binary(16) not null primary key, key_name binary(16), bound binary(16), id binary(16), attempt binary(16),
  token int unsigned not null default 1, resumes int unsigned not null default 0, print varbinary(255),
  print_version int unsigned, state char(1) character set ascii collate ascii_bin not null, lease_until bigint,
  not_before bigint, outcome longblob, refused tinyint unsigned, keep_until bigint, input longblob,
  created_at bigint not null, ended_at bigint, cancelled_at bigint, progress_done double, progress_total double,
  parent binary(16), intent binary(16), effect longblob, why longblob, operation varbinary(512),
  identity longblob, principal longblob, caller_key longblob, owner longblob,
  unique key reprise_work_key (key_name), unique key reprise_work_fence (id, attempt, state),
  key reprise_work_bound (bound), key reprise_work_keep (keep_until), key reprise_work_state (state, created_at),
  key reprise_work_operation (operation, created_at), key reprise_work_intent (intent, created_at)) engine=InnoDB row_format=dynamic;
create table reprise_effect (
  id binary(16) not null, name varbinary(767) not null, kind varchar(16) character set ascii collate ascii_bin not null,
  state char(1) character set ascii collate ascii_bin not null, started_at bigint not null, pinned_at bigint,
  settle_at bigint not null, token int unsigned not null, answer longblob, primary key (id, name)) engine=InnoDB
  row_format=dynamic;
create table reprise_attempt (
  number bigint unsigned not null auto_increment primary key, id binary(16) not null, at bigint not null,
  what varchar(16) character set ascii collate ascii_bin not null, owner longblob not null, token int unsigned not null,
  why longblob, key reprise_attempt_id (id)) engine=InnoDB;
create table reprise_journal (
  resolution varchar(16) character set ascii collate ascii_bin not null, at bigint not null, instance varbinary(255) not null,
  body longblob not null, primary key (resolution, at, instance)) engine=InnoDB;
create table reprise_write (
  name binary(16) not null primary key, queue binary(16) not null, key_text longblob not null, scope longblob not null,
  value longblob not null, version bigint not null, place bigint not null,
  state char(1) character set ascii collate ascii_bin not null, attempt binary(16), lease_until bigint, claimed bigint,
  attempts int unsigned not null default 0, failures int unsigned not null default 0, not_before bigint, failed_at bigint,
  dead_at bigint, error longblob, key reprise_write_place (queue, state, place), key reprise_write_attempt (attempt),
  key reprise_write_dead (queue, state, dead_at)) engine=InnoDB;
create table reprise_lease (
  name varbinary(1020) not null primary key, attempt binary(16), token bigint unsigned not null, holder longblob not null,
  lease_until bigint not null) engine=InnoDB;
create table reprise_register (
  name varbinary(1020) not null primary key, value longblob not null, version bigint unsigned not null, at bigint not null)
  engine=InnoDB;
insert into reprise_meta (name, value) values ('schema', '1'), ('writes', '9000000000000005');
insert into reprise_work (name, key_name, bound, id, attempt, token, print, print_version, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner, intent) values (x'b48b4e058fa37d689bfdcd73f80ccfcc', x'24bdf5f397e9cd6999a3b6dd8d639328', NULL, x'ebdf9fa620a38cd6a01b36a02088cb87', x'c5767d02bb750d1bae9b8ed3623b54c8', 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'd', 1767225630000000, NULL, '{"done":"text"}', 0, 1767312864000000, NULL, 1767225600000000, 1767225600100000, NULL, NULL, 'book', 'done', 'ann', 'k1', 'golden', x'3f1d2b7c9a4e5f60718293a4b5c6d7e8');
insert into reprise_work (name, key_name, bound, id, attempt, token, print, print_version, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner) values (x'd40c94c91309bab385a325356e690e5b', x'd40c94c91309bab385a325356e690e5b', x'b48b4e058fa37d689bfdcd73f80ccfcc', NULL, NULL, 1, NULL, NULL, 'k', NULL, NULL, NULL, NULL, NULL, NULL, 1767225600000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
insert into reprise_work (name, key_name, bound, id, attempt, token, print, print_version, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner) values (x'4d37519ba64d05866ecbd6ef4b028aec', NULL, NULL, x'164c3131e04de9a5630ecb2b475e5042', x'e84473a2e2b96b105cb033c3253679dc', 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'd', NULL, NULL, '{"refused":"sold-out"}', 1, 1767312864100000, NULL, 1767225600100000, 1767225600100000, NULL, NULL, 'book', 'refused', 'ann', NULL, 'golden');
insert into reprise_work (name, key_name, bound, id, attempt, token, print, print_version, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner) values (x'deb8332a467977f9a70c9e6988a2f574', x'70f8740192ab90691a768f1fea2c31da', NULL, x'd40cb70d66d8a0340e08a481d7f4f7a2', x'897e1f374b4e95dbfaee6b1123de62d2', 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'u', 1767225630100000, NULL, NULL, NULL, 1767312864100000, NULL, 1767225600100000, 1767225600100000, 'charge', 'answer lost', 'book', 'unknown', 'ann', 'k3', 'golden');
insert into reprise_work (name, key_name, bound, id, attempt, token, print, print_version, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner) values (x'f694ea9ca82068c6dfc9a1b7947562f2', NULL, NULL, x'1d80395e43e9df31e36a041a83574900', x'e677352d938daf088676b663d7d0e541', 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'o', 1767225600100000, 1767225660100000, NULL, NULL, 1767312864100000, '{"input":1}', 1767225600100000, NULL, NULL, 'TypeError', 'book', 'open', 'ann', NULL, 'golden');
insert into reprise_work (name, key_name, bound, id, attempt, token, print, print_version, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner, cancelled_at, progress_done, progress_total) values (x'bb0841e2bf8d2c0d5a97c9383cbc7961', NULL, NULL, x'f13f435ed5031679c2805f65db892bcb', x'04bc87a4516d29404464dd2a27d230bf', 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'r', 1767225630100000, NULL, NULL, NULL, 1767312864100000, '{"input":2}', 1767225600100000, NULL, NULL, NULL, 'book', 'running', 'ann', NULL, 'golden', 1767225600100000, 3, 10);
insert into reprise_work (name, key_name, bound, id, attempt, token, print, print_version, state, lease_until, not_before, outcome, refused, keep_until, input, created_at, ended_at, effect, why, operation, identity, principal, caller_key, owner, intent) values (x'cfe0a1611e318a8c38011a762eff1068', x'a4940c88c57cac931daece66c446e8d1', NULL, NULL, x'5b1f0c6a2d934e7788aa90c3d1e2f405', 1, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 1, 'd', NULL, NULL, '{"database":1}', 0, 1767312000050000, NULL, 1767225600050000, 1767225600050000, NULL, NULL, 'book', 'database', 'ann', 'k4', 'golden', x'3f1d2b7c9a4e5f60718293a4b5c6d7e8');
insert into reprise_effect (id, name, kind, state, started_at, pinned_at, settle_at, token, answer) values (x'ebdf9fa620a38cd6a01b36a02088cb87', 'charge', 'effect', 'p', 1767225600000000, 1767225600100000, 1767225605000000, 1, '{"charge":"ch_1"}');
insert into reprise_effect (id, name, kind, state, started_at, pinned_at, settle_at, token, answer) values (x'ebdf9fa620a38cd6a01b36a02088cb87', 'seat', 'transaction', 'p', 1767225600100000, 1767225600100000, 1767225600100000, 1, '{"seat":7}');
insert into reprise_effect (id, name, kind, state, started_at, pinned_at, settle_at, token, answer) values (x'd40cb70d66d8a0340e08a481d7f4f7a2', 'charge', 'effect', 's', 1767225600100000, NULL, 1767225605100000, 1, NULL);
insert into reprise_effect (id, name, kind, state, started_at, pinned_at, settle_at, token, answer) values (x'1d80395e43e9df31e36a041a83574900', 'mail', 'effect', 's', 1767225600100000, NULL, 1767225605100000, 1, NULL);
insert into reprise_attempt (id, at, what, owner, token, why) values (x'd40cb70d66d8a0340e08a481d7f4f7a2', 1767225600100000, 'parked', 'golden', 1, 'answer lost');
insert into reprise_attempt (id, at, what, owner, token, why) values (x'1d80395e43e9df31e36a041a83574900', 1767225600100000, 'released', 'golden', 1, 'TypeError');
insert into reprise_journal (resolution, at, instance, body) values ('fine', 1767225600100, 'golden', '{"runs":1}');
insert into reprise_write (name, queue, key_text, version, place, claimed, attempts, failures, state, scope, value, error, lease_until, failed_at, dead_at, attempt) values (x'c3f19d00c7e45173bcbf21fd79fcfee7', x'c11364cc55c72dfd5bef86021d2c7b21', '["home"]', 9000000000000002, 9000000000000001, NULL, 0, 0, 'p', '[{"page":1},"home"]', '[12]', NULL, NULL, NULL, NULL, NULL);
insert into reprise_write (name, queue, key_text, version, place, claimed, attempts, failures, state, scope, value, error, lease_until, failed_at, dead_at, attempt) values (x'4c0b5812c02a2e27d67bfbacb129f8e1', x'c11364cc55c72dfd5bef86021d2c7b21', '["shop"]', 9000000000000003, 9000000000000003, 9000000000000003, 2, 3, 'p', '[{"page":1},"shop"]', '[7]', 'TypeError', 1767225605000000, 1767225600000000, NULL, x'e677352d938daf088676b663d7d0e541');
insert into reprise_write (name, queue, key_text, version, place, claimed, attempts, failures, state, scope, value, error, lease_until, failed_at, dead_at, attempt) values (x'5174f2c421f15382d743f0c91219440c', x'c11364cc55c72dfd5bef86021d2c7b21', '["bad"]', 9000000000000005, 9000000000000005, NULL, 10, 0, 'd', '[{"page":1},"bad"]', '[-1]', 'RangeError', NULL, 1767225600000000, 1767225600900000, NULL);
insert into reprise_lease (name, attempt, token, holder, lease_until) values ('["golden","hold","held"]', x'5f0c2d6b9e3a4c1d8b7a6f5e4d3c2b1a', 7, 'golden', 1767225630000000), ('["golden","hold","released"]', null, 3, 'golden', 0);
insert into reprise_register (name, value, version, at) values ('golden/a', '{"a":1}', 12, 1767225600100000), ('golden/b', '', 1, 1767225600100000);
