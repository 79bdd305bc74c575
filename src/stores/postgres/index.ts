export type { PostgresPool } from "./driver.ts";
export { type PostgresLedgerOptions, postgresLedger } from "./ledger.ts";
export type { Isolation } from "./server.ts";
export type { PostgresTransaction } from "./transaction.ts";
