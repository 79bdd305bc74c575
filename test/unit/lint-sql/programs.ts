import type { Pair } from "./pair.ts";

export const programPairs: readonly Pair[] = [
  {
    name: "Prisma: findUnique, then create",
    rule: "check-then-insert",
    unsound: `import { PrismaClient } from "@prisma/client";
      async function register(email: string) {
        const known = await prisma.user.findUnique({ where: { email } });
        if (known) throw new ConflictException();
        return prisma.user.create({ data: { email } });
      }`,
    sound: `import { PrismaClient } from "@prisma/client";
      async function register(email: string) {
        try { return await prisma.user.create({ data: { email } }); }
        catch (error) { if (error.code === "P2002") throw new ConflictException(); throw error; }
      }`,
  },
  {
    name: "Prisma: a parent that must be there",
    rule: "check-then-insert",
    unsound: `async function add(name: string) {
        const there = await this.prisma.category.findFirst({ where: { name } });
        if (!there) { await this.prisma.category.create({ data: { name } }); }
      }`,
    sound: `async function add(name: string, parentId: string) {
        const parent = await this.prisma.category.findFirst({ where: { id: parentId } });
        if (!parent) { throw new NotFoundException(); }
        await this.prisma.category.create({ data: { name, parentId } });
      }`,
  },
  {
    name: "Prisma: in a transaction",
    rule: "check-then-insert",
    unsound: `async function add(ref: string) {
        await prisma.$transaction(async (tx) => {
          const count = await tx.order.count({ where: { ref } });
          if (count === 0) await tx.order.create({ data: { ref } });
        });
      }`,
    sound: `async function add(ref: string) {
        await prisma.$transaction(async (tx) => {
          const count = await tx.order.count({ where: { ref } });
          if (count === 0) await tx.order.create({ data: { ref } });
        }, { isolationLevel: Prisma.TransactionIsolationLevel.Serializable });
      }`,
  },
  {
    name: "Prisma: upsert by two keys",
    rule: "upsert-not-native",
    unsound:
      "async () => { await prisma.user.upsert({ where: { id: 1, email }, create: { email }, update: { name } }); }",
    sound: "async () => { await prisma.user.upsert({ where: { email }, create: { email }, update: { name } }); }",
  },
  {
    name: "Prisma: upsert with nested writes",
    rule: "upsert-not-native",
    unsound:
      "async () => { await prisma.user.upsert({ where: { email }, create: { email, posts: { create: [{ title }] } }, update: {} }); }",
    sound:
      "async () => { await prisma.user.upsert({ where: { email_tenant: { email, tenant } }, create: { email, settings: { a: 1 } }, update: {} }); }",
  },
  {
    name: "Sequelize: findOrCreate",
    rule: "find-or-create",
    unsound: `import { Sequelize } from "sequelize"; async () => { const [user] = await User.findOrCreate({ where: { email } }); }`,
    sound: `import { Sequelize } from "sequelize"; async () => { const [user] = await User.findCreateFind({ where: { email } }); }`,
  },
  {
    name: "Sequelize: findOne, then create",
    rule: "check-then-insert",
    unsound: `async function f() {
        let user = await User.findOne({ where: { email } });
        if (!user) {
          user = await User.create({ email });
        }
        return user;
      }`,
    sound: `async function f() {
        let user = await User.findOne({ where: { email } });
        if (!user) {
          return null;
        }
        await Login.create({ user: user.id });
        return user;
      }`,
  },
  {
    name: "Sequelize: count inside of the condition",
    rule: "check-then-insert",
    unsound: `class A { async f() { if ((await User.count({ where: { email } })) > 0) { return; } await User.create({ email }); } }`,
    sound: `class A { async f() { if ((await User.count({ where: { team } })) > 10) { return; } await User.create({ email }); } }`,
  },
  {
    name: "TypeORM: findOneBy, then save",
    rule: "check-then-insert",
    unsound: `import { Repository } from "typeorm";
      class Users { async add(dto: Dto): Promise<User> {
        const existing = await this.userRepository.findOneBy({ email: dto.email });
        if (existing) { throw new ConflictException("there"); }
        const user = this.userRepository.create(dto);
        return this.userRepository.save(user);
      } }`,
    sound: `import { Repository } from "typeorm";
      class Users { async rename(id: number, dto: Dto): Promise<User> {
        const user = await this.userRepository.findOneBy({ id });
        if (!user) { throw new NotFoundException("none"); }
        user.name = dto.name;
        return this.userRepository.save(user);
      } }`,
  },
  {
    name: "TypeORM: exists of another's name",
    rule: "check-then-insert",
    unsound: `async function f(repo: Repository<User>) { if (await repo.existsBy({ email })) return; await repo.insert({ email }); }`,
    sound: `async function f(repo: Repository<User>) {
        const other = await repo.findOneBy({ email });
        if (other && other.id !== id) throw new ConflictException();
        await repo.save(user);
      }`,
  },
  {
    name: "TypeORM: a manager",
    rule: "check-then-insert",
    unsound: `async function f() { const found = await manager.findOne(User, { where: { email } }); if (found == null) { await manager.insert(User, { email }); } }`,
    sound: `async function f() { const found = await manager.findOne(Team, { where: { id } }); if (found == null) { await manager.insert(User, { email }); } }`,
  },
  {
    name: "Knex: first, then insert",
    rule: "check-then-insert",
    unsound: `async function f() { const row = await knex("orders").where({ ref }).first(); if (!row) await knex("orders").insert({ ref }); }`,
    sound: `async function f() { const row = await knex("orders").where({ ref }).first(); if (!row) await knex("orders").insert({ ref }).onConflict("ref").ignore(); }`,
  },
  {
    name: "Drizzle: select, then insert",
    rule: "check-then-insert",
    unsound: `import { drizzle } from "drizzle-orm/node-postgres";
      async function f() { const rows = await db.select().from(users).where(eq(users.email, email)).limit(1);
        if (rows.length === 0) { await db.insert(users).values({ email }); } }`,
    sound: `import { drizzle } from "drizzle-orm/node-postgres";
      async function f() { const rows = await db.select().from(users).where(eq(users.email, email)).limit(1);
        if (rows.length === 0) { await db.insert(users).values({ email }).onConflictDoNothing(); } }`,
  },
  {
    name: "Drizzle: query, then insert",
    rule: "check-then-insert",
    unsound: `async function f() { const user = await db.query.users.findFirst({ where: eq(users.email, email) }); if (user) return user; return (await db.insert(users).values({ email }).returning())[0]; }`,
    sound: `async function f() { const user = await db.query.users.findFirst({ where: eq(users.email, email) }); if (!user) return null; await db.insert(logins).values({ user: user.id }); }`,
  },
  {
    name: "Kysely: selectFrom, then insertInto",
    rule: "check-then-insert",
    unsound: `async function f() { const row = await db.selectFrom("orders").select("id").where("ref", "=", ref).executeTakeFirst();
        if (row === undefined) await db.insertInto("orders").values({ ref }).execute(); }`,
    sound: `async function f() { const row = await db.selectFrom("orders").select("id").where("ref", "=", ref).executeTakeFirst();
        if (row === undefined) await db.insertInto("orders").values({ ref }).onConflict((o) => o.column("ref").doNothing()).execute(); }`,
  },
  {
    name: "Mongoose: findOne ?? create",
    rule: "check-then-insert",
    unsound: `async function f() { return (await User.findOne({ email })) ?? (await User.create({ email })); }`,
    sound: `async function f() { return (await User.findOne({ email })) ?? (await Guest.create({ email })); }`,
  },
  {
    name: "a question mark",
    rule: "check-then-insert",
    unsound: `async function f() { const there = await users.findOne({ email }); return there ? users.update(there.id, {}) : users.create({ email }); }`,
    sound: `async function f() { const there = await users.findOne({ email }); return there ? users.update(there.id, {}) : null; }`,
  },
  {
    name: "Supabase",
    rule: "check-then-insert",
    unsound: `async function f() { const { data } = await supabase.from("orders").select().eq("ref", ref).maybeSingle(); if (!data) await supabase.from("orders").insert({ ref }); }`,
    sound: `async function f() { const { data } = await supabase.from("orders").select().eq("ref", ref).maybeSingle(); if (!data) await supabase.from("orders").upsert({ ref }, { onConflict: "ref" }); }`,
  },
  {
    name: "SQL in a template",
    rule: "insert-where-not-exists",
    unsound: `import pg from 'pg'; export const load = (sql) => sql\`insert into \${table} (ref) select ref from staging where not exists (select 1 from \${table} t where t.ref = staging.ref)\`;`,
    sound: `import pg from 'pg'; export const load = (sql) => sql\`insert into \${table} (ref) select ref from staging where not exists (select 1 from \${other} t where t.ref = staging.ref)\`;`,
  },
  {
    name: "SQL in pieces",
    rule: "insert-where-not-exists",
    unsound: `pool.query("insert into orders (ref) select $1 " +\n  "where not exists (select 1 from orders where ref = $1)", [ref]);`,
    sound: `pool.query("insert into orders (ref) select $1 " +\n  "where not exists (select 1 from banned where ref = $1)", [ref]);`,
  },
  {
    name: "INSERT IGNORE in a string",
    rule: "insert-ignore",
    unsound: `import mysql from "mysql2/promise"; await pool.execute("INSERT IGNORE INTO orders (ref) VALUES (?)", [ref]);`,
    sound: `import mysql from "mysql2/promise"; console.log("INSERT IGNORE INTO orders (ref) VALUES (?)", [ref]);`,
  },
  {
    name: "select, then insert, in strings",
    rule: "check-then-insert",
    unsound: `async function f(client) {
        const { rows } = await client.query("select id from orders where ref = $1", [ref]);
        if (rows.length > 0) return rows[0].id;
        await client.query("insert into orders (ref) values ($1)", [ref]);
      }`,
    sound: `async function f(client) {
        const { rows } = await client.query("select id from orders where ref = $1", [ref]);
        if (rows.length > 0) return rows[0].id;
        await client.query("insert into orders (ref) values ($1) on conflict (ref) do nothing", [ref]);
      }`,
  },
  {
    name: "select, then insert, by a derived name",
    rule: "check-then-insert",
    unsound: `async function f(client) {
        const result = await client.query(\`select id from orders where ref = $1\`, [ref]);
        const isNew = result.rowCount === 0;
        if (isNew) { await client.query(\`insert into orders (ref) values ($1)\`, [ref]); }
      }`,
    sound: `async function f(client) {
        await client.query("select pg_advisory_xact_lock($1)", [id]);
        const result = await client.query(\`select id from orders where ref = $1\`, [ref]);
        const isNew = result.rowCount === 0;
        if (isNew) { await client.query(\`insert into orders (ref) values ($1)\`, [ref]); }
      }`,
  },
  {
    name: "update, then insert, in strings",
    rule: "update-then-insert",
    unsound: `async function f() { const done = await db.query("update stock set n = n + 1 where item = $1", [i]); if (!done.rowCount) await db.query("insert into stock (item, n) values ($1, 1)", [i]); }`,
    sound: `async function f() { const done = await db.query("update stock set n = n + 1 where item = $1", [i]); if (!done.rowCount) await db.query("insert into missing (item, n) values ($1, 1)", [i]); }`,
  },
  {
    name: "a parent's row locked first",
    rule: "check-then-insert",
    unsound: `async function f() {
        await db.query("select id from customers where id = $1", [c]);
        const seats = await db.query("select id from seats where no = $1", [n]);
        if (!seats.rows[0]) await db.query("insert into seats (no) values ($1)", [n]);
      }`,
    sound: `async function f() {
        await db.query("select id from customers where id = $1 for update", [c]);
        const seats = await db.query("select id from seats where no = $1", [n]);
        if (!seats.rows[0]) await db.query("insert into seats (no) values ($1)", [n]);
      }`,
  },
  {
    name: "what is kept in memory",
    rule: "check-then-insert",
    unsound: `async function f() { const item = await this.items.findOne({ id }); if (!item) await this.items.insert({ id }); }`,
    sound: `function f() { const item = this.items.find((one) => one.id === id); if (!item) this.items.insert({ id }); }`,
  },
];
