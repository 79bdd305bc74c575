import type { SuiteCase } from "./ledger-adapter.ts";
import type { TransactionsAdapter } from "./transactions-adapter.ts";
import { alone, type TransactionsScenario, tableFor } from "./transactions-kit.ts";
import { failureScenarios } from "./transactions-suite-failures.ts";
import { queryScenarios } from "./transactions-suite-queries.ts";

const scenarios: readonly TransactionsScenario[] = [...queryScenarios, ...failureScenarios];

/**
 * What the transactions of every driver and mapper must do, as data for any test runner. Each case opens a stage of its
 * own, makes one table in the connection's default schema, and drops it.
 *
 * @example
 * for (const { name, skip, run } of transactionsSuite(adapter)) test(name, { skip: skip ?? false }, run);
 */
export function transactionsSuite<Tx>(adapter: TransactionsAdapter<Tx>): readonly SuiteCase[] {
  const { dialect } = adapter;
  return scenarios
    .filter(({ only }) => only === undefined || only === dialect)
    .map(({ name, needs = [], run }) => {
      const missing = needs.map((need) => adapter.can[need]).find((can) => can !== true);
      return {
        name: `${adapter.name}: ${name}`,
        skip: missing === undefined ? null : missing.not,
        run: async () => {
          const stage = await adapter.open();
          const table = tableFor(dialect);
          try {
            await alone(stage, `create table ${table.name} (identity varchar(40) primary key, number integer)`);
            try {
              await run(stage, table);
            } finally {
              await alone(stage, `drop table ${table.name}`);
            }
          } finally {
            await stage.close();
          }
        },
      };
    });
}
