export type { MysqlConnection, MysqlPool, MysqlQuery } from "./driver.ts";
export { type MysqlLedgerOptions, type MysqlMapperOptions, mysqlLedger } from "./ledger.ts";
export type { MysqlRow, MysqlTransaction } from "./transaction.ts";
