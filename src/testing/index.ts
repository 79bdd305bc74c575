export { type ManualClock, manualClock } from "./clock.ts";
export { type FaultyLedger, faultyLedger, type Gate, type LedgerMethod } from "./faulty-ledger.ts";
export type { HttpAdapter, HttpServer, ServedOperation, SuiteAnswer, SuiteRequest } from "./http-adapter.ts";
export { httpSuite } from "./http-suite.ts";
export type { Capability, LedgerAdapter, LedgerStage, SuiteCase } from "./ledger-adapter.ts";
export { ledgerSuite } from "./ledger-suite.ts";
export { type ScopeFinding, type VerifiableCache, type VerifiedContext, verifyScope } from "./verify-scope.ts";
export { type WriteJournalAdapter, type WriteJournalStage, writeJournalSuite } from "./write-journal-suite.ts";
