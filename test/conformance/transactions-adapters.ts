import { randomBytes } from "node:crypto";
import { MikroORM, type Options as MikroOrmOptions } from "@mikro-orm/postgresql";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle as drizzleMysql } from "drizzle-orm/mysql2";
import { drizzle } from "drizzle-orm/node-postgres";
import { drizzle as drizzlePostgresJs } from "drizzle-orm/postgres-js";
import createKnex, { type Knex } from "knex";
import { CamelCasePlugin, Kysely, sql as kyselySql, MysqlDialect, PostgresDialect } from "kysely";
import { createPool, type Pool as MysqlPool } from "mysql2";
import { Pool } from "pg";
import postgres from "postgres";
import { Sequelize, type Transaction as SequelizeTransaction } from "sequelize";
import { DataSource, type EntityManager } from "typeorm";
import type { QueryResult } from "../../src/contract/transactions.ts";
import {
  drizzleTransactions,
  knexTransactions,
  kyselyTransactions,
  mikroOrmTransactions,
  sequelizeTransactions,
  typeormTransactions,
} from "../../src/stores/transactions/index.ts";
import type { TransactionsAdapter, TransactionsDialect, TransactionsStage } from "../../src/testing/index.ts";
import { doesNotApply } from "../support/environment.ts";

/** Every mapper on every database that it is used with, each set to what its users set: columns renamed, results changed. */

export const schema = `transactions_${randomBytes(4).toString("hex")}`;
export const database = "test";

const serializable = { isolation: "serializable" } as const;
const most = 4;
type Rows = QueryResult["rows"];

const onPostgres = {
  host: "127.0.0.1",
  port: 5432,
  user: "postgres",
  password: "postgres",
  database,
  options: `-c search_path=${schema}`,
};
const onMysql = { host: "127.0.0.1", port: 3306, user: "root", password: "", database: schema };

/** Adapters of several mappers stand in one list: what each calls a transaction stays inside of it. */
function adapter<Tx>(
  name: string,
  dialect: TransactionsDialect,
  open: () => Promise<TransactionsStage<Tx>>,
  can: TransactionsAdapter<Tx>["can"] = { savepoints: true, lostConnections: true },
) {
  return {
    name,
    dialect,
    suite: <R>(run: (adapter: TransactionsAdapter<Tx>) => R) => run({ name, dialect, can, open }),
  };
}

function pgPool(): Pool {
  const pool = new Pool({ ...onPostgres, max: most });
  // a connection that is cut while a transaction holds it ends the process otherwise
  pool.on("connect", (client) => client.on("error", () => undefined));
  pool.on("error", () => undefined);
  return pool;
}

function mysqlPool(): MysqlPool {
  return createPool({ ...onMysql, connectionLimit: most });
}

const ended = (pool: MysqlPool) => new Promise<void>((resolve) => pool.end(() => resolve()));

async function openKnex(client: "pg" | "mysql2"): Promise<TransactionsStage<Knex.Transaction>> {
  const knex = createKnex({
    client,
    connection: client === "pg" ? onPostgres : onMysql,
    pool: { min: 0, max: most },
    postProcessResponse: (result: unknown, context: unknown) => (context === "plain" ? result : "changed by the user"),
  });
  return {
    transactions: knexTransactions(knex),
    serializable: knexTransactions(knex, serializable),
    own: async (tx, text) => {
      const result: { readonly rows: Rows } | readonly [Rows] = await tx.raw(text).queryContext("plain");
      return "rows" in result ? result.rows : result[0];
    },
    close: () => knex.destroy(),
  };
}

async function openTypeorm(type: "postgres" | "mysql"): Promise<TransactionsStage<EntityManager>> {
  const dataSource = new DataSource(
    type === "postgres"
      ? {
          type,
          host: onPostgres.host,
          port: onPostgres.port,
          username: onPostgres.user,
          password: onPostgres.password,
          database,
          extra: { options: onPostgres.options, max: most },
          poolErrorHandler: () => undefined,
        }
      : { type, host: onMysql.host, port: onMysql.port, username: onMysql.user, database: schema, poolSize: most },
  );
  await dataSource.initialize();
  return {
    transactions: typeormTransactions(dataSource),
    serializable: typeormTransactions(dataSource, serializable),
    own: (manager, text) => manager.query<Rows>(text),
    close: () => dataSource.destroy(),
  };
}

async function openSequelize(dialect: "postgres" | "mysql"): Promise<TransactionsStage<SequelizeTransaction>> {
  const { host, port, user, password } = dialect === "postgres" ? onPostgres : onMysql;
  const sequelize = new Sequelize(dialect === "postgres" ? database : schema, user, password, {
    host,
    port,
    dialect,
    logging: false,
    pool: { max: most },
    dialectOptions: dialect === "postgres" ? { options: onPostgres.options } : {},
  });
  return {
    transactions: sequelizeTransactions(sequelize),
    serializable: sequelizeTransactions(sequelize, serializable),
    own: async (transaction, text) => (await sequelize.query(text, { transaction }))[0] as Rows,
    close: () => sequelize.close(),
  };
}

export const adapters = [
  adapter("drizzle over pg", "postgres", async () => {
    const pool = pgPool();
    const db = drizzle(pool, { casing: "camelCase" });
    return {
      transactions: drizzleTransactions(db),
      serializable: drizzleTransactions(db, serializable),
      own: async (tx, text) => (await tx.execute(drizzleSql.raw(text))).rows,
      close: () => pool.end(),
    };
  }),
  adapter(
    "drizzle over postgres",
    "postgres",
    async () => {
      const { options, ...rest } = onPostgres;
      const client = postgres({ ...rest, max: most, connection: { options }, onnotice: () => undefined });
      const db = drizzlePostgresJs(client);
      return {
        transactions: drizzleTransactions(db),
        serializable: drizzleTransactions(db, serializable),
        own: async (tx, text) => [...(await tx.execute(drizzleSql.raw(text)))],
        // without a bound it waits forever for a connection that was cut
        close: () => client.end({ timeout: 1 }),
      };
    },
    {
      savepoints: { not: `${doesNotApply}postgres rolls back in the end whatever caught the error of a statement` },
      lostConnections: { not: `${doesNotApply}postgres may never answer a query that meets a lost connection` },
    },
  ),
  adapter("drizzle over mysql2", "mysql", async () => {
    const pool = mysqlPool();
    const db = drizzleMysql(pool);
    return {
      transactions: drizzleTransactions(db),
      serializable: drizzleTransactions(db, serializable),
      own: async (tx, text) => (await tx.execute(drizzleSql.raw(text)))[0] as unknown as Rows,
      close: () => ended(pool),
    };
  }),
  adapter("kysely over pg", "postgres", async () => {
    const db = new Kysely<object>({
      dialect: new PostgresDialect({ pool: pgPool() }),
      plugins: [new CamelCasePlugin()],
    });
    return {
      transactions: kyselyTransactions(db),
      serializable: kyselyTransactions(db, serializable),
      own: async (tx, text) => (await kyselySql.raw<Rows[number]>(text).execute(tx)).rows,
      close: () => db.destroy(),
    };
  }),
  adapter("kysely over mysql2", "mysql", async () => {
    const db = new Kysely<object>({
      dialect: new MysqlDialect({ pool: mysqlPool() }),
      plugins: [new CamelCasePlugin()],
    });
    return {
      transactions: kyselyTransactions(db),
      serializable: kyselyTransactions(db, serializable),
      own: async (tx, text) => (await kyselySql.raw<Rows[number]>(text).execute(tx)).rows,
      close: () => db.destroy(),
    };
  }),
  adapter("knex over pg", "postgres", () => openKnex("pg")),
  adapter("knex over mysql2", "mysql", () => openKnex("mysql2")),
  adapter("typeorm over pg", "postgres", () => openTypeorm("postgres")),
  adapter("typeorm over mysql2", "mysql", () => openTypeorm("mysql")),
  adapter("sequelize over pg", "postgres", () => openSequelize("postgres")),
  adapter("sequelize over mysql2", "mysql", () => openSequelize("mysql")),
  adapter("mikro-orm over pg", "postgres", async () => {
    const options: MikroOrmOptions = {
      host: onPostgres.host,
      port: onPostgres.port,
      user: onPostgres.user,
      password: onPostgres.password,
      dbName: database,
      driverOptions: { connection: { options: onPostgres.options } },
      pool: { min: 0, max: most },
      discovery: { warnWhenNoEntities: false },
      entities: [],
    };
    const orm = await MikroORM.init(options);
    return {
      transactions: mikroOrmTransactions(orm),
      serializable: mikroOrmTransactions(orm, serializable),
      own: (em, text) => em.execute<Rows[number][]>(text),
      close: () => orm.close(true),
    };
  }),
] as const;
