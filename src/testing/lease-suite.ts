import type { LeaseAdapter, LeaseScenario } from "./lease-adapter.ts";
import { fenceScenarios } from "./lease-suite-fence.ts";
import { holdingScenarios } from "./lease-suite-holding.ts";
import { raceScenarios } from "./lease-suite-races.ts";
import { casesOf, type SuiteCase } from "./suite.ts";

const scenarios: readonly LeaseScenario[] = [...holdingScenarios, ...fenceScenarios, ...raceScenarios];

/**
 * What every store of leases must do, as data for any test runner. Each case opens a stage of its own.
 *
 * @example
 * for (const { name, skip, run } of leaseSuite(adapter)) test(name, { skip: skip ?? false }, run);
 */
export function leaseSuite<Tx>(adapter: LeaseAdapter<Tx>): readonly SuiteCase[] {
  return casesOf(adapter, scenarios);
}
