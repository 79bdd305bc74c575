import type { PoolConnection } from "mysql2/promise";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { MysqlQuery } from "../../src/stores/mysql/driver.ts";
import { type MysqlTransaction, mysqlLedger } from "../../src/stores/mysql/index.ts";
import type { LedgerAdapter } from "../../src/testing/index.ts";
import { cannotRunHere } from "./environment.ts";
import { createDatabase, mysqlTransactions, mysqlVersion, type TestDatabase } from "./mysql.ts";

type MysqlPool = ReturnType<TestDatabase["pool"]>;

const inserting = "insert into booking (identity) values (?)";

/** The ledger on MariaDB, for suites: on one database, emptied for each case. */
export async function mysqlLedgers() {
  const isThere = (await mysqlVersion()) !== undefined;
  const database = isThere ? await createDatabase() : undefined;

  const adapter = <Tx>(
    name: string,
    make: (pool: MysqlPool) => Ledger<Tx>,
    insertBooking: (tx: Tx, identity: string) => Promise<unknown>,
  ): LedgerAdapter<Tx> => ({
    name,
    can: { transactions: true, severalInstances: true },
    open: async () => {
      if (database === undefined) throw new Error("no server");
      const { pool, query, clear, passTime } = database;
      const ends: (() => Promise<void>)[] = [];
      const another = async () => {
        const own = pool();
        const ledger = make(own);
        await ledger.open();
        ends.push(async () => {
          await ledger.close();
          await own.end();
        });
        return ledger;
      };
      const ledger = await another();
      await query("create table if not exists booking (identity varchar(200) not null) engine=InnoDB");
      await clear();
      return {
        ledger,
        passTime,
        another,
        insertBooking: async (tx, identity) => {
          await insertBooking(tx, identity);
        },
        bookings: async () => (await query("select identity from booking")).map((row) => String(row["identity"])),
        close: async () => {
          for (const end of ends) await end();
        },
      };
    },
  });

  return {
    missing: isThere ? undefined : `${cannotRunHere}MariaDB does not answer`,
    drop: async () => database?.drop(),
    own: adapter<MysqlTransaction>(
      "mysql",
      (pool) => mysqlLedger({ pool, wait: "30s" }),
      (tx, identity) => tx.query(inserting, [identity]),
    ),
    inMapper: adapter<PoolConnection>(
      "mysql with a mapper's transactions",
      (pool) => mysqlLedger({ pool, wait: "30s", transactions: mysqlTransactions(pool) }),
      (connection, identity) => connection.query(inserting, [identity]),
    ),
    byStatementsForMysql: adapter<MysqlTransaction>(
      "mysql, by the statements for MySQL 8",
      (pool) => mysqlLedger({ wait: "30s", pool: takenForMysql(pool) }),
      (tx, identity) => tx.query(inserting, [identity]),
    ),
  };
}

/** MariaDB, taken for MySQL: runs the statements that MySQL gets, which has neither `set statement` nor `returning`. */
function takenForMysql(pool: MysqlPool) {
  return {
    getConnection: async () => {
      const connection = await pool.getConnection();
      return {
        release: () => connection.release(),
        destroy: () => connection.destroy(),
        query: async (query: MysqlQuery | string, values?: unknown[]) => {
          if (typeof query === "string") return connection.query(query, values);
          return connection.query({ ...query, sql: query.sql.replace("select version()", "select '8.0.36'") });
        },
      };
    },
  };
}
