export { memoryBlobs } from "./blobs.ts";
export { type MemoryLedger, memoryLedger } from "./ledger.ts";
export type { MemoryTransaction, Transactions } from "./transaction.ts";
