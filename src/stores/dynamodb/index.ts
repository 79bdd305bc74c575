export { type DynamoLedgerOptions, dynamoLedger } from "./ledger.ts";
export type { DynamoClient } from "./table.ts";
