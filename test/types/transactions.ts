import type { MikroORM as MikroOrmCore } from "@mikro-orm/core";
import type { MikroORM, EntityManager as MikroOrmEntityManager } from "@mikro-orm/postgresql";
import { drizzle as drizzleMysql } from "drizzle-orm/mysql2";
import { drizzle } from "drizzle-orm/node-postgres";
import { drizzle as drizzlePostgresJs } from "drizzle-orm/postgres-js";
import { expectTypeOf } from "expect-type";
import type { Knex } from "knex";
import type { Kysely, Transaction as KyselyTransaction } from "kysely";
import type { Sequelize, Transaction as SequelizeTransaction } from "sequelize";
import type { DataSource, EntityManager } from "typeorm";
import {
  drizzleTransactions,
  knexTransactions,
  kyselyTransactions,
  mikroOrmTransactions,
  prismaTransactions,
  sequelizeTransactions,
  type Transactions,
  typeormTransactions,
} from "../../src/stores/transactions/index.ts";

/** Each adapter takes its mapper's own types, and `tx` is what the mapper calls a transaction. */

interface Database {
  readonly booking: { readonly identity: string };
}

const overPg = drizzle("postgres://");
const overPostgres = drizzlePostgresJs("postgres://");
const overMysql = drizzleMysql("mysql://");
type TransactionOf<Db extends { transaction: (work: never) => unknown }> = Db extends {
  transaction: (work: (tx: infer Tx) => Promise<never>, ...rest: never) => unknown;
}
  ? Tx
  : never;
expectTypeOf(drizzleTransactions(overPg)).toEqualTypeOf<Transactions<TransactionOf<typeof overPg>>>();
expectTypeOf(drizzleTransactions(overPostgres)).toEqualTypeOf<Transactions<TransactionOf<typeof overPostgres>>>();
expectTypeOf(drizzleTransactions(overMysql)).toEqualTypeOf<Transactions<TransactionOf<typeof overMysql>>>();
void drizzleTransactions(overPg, { isolation: "serializable" }).begin(async (tx) => {
  expectTypeOf(tx.select).toBeFunction();
  expectTypeOf(tx.rollback).returns.toBeNever();
});

declare const kysely: Kysely<Database>;
expectTypeOf(kyselyTransactions(kysely)).toEqualTypeOf<Transactions<KyselyTransaction<Database>>>();

declare const knex: Knex;
expectTypeOf(knexTransactions(knex)).toEqualTypeOf<Transactions<Knex.Transaction>>();

declare const dataSource: DataSource;
expectTypeOf(typeormTransactions(dataSource)).toEqualTypeOf<Transactions<EntityManager>>();

declare const sequelize: Sequelize;
expectTypeOf(sequelizeTransactions(sequelize)).toEqualTypeOf<Transactions<SequelizeTransaction>>();

declare const orm: MikroORM;
void mikroOrmTransactions(orm).begin(async (em) => expectTypeOf(em).toExtend<MikroOrmEntityManager>());
declare const core: MikroOrmCore;
void mikroOrmTransactions(core).begin(async (em) => expectTypeOf(em).toEqualTypeOf<typeof core.em>());

/** As Prisma generates it. */
declare const prisma: PrismaClient;
interface PrismaClient {
  readonly booking: { create(args: { data: { identity: string } }): Promise<{ identity: string }> };
  $queryRawUnsafe<T = unknown>(query: string, ...values: unknown[]): PrismaPromise<T>;
  $executeRawUnsafe(query: string, ...values: unknown[]): PrismaPromise<number>;
  $transaction<P extends PrismaPromise<unknown>[]>(
    all: [...P],
    options?: { isolationLevel?: PrismaIsolation },
  ): Promise<unknown[]>;
  $transaction<R>(
    run: (prisma: Omit<PrismaClient, "$transaction">) => Promise<R>,
    options?: { maxWait?: number; timeout?: number; isolationLevel?: PrismaIsolation },
  ): Promise<R>;
}
interface PrismaPromise<T> extends Promise<T> {
  readonly [Symbol.toStringTag]: "PrismaPromise";
}
type PrismaIsolation = "ReadUncommitted" | "ReadCommitted" | "RepeatableRead" | "Serializable";
expectTypeOf(prismaTransactions(prisma)).toEqualTypeOf<Transactions<Omit<PrismaClient, "$transaction">>>();

// @ts-expect-error a Knex is no Kysely
void kyselyTransactions(knex);
// @ts-expect-error a Kysely is no Knex
void knexTransactions(kysely);
// @ts-expect-error none of PostgreSQL's levels
void kyselyTransactions(kysely, { isolation: "snapshot" });
