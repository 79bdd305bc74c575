-- The leases and registers that schema 1 has since November 2026, beside what schema-1.sql holds. Never changed.
create table reprise_lease (
  token bigint not null, until timestamp with time zone, attempt uuid not null, name text collate "C" not null,
  holder text not null, constraint reprise_lease_pkey primary key (name)) with (fillfactor=85);
create table reprise_register (
  version bigint not null, at timestamp with time zone not null, name text collate "C" not null, value text not null,
  constraint reprise_register_pkey primary key (name)) with (fillfactor=85);
insert into reprise_lease values
  (7, '2026-01-01 00:00:30.100+00', '5f0c2d6b9e3a4c1d8b7a6f5e4d3c2b1a', '["golden","hold","held"]', 'golden'),
  (3, null, 'a1b2c3d4e5f60718293a4b5c6d7e8f90', '["golden","hold","released"]', 'golden');
insert into reprise_register values
  (12, '2026-01-01 00:00:00.100+00', 'golden/a', '{"a":1}'),
  (1, '2026-01-01 00:00:00.100+00', 'golden/b', '');
