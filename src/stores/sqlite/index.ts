export type { Row, SqliteParameter, SqliteValue } from "./driver.ts";
export { type SqliteLedgerOptions, sqliteLedger } from "./ledger.ts";
export type { SqliteTransaction } from "./transaction.ts";
