import type { Pair } from "./pair.ts";

const procedure = (text: string) =>
  `DELIMITER //\nCREATE PROCEDURE book(IN p VARCHAR(20))\nBEGIN\n${text}\nEND //\nDELIMITER ;\n`;

export const mysqlPairs: readonly Pair[] = [
  {
    name: "insert ignore",
    rule: "insert-ignore",
    unsound: "INSERT IGNORE INTO `orders` (`ref`, total) VALUES ('a', 1);",
    sound: "INSERT INTO `orders` (`ref`, total) VALUES ('a', 1) ON DUPLICATE KEY UPDATE total = VALUES(total);",
  },
  {
    name: "low priority ignore",
    rule: "insert-ignore",
    unsound: "insert low_priority ignore orders (ref) select ref from staging",
    sound: "insert low_priority into orders (ref) select ref from staging on duplicate key update ref = orders.ref",
  },
  {
    name: "ignore in a comment that runs",
    rule: "insert-ignore",
    unsound: "insert /*!50000 ignore */ into orders (ref) values (1)",
    sound: "insert /* ignore */ into orders (ref) values (1)",
  },
  {
    name: "replace into",
    rule: "replace-deletes",
    unsound: "REPLACE INTO orders (ref, total) VALUES ('a', 1);",
    sound: "UPDATE orders SET ref = REPLACE(ref, 'a', 'b') WHERE id = 1;",
  },
  {
    name: "where not exists, from dual",
    rule: "insert-where-not-exists",
    unsound:
      "INSERT INTO roles (name) SELECT 'admin' FROM DUAL WHERE NOT EXISTS (SELECT * FROM roles WHERE name = 'admin') LIMIT 1;",
    sound: "INSERT INTO roles (name) SELECT 'admin' FROM DUAL WHERE EXISTS (SELECT * FROM tenants WHERE id = 1);",
  },
  {
    name: "left join, is null",
    rule: "insert-where-not-exists",
    unsound:
      "INSERT INTO fact (ref) SELECT s.ref FROM staging s LEFT OUTER JOIN fact AS f ON f.ref = s.ref WHERE f.id IS NULL;",
    sound:
      "INSERT INTO fact (ref) SELECT s.ref FROM staging s LEFT OUTER JOIN customers AS f ON f.ref = s.ref WHERE f.id IS NULL;",
  },
  {
    name: "a count in a procedure",
    rule: "check-then-insert",
    unsound: procedure(
      "DECLARE n INT; SELECT COUNT(*) INTO n FROM orders WHERE ref = p; IF n = 0 THEN INSERT INTO orders (ref) VALUES (p); END IF;",
    ),
    sound: procedure(
      "DECLARE n INT; DECLARE CONTINUE HANDLER FOR 1062 SET n = 1; SELECT COUNT(*) INTO n FROM orders WHERE ref = p; IF n = 0 THEN INSERT INTO orders (ref) VALUES (p); END IF;",
    ),
  },
  {
    name: "if not exists in a procedure",
    rule: "check-then-insert",
    unsound: procedure(
      "IF NOT EXISTS (SELECT 1 FROM orders WHERE ref = p) THEN INSERT INTO orders (ref) VALUES (p); END IF;",
    ),
    sound: procedure(
      "IF NOT EXISTS (SELECT 1 FROM customers WHERE ref = p) THEN SIGNAL SQLSTATE '45000'; END IF; INSERT INTO orders (ref) VALUES (p);",
    ),
  },
  {
    name: "if exists, leave, then insert",
    rule: "check-then-insert",
    unsound: procedure(
      "work: BEGIN IF EXISTS (SELECT 1 FROM orders WHERE ref = p) THEN LEAVE work; END IF; INSERT INTO orders (ref) VALUES (p); END work;",
    ),
    sound: procedure(
      "DO GET_LOCK(p, 5); IF NOT EXISTS (SELECT 1 FROM orders WHERE ref = p) THEN INSERT INTO orders (ref) VALUES (p); END IF; DO RELEASE_LOCK(p);",
    ),
  },
  {
    name: "a variable set from a query",
    rule: "check-then-insert",
    unsound: procedure(
      "SET @n = (SELECT COUNT(*) FROM orders WHERE ref = p); IF @n < 1 THEN INSERT INTO orders (ref) VALUES (p); END IF;",
    ),
    sound: procedure(
      "SET @n = (SELECT COUNT(*) FROM orders WHERE customer = p); IF @n > 99 THEN SIGNAL SQLSTATE '45000'; END IF; INSERT INTO orders (ref) VALUES (p);",
    ),
  },
  {
    name: "row_count after an update",
    rule: "update-then-insert",
    unsound: procedure(
      "UPDATE stock SET n = n + 1 WHERE item = p; IF ROW_COUNT() = 0 THEN INSERT INTO stock (item, n) VALUES (p, 1); END IF;",
    ),
    sound: procedure(
      "UPDATE stock SET n = n + 1 WHERE item = p; IF ROW_COUNT() = 0 THEN INSERT INTO stock (item, n) VALUES (p, 1) ON DUPLICATE KEY UPDATE n = n + 1; END IF;",
    ),
  },
  {
    name: "for update, then insert",
    rule: "lock-then-insert",
    unsound:
      "START TRANSACTION; SELECT id FROM orders WHERE ref = 'a' FOR UPDATE; INSERT INTO orders (ref) VALUES ('a'); COMMIT;",
    sound:
      "START TRANSACTION; SELECT id FROM customers WHERE id = 1 FOR UPDATE; INSERT INTO orders (ref) VALUES ('a'); COMMIT;",
  },
  {
    name: "for update in a procedure",
    rule: "lock-then-insert",
    unsound: procedure(
      "DECLARE v INT; SELECT id INTO v FROM orders WHERE ref = p FOR UPDATE; IF v IS NULL THEN INSERT INTO orders (ref) VALUES (p); END IF;",
    ),
    sound: procedure(
      "DECLARE v INT; SELECT id INTO v FROM customers WHERE ref = p FOR UPDATE; IF NOT EXISTS (SELECT 1 FROM orders WHERE ref = p) THEN INSERT INTO orders (ref) VALUES (p); END IF;",
    ),
  },
  {
    name: "delete and insert",
    rule: "delete-then-insert",
    unsound:
      "DELETE FROM fact WHERE day BETWEEN '2026-01-01' AND '2026-01-31'; INSERT INTO fact (day, total) SELECT day, total FROM staging;",
    sound:
      "CREATE TEMPORARY TABLE fact_work (day DATE, total INT); DELETE FROM fact_work; INSERT INTO fact_work (day, total) SELECT day, total FROM staging;",
  },
  {
    name: "a trigger",
    rule: "check-then-insert",
    unsound:
      "CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW BEGIN IF NOT EXISTS (SELECT 1 FROM totals WHERE day = NEW.day) THEN INSERT INTO totals (day) VALUES (NEW.day); END IF; END",
    sound:
      "CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW BEGIN INSERT INTO totals (day) VALUES (NEW.day) ON DUPLICATE KEY UPDATE day = NEW.day; END",
  },
  {
    name: "quotes with backslashes",
    rule: "insert-ignore",
    unsound: "SET @a = 'it\\'s'; INSERT IGNORE INTO t (a) VALUES (@a); # '",
    sound: "SET @a = 'it\\'s; INSERT IGNORE INTO t (a) VALUES (1)'; # INSERT IGNORE INTO t",
  },
  {
    name: "a count below one in a procedure",
    rule: "check-then-insert",
    unsound: `DELIMITER //
CREATE PROCEDURE AddUser(IN p_mail VARCHAR(100))
BEGIN
  DECLARE cnt INT DEFAULT 0;
  SELECT COUNT(*) INTO cnt FROM users WHERE mail = p_mail;
  IF cnt < 1 THEN
    INSERT INTO users (mail) VALUES (p_mail);
  END IF;
END //
DELIMITER ;`,
    sound: `DELIMITER //
CREATE PROCEDURE AddUser(IN p_mail VARCHAR(100))
BEGIN
  DECLARE cnt INT DEFAULT 0;
  DECLARE CONTINUE HANDLER FOR 1062 SET cnt = 1;
  SELECT COUNT(*) INTO cnt FROM users WHERE mail = p_mail;
  IF cnt < 1 THEN
    INSERT INTO users (mail) VALUES (p_mail);
  END IF;
END //
DELIMITER ;`,
  },
  {
    name: "a handler of not found sets a flag",
    rule: "check-then-insert",
    unsound: `delimiter $$
create procedure touch(in k int)
begin
  declare missing bool default false;
  declare v int;
  declare continue handler for not found set missing = true;
  select id into v from counters where id = k;
  if missing then
    insert into counters (id, n) values (k, 1);
  else
    update counters set n = n + 1 where id = k;
  end if;
end$$
delimiter ;`,
    sound: `delimiter $$
create procedure touch(in k int)
begin
  insert into counters (id, n) values (k, 1) on duplicate key update n = n + 1;
end$$
delimiter ;`,
  },
  {
    name: "row_count after an update in a procedure",
    rule: "update-then-insert",
    unsound: `create procedure bump(in k int)
begin
  update hits set n = n + 1 where page = k;
  if row_count() = 0 then
    insert into hits (page, n) values (k, 1);
  end if;
end;`,
    sound: `create procedure bump(in k int)
begin
  update hits set n = n + 1 where page = k;
  if row_count() = 0 then
    signal sqlstate '45000' set message_text = 'no page';
  end if;
  insert into hits_log (page) values (k);
end;`,
  },
  {
    name: "quoted slots for update",
    rule: "lock-then-insert",
    unsound: `START TRANSACTION;
SELECT id FROM \`slots\` WHERE \`start\` = '2026-01-01 10:00' FOR UPDATE;
INSERT INTO \`slots\` (\`start\`, room) VALUES ('2026-01-01 10:00', 4);
COMMIT;`,
    sound: `START TRANSACTION;
SELECT id FROM \`rooms\` WHERE id = 4 FOR UPDATE;
INSERT INTO \`slots\` (\`start\`, room) VALUES ('2026-01-01 10:00', 4);
COMMIT;`,
  },
  {
    name: "not exists over a derived row",
    rule: "insert-where-not-exists",
    unsound: `INSERT INTO permissions (role_id, name)
SELECT * FROM (SELECT 3, 'edit') AS tmp
WHERE NOT EXISTS (SELECT name FROM permissions WHERE name = 'edit') LIMIT 1;`,
    sound: `SELECT GET_LOCK('permissions', 10);
INSERT INTO permissions (role_id, name)
SELECT * FROM (SELECT 3, 'edit') AS tmp
WHERE NOT EXISTS (SELECT name FROM permissions WHERE name = 'edit') LIMIT 1;
SELECT RELEASE_LOCK('permissions');`,
  },
  {
    name: "replace set",
    rule: "replace-deletes",
    unsound: `REPLACE LOW_PRIORITY INTO sessions SET id = 'a', data = '{}';`,
    sound: `UPDATE sessions SET data = REPLACE(data, 'a', 'b') WHERE id = 'a';`,
  },
  {
    name: "low priority ignore",
    rule: "insert-ignore",
    unsound: `INSERT LOW_PRIORITY IGNORE INTO visits (ip, at) SELECT ip, at FROM raw_visits;`,
    sound: `INSERT INTO visits (ip, at) SELECT ip, at FROM raw_visits ON DUPLICATE KEY UPDATE ip = visits.ip;`,
  },
  {
    name: "load data that replaces",
    rule: "replace-deletes",
    unsound: `LOAD DATA INFILE '/tmp/a.csv' REPLACE INTO TABLE prices FIELDS TERMINATED BY ',';`,
    sound: `LOAD DATA INFILE '/tmp/a.csv' INTO TABLE prices_staging FIELDS TERMINATED BY ',';`,
  },
];
