import type { LeaseAdapter, LeaseScenario } from "./lease-adapter.ts";
import { fenceScenarios } from "./lease-suite-fence.ts";
import { holdingScenarios } from "./lease-suite-holding.ts";
import { raceScenarios } from "./lease-suite-races.ts";
import type { SuiteCase } from "./ledger-adapter.ts";

const scenarios: readonly LeaseScenario[] = [...holdingScenarios, ...fenceScenarios, ...raceScenarios];

/**
 * What every store of leases must do, as data for any test runner. Each case opens a stage of its own.
 *
 * @example
 * for (const { name, skip, run } of leaseSuite(adapter)) test(name, { skip: skip ?? false }, run);
 */
export function leaseSuite<Tx>(adapter: LeaseAdapter<Tx>): readonly SuiteCase[] {
  return scenarios.map(({ name, needs = [], run }) => {
    const missing = needs.map((need) => adapter.can[need]).find((can) => can !== true);
    return {
      name: `${adapter.name}: ${name}`,
      skip: missing === undefined ? null : missing.not,
      run: async () => {
        const stage = await adapter.open();
        try {
          await run(stage);
        } finally {
          await stage.close();
        }
      },
    };
  });
}
