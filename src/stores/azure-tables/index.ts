export { type AzureTablesLedgerOptions, azureTablesLedger } from "./ledger.ts";
export type { AzureTable } from "./table.ts";
