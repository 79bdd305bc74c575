-- The leases and registers that schema 1 has since November 2026, beside what schema-1.sql holds. Never changed.
create table reprise_lease (
  name text, attempt text not null, token integer not null, holder text not null, until integer, primary key (name));
create table reprise_register (
  name text, value text not null, version integer not null, at integer not null, primary key (name));
insert into reprise_lease values
  ('["golden","hold","held"]', '5f0c2d6b9e3a4c1d8b7a6f5e4d3c2b1a', 7, 'golden', 1767225630100),
  ('["golden","hold","released"]', 'a1b2c3d4e5f60718293a4b5c6d7e8f90', 3, 'golden', null);
insert into reprise_register values
  ('golden/a', '{"a":1}', 12, 1767225600100),
  ('golden/b', '', 1, 1767225600100);
