export { type ManualClock, manualClock } from "./clock.ts";
export { type FaultyLedger, faultyLedger, type Gate, type LedgerMethod } from "./faulty-ledger.ts";
