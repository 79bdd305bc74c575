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
  {
    name: "Prisma: findUnique by two columns, returned",
    rule: "check-then-insert",
    unsound: `import { PrismaClient } from "@prisma/client";
const prisma = new PrismaClient();
export async function link(a: string, b: string) {
  const existing = await prisma.friendship.findUnique({ where: { a_b: { a, b } } });
  if (existing) return existing;
  return prisma.friendship.create({ data: { a, b } });
}`,
    sound: `import { Prisma, PrismaClient } from "@prisma/client";
const prisma = new PrismaClient();
export async function link(a: string, b: string) {
  const user = await prisma.user.findUnique({ where: { id: a } });
  if (!user) throw new Error("no such user");
  try {
    return await prisma.friendship.create({ data: { a, b } });
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002") return prisma.friendship.findUnique({ where: { a_b: { a, b } } });
    throw error;
  }
}`,
  },
  {
    name: "Prisma: a count in a transaction",
    rule: "check-then-insert",
    unsound: `import { prisma } from "./db";
export const book = (seat: string) => prisma.$transaction(async (tx) => {
  const taken = await tx.booking.count({ where: { seat } });
  if (taken > 0) throw new Error("taken");
  await tx.booking.create({ data: { seat } });
});
// prisma`,
    sound: `import { prisma } from "./db";
export const book = (seat: string) => prisma.$transaction(async (tx) => {
  const taken = await tx.booking.count({ where: { seat } });
  if (taken > 0) throw new Error("taken");
  await tx.booking.create({ data: { seat } });
}, { isolationLevel: "Serializable" });
// prisma`,
  },
  {
    name: "TypeORM: create and save",
    rule: "check-then-insert",
    unsound: `import { Repository } from "typeorm";
export class Tags {
  constructor(private readonly tags: Repository<Tag>) {}
  async ensure(name: string): Promise<Tag> {
    let tag = await this.tags.findOneBy({ name });
    if (tag === null) {
      tag = this.tags.create({ name });
      await this.tags.save(tag);
    }
    return tag;
  }
}`,
    sound: `import { Repository } from "typeorm";
export class Tags {
  constructor(private readonly tags: Repository<Tag>) {}
  async rename(id: number, name: string): Promise<Tag> {
    const tag = await this.tags.findOneBy({ id });
    if (tag === null) throw new Error("none");
    tag.name = name;
    return this.tags.save(tag);
  }
  async ensure(name: string) {
    await this.tags.upsert({ name }, ["name"]);
  }
}`,
  },
  {
    name: "TypeORM: a query builder's count",
    rule: "check-then-insert",
    unsound: `import { DataSource } from "typeorm";
export async function f(ds: DataSource, mail: string) {
  const n = await ds.getRepository(User).createQueryBuilder("u").where("u.mail = :mail", { mail }).getCount();
  if (n === 0) {
    await ds.getRepository(User).insert({ mail });
  }
}`,
    sound: `import { DataSource } from "typeorm";
export async function f(ds: DataSource, mail: string) {
  await ds.createQueryBuilder().insert().into(User).values({ mail }).orIgnore().execute();
  const n = await ds.getRepository(User).createQueryBuilder("u").where("u.mail = :mail", { mail }).getCount();
  return n;
}`,
  },
  {
    name: "Sequelize: findOne that throws",
    rule: "check-then-insert",
    unsound: `const { Model } = require("sequelize");
async function register(email) {
  const found = await User.findOne({ where: { email } });
  if (found) { throw new Conflict(); }
  const user = await User.create({ email });
  return user.id;
}`,
    sound: `const { Model, UniqueConstraintError } = require("sequelize");
async function register(email) {
  try {
    const user = await User.create({ email });
    return user.id;
  } catch (error) {
    if (error instanceof UniqueConstraintError) throw new Conflict();
    throw error;
  }
}`,
  },
  {
    name: "Sequelize: findOrCreate, exported",
    rule: "find-or-create",
    unsound: `const sequelize = require("sequelize");
exports.role = async (name) => {
  const [role, created] = await Role.findOrCreate({ where: { name }, defaults: { level: 1 } });
  return { role, created };
};`,
    sound: `const sequelize = require("sequelize");
exports.role = async (name) => {
  const [role] = await Role.upsert({ name, level: 1 }, { conflictFields: ["name"] });
  return { role };
};`,
  },
  {
    name: "Drizzle: a destructured row",
    rule: "check-then-insert",
    unsound: `import { eq } from "drizzle-orm";
export async function add(db: Database, slug: string) {
  const [existing] = await db.select().from(posts).where(eq(posts.slug, slug)).limit(1);
  if (!existing) {
    await db.insert(posts).values({ slug });
  }
}`,
    sound: `import { eq } from "drizzle-orm";
export async function add(db: Database, slug: string) {
  await db.insert(posts).values({ slug }).onConflictDoNothing({ target: posts.slug });
  const [existing] = await db.select().from(posts).where(eq(posts.slug, slug)).limit(1);
  if (!existing) throw new Error("gone");
  return existing;
}`,
  },
  {
    name: "Drizzle: findFirst, returned",
    rule: "check-then-insert",
    unsound: `import { eq } from "drizzle-orm";
import { db, invites } from "./schema";
export async function add(mail: string) {
  const invite = await db.query.invites.findFirst({ where: eq(invites.mail, mail) });
  if (invite !== undefined) return invite;
  const [made] = await db.insert(invites).values({ mail }).returning();
  return made;
}`,
    sound: `import { eq } from "drizzle-orm";
import { db, invites } from "./schema";
export async function add(mail: string) {
  const invite = await db.query.blocked.findFirst({ where: eq(invites.mail, mail) });
  if (invite !== undefined) return invite;
  const [made] = await db.insert(invites).values({ mail }).returning();
  return made;
}`,
  },
  {
    name: "Knex: first, then insert",
    rule: "check-then-insert",
    unsound: `import { knex } from "./knex";
export async function seen(ip: string) {
  const row = await knex("visitors").where({ ip }).first();
  if (!row) await knex("visitors").insert({ ip, count: 1 });
  else await knex("visitors").where({ ip }).increment("count", 1);
}`,
    sound: `import { knex } from "./knex";
export async function seen(ip: string) {
  await knex("visitors").insert({ ip, count: 1 }).onConflict("ip").merge({ count: knex.raw("visitors.count + 1") });
}`,
  },
  {
    name: "Knex: an update that changed nothing",
    rule: "update-then-insert",
    unsound: `import { knex } from "./knex";
export async function seen(ip: string) {
  const changed = await knex("visitors").where({ ip }).update({ last: new Date() });
  if (changed === 0) await knex("visitors").insert({ ip, last: new Date() });
}`,
    sound: `import { knex } from "./knex";
export async function seen(ip: string) {
  const changed = await knex("visitors").where({ ip }).update({ last: new Date() });
  if (changed === 0) throw new Error("never seen");
  await knex("visits").insert({ ip, last: new Date() });
}`,
  },
  {
    name: "Knex: del and insert",
    rule: "delete-then-insert",
    unsound: `import { knex } from "./knex";
export async function put(day: string, rows: Row[]) {
  await knex.transaction(async (trx) => {
    await trx("daily").where({ day }).del();
    await trx("daily").insert(rows);
  });
}`,
    sound: `import { knex } from "./knex";
export async function put(day: string, rows: Row[]) {
  await knex.transaction(async (trx) => {
    await trx("daily_old").where({ day }).del();
    await trx("daily").insert(rows).onConflict(["day", "sku"]).merge();
  });
}`,
  },
  {
    name: "pg: rowCount of a select",
    rule: "check-then-insert",
    unsound: `import { Pool } from "pg";
export async function charge(pool: Pool, id: string) {
  const { rowCount } = await pool.query("SELECT 1 FROM charges WHERE order_id = $1", [id]);
  if (!rowCount) {
    await pool.query(\`INSERT INTO charges (order_id)
      VALUES ($1)\`, [id]);
  }
}`,
    sound: `import { Pool } from "pg";
export async function charge(pool: Pool, id: string) {
  const { rowCount } = await pool.query(\`INSERT INTO charges (order_id)
      VALUES ($1) ON CONFLICT (order_id) DO NOTHING\`, [id]);
  if (!rowCount) {
    await pool.query("SELECT 1 FROM charges WHERE order_id = $1", [id]);
  }
}`,
  },
  {
    name: "pg: rowCount of an update",
    rule: "update-then-insert",
    unsound: `import { Pool } from "pg";
export async function inc(pool: Pool, k: string) {
  const result = await pool.query("UPDATE counters SET n = n + 1 WHERE k = $1", [k]);
  if (result.rowCount === 0) await pool.query("INSERT INTO counters (k, n) VALUES ($1, 1)", [k]);
}`,
    sound: `import { Pool } from "pg";
export async function inc(pool: Pool, k: string) {
  const result = await pool.query("UPDATE counters SET n = n + 1 WHERE k = $1", [k]);
  if (result.rowCount === 0) return false;
  await pool.query("INSERT INTO counter_log (k, n) VALUES ($1, 1)", [k]);
  return true;
}`,
  },
  {
    name: "mysql2: rows of a select",
    rule: "check-then-insert",
    unsound: `import mysql from "mysql2/promise";
export async function add(c: mysql.Connection, mail: string) {
  const [rows] = await c.execute("select id from subscribers where mail = ?", [mail]);
  if (rows.length === 0) {
    await c.execute("insert into subscribers (mail) values (?)", [mail]);
  }
}`,
    sound: `import mysql from "mysql2/promise";
export async function add(c: mysql.Connection, mail: string) {
  const [rows] = await c.execute("select id from subscribers where mail = ?", [mail]);
  if (rows.length === 0) {
    try {
      await c.execute("insert into subscribers (mail) values (?)", [mail]);
    } catch (error) {
      if (error.code !== "ER_DUP_ENTRY") throw error;
    }
  }
}`,
  },
  {
    name: "SQLite: a prepared replace",
    rule: "replace-deletes",
    unsound: `import Database from "better-sqlite3";
const db = new Database("a.db");
export function put(k: string, v: string) {
  db.prepare("insert or replace into kv (k, v) values (?, ?)").run(k, v);
}`,
    sound: `import Database from "better-sqlite3";
const db = new Database("a.db");
export function put(k: string, v: string) {
  db.prepare("insert into kv (k, v) values (?, ?) on conflict (k) do update set v = excluded.v").run(k, v);
}`,
  },
  {
    name: "a tagged template's rows",
    rule: "check-then-insert",
    unsound: `import postgres from "postgres";
const sql = postgres();
export async function f(name) {
  const rows = await sql\`select id from teams where name = \${name}\`;
  if (rows.length > 0) return rows[0].id;
  const [team] = await sql\`insert into teams (name) values (\${name}) returning id\`;
  return team.id;
}`,
    sound: `import postgres from "postgres";
const sql = postgres();
export async function f(name) {
  const [team] = await sql\`insert into teams (name) values (\${name}) on conflict (name) do update set name = excluded.name returning id\`;
  return team.id;
}`,
  },
  {
    name: "Mongoose: exists",
    rule: "check-then-insert",
    unsound: `import mongoose from "mongoose";
export async function sub(email) {
  const exists = await Subscriber.exists({ email });
  if (!exists) {
    await Subscriber.create({ email });
  }
}`,
    sound: `import mongoose from "mongoose";
export async function sub(email) {
  await Subscriber.updateOne({ email }, { $setOnInsert: { email } }, { upsert: true });
  const exists = await Subscriber.exists({ email });
  return exists;
}`,
  },
  {
    name: "MongoDB: a collection's findOne",
    rule: "check-then-insert",
    unsound: `import { MongoClient } from "mongodb";
export async function sub(db, email) {
  const doc = await db.collection("subs").findOne({ email });
  if (doc == null) await db.collection("subs").insertOne({ email });
}`,
    sound: `import { MongoClient } from "mongodb";
export async function sub(db, email) {
  const doc = await db.collection("bans").findOne({ email });
  if (doc == null) await db.collection("subs").insertOne({ email });
}`,
  },
  {
    name: "Prisma: upsert with connectOrCreate",
    rule: "upsert-not-native",
    unsound: `import { prisma } from "./prisma";
export async function put(orgId: string, slug: string) {
  return prisma.project.upsert({
    where: { slug },
    create: { slug, owner: { connectOrCreate: { where: { orgId }, create: { orgId } } } },
    update: {},
  });
}`,
    sound: `import { prisma } from "./prisma";
export async function put(orgId: string, slug: string) {
  return prisma.project.upsert({
    where: { slug },
    create: { slug, orgId },
    update: { orgId },
  });
}`,
  },
  {
    name: "a conditional expression",
    rule: "check-then-insert",
    unsound: `import { prisma } from "./prisma";
export async function put(slug: string) {
  const page = await prisma.page.findFirst({ where: { slug } });
  return page ? page : await prisma.page.create({ data: { slug } });
}`,
    sound: `import { prisma } from "./prisma";
export async function put(slug: string) {
  const page = await prisma.page.findFirst({ where: { slug } });
  return page ? await prisma.page.create({ data: { slug: slug + "-copy" } }) : null;
}`,
  },
  {
    name: "a loop that goes on",
    rule: "check-then-insert",
    unsound: `import { prisma } from "./prisma";
export async function sync(items: Item[]) {
  for (const item of items) {
    const known = await prisma.item.findUnique({ where: { sku: item.sku } });
    if (known) {
      continue;
    }
    await prisma.item.create({ data: item });
  }
}`,
    sound: `import { prisma } from "./prisma";
export async function sync(items: Item[]) {
  await prisma.item.createMany({ data: items, skipDuplicates: true });
  for (const item of items) {
    const known = await prisma.item.findUnique({ where: { sku: item.sku } });
    if (known) continue;
    await prisma.missing.create({ data: item });
  }
}`,
  },
  {
    name: "Knex: a length in a constant",
    rule: "check-then-insert",
    unsound: `import { knex } from "./knex";
export async function g(name) {
  const exists = (await knex.select("id").from("labels").where("name", name)).length > 0;
  if (!exists) await knex.insert({ name }).into("labels");
}`,
    sound: `export async function g(cache, files, name) {
  const existing = await cache.find(name);
  if (!existing) await cache.create(name);
  const entries = [1, 2].find((n) => n > 1);
  if (!entries) files.insert(name);
}`,
  },
  {
    name: "Prisma: deleteMany and createMany in a list",
    rule: "delete-then-insert",
    unsound: `import { prisma } from "./p";
export const f = (day, rows) => prisma.$transaction([prisma.daily.deleteMany({ where: { day } }), prisma.daily.createMany({ data: rows })]);`,
    sound: `import { prisma } from "./p";
export async function login(userId: string) {
  await prisma.session.deleteMany({ where: { userId, expiresAt: { lt: new Date() } } });
  return prisma.session.create({ data: { userId } });
}`,
  },
  {
    name: "a route's check at the top of a program",
    rule: "check-then-insert",
    unsound: `import { prisma } from "./p";
app.post("/u", async (req, res) => {
    const there = await prisma.user.findUnique({ where: { email: req.body.email } });
    if (there) return res.status(409).end();
    await prisma.user.create({ data: req.body });
});`,
    sound: `import express from "express"; import { prisma } from "./p";
const app = express();
app.post("/u", async (req, res) => {
  try {
    const there = await prisma.user.findUnique({ where: { email: req.body.email } });
    if (there) return res.status(409).end();
    await prisma.user.create({ data: req.body });
  } catch (error) { if (error.code === "P2002") return res.status(409).end(); throw error; }
});`,
  },
  {
    name: "pg: a day deleted and inserted row by row",
    rule: "delete-then-insert",
    unsound: `import pg from "pg";
export async function f(c, d, rows) { await c.query("begin"); await c.query("delete from daily where day = $1", [d]); for (const r of rows) await c.query("insert into daily (day, n) values ($1, $2)", [d, r]); await c.query("commit"); }`,
    sound: `import pg from "pg";
export async function f(c, u) { await c.query("delete from sessions where user_id = $1 and expires_at < now()", [u]); await c.query("insert into sessions (user_id, token) values ($1, $2)", [u]); }`,
  },
  {
    name: "TypeORM: delete and insert",
    rule: "delete-then-insert",
    unsound: `import { Repository } from "typeorm";
class A { async f(day, rows) { await this.daily.delete({ day }); await this.daily.insert(rows); } }`,
    sound: `import { LessThan } from "typeorm";
export async function f(repo, row) { await this.codes.delete({ user: row.user, at: LessThan(new Date()) }); await this.codes.insert(row); }`,
  },
  {
    name: "Drizzle: delete and insert",
    rule: "delete-then-insert",
    unsound: `import { eq } from "drizzle-orm";
export async function f(day, rows) { await db.delete(daily).where(eq(daily.day, day)); await db.insert(daily).values(rows); }`,
    sound: `import { lt } from "drizzle-orm";
export async function f(row) { await db.delete(codes).where(and(eq(codes.u, 1), lt(codes.at, new Date()))); await db.insert(codes).values({ u: 1 }); }`,
  },
  {
    name: "Mongoose: all deleted and inserted",
    rule: "delete-then-insert",
    unsound: `import mongoose from "mongoose";
export async function f(rows) { await Price.deleteMany({}); await Price.insertMany(rows); }`,
    sound: `import mongoose from "mongoose";
export async function f() { await Token.deleteMany({ at: { $lt: new Date() } }); await Token.create({ user: 1 }); }`,
  },
  {
    name: "Kysely: delete and insert",
    rule: "delete-then-insert",
    unsound: `import { Kysely } from "kysely";
export async function f(db, day, rows) { await db.deleteFrom("daily").where("day", "=", day).execute(); await db.insertInto("daily").values(rows).execute(); }`,
    sound: `import { Kysely } from "kysely";
export async function f(db, row) { await db.deleteFrom("codes").where("at", "<", new Date()).execute(); await db.insertInto("codes").values(row).execute(); }`,
  },
  {
    name: "TypeORM: affected",
    rule: "update-then-insert",
    unsound: `import { Repository } from "typeorm";
class A { async f(day) { const result = await this.daily.update({ day }, { n: 1 }); if (result.affected === 0) await this.daily.insert({ day, n: 1 }); } }`,
    sound: `import { DataSource } from "typeorm";
export const f = (ds: DataSource, mail: string) => ds.transaction("SERIALIZABLE", async (m) => {
  const u = await m.findOne(User, { where: { mail } });
  if (!u) await m.insert(User, { mail });
});`,
  },
  {
    name: "Prisma: updateMany that changed none",
    rule: "update-then-insert",
    unsound: `import { prisma } from "./p";
export async function f(day) { const { count } = await prisma.daily.updateMany({ where: { day }, data: { n: 1 } }); if (count === 0) await prisma.daily.create({ data: { day, n: 1 } }); }`,
    sound: `import { prisma } from "./p";
export async function f(day, rows) {
  if (rows.length === 0) { await prisma.daily.deleteMany({ where: { day } }); return; }
  await prisma.daily.createMany({ data: rows, skipDuplicates: true });
}`,
  },
  {
    name: "Sequelize: an update that changed none",
    rule: "update-then-insert",
    unsound: `import { Model } from "sequelize";
export async function f(day) { const [changed] = await Daily.update({ n: 1 }, { where: { day } }); if (!changed) await Daily.create({ day, n: 1 }); }`,
    sound: `import { knex } from "./k";
export async function f(id) { const n = await knex("users").where({ id }).update({ a: 1 }); if (!n) throw new Error("x"); await knex("users").insert({ parent: id }); }`,
  },
  {
    name: "Sequelize: destroy and bulkCreate",
    rule: "delete-then-insert",
    unsound: `import { Sequelize } from "sequelize";
export async function f(orderId, lines) { await Line.destroy({ where: { orderId } }); await Line.bulkCreate(lines.map((l) => ({ ...l, orderId }))); }`,
    sound: `import { knex } from "./k";
export async function f(row) { await knex("logs").where("at", "<", new Date()).del(); await knex("logs").insert(row); }`,
  },
];
