import type { LedgerAdapter } from "./ledger-adapter.ts";
import type { LedgerScenario } from "./ledger-kit.ts";
import { acceptScenarios } from "./ledger-suite-accept.ts";
import { batchScenarios } from "./ledger-suite-batch.ts";
import { claimScenarios } from "./ledger-suite-claim.ts";
import { effectScenarios } from "./ledger-suite-effects.ts";
import { interventionScenarios } from "./ledger-suite-interventions.ts";
import { invariantScenarios } from "./ledger-suite-invariants.ts";
import { lookingScenarios } from "./ledger-suite-looking.ts";
import { raceScenarios } from "./ledger-suite-races.ts";
import { relationScenarios } from "./ledger-suite-relations.ts";
import { transactionScenarios } from "./ledger-suite-transactions.ts";
import { casesOf, type SuiteCase } from "./suite.ts";

const scenarios: readonly LedgerScenario[] = [
  ...claimScenarios,
  ...effectScenarios,
  ...transactionScenarios,
  ...batchScenarios,
  ...acceptScenarios,
  ...invariantScenarios,
  ...interventionScenarios,
  ...lookingScenarios,
  ...relationScenarios,
  ...raceScenarios,
];

/**
 * What every ledger must do, as data for any test runner. Each case opens a stage of its own. Cases whose names begin
 * with P1 to P12 hold the invariants of the protocols.
 *
 * @example
 * for (const { name, skip, run } of ledgerSuite(adapter)) test(name, { skip: skip ?? false }, run);
 */
export function ledgerSuite<Tx>(adapter: LedgerAdapter<Tx>): readonly SuiteCase[] {
  return casesOf(adapter, scenarios);
}
