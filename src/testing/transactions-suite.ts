import { casesOf, type SuiteCase } from "./suite.ts";
import type { TransactionsAdapter, TransactionsStage } from "./transactions-adapter.ts";
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
  const own = scenarios.filter(({ only }) => only === undefined || only === dialect);
  return casesOf(
    adapter,
    own.map(({ run, ...scenario }) => ({
      ...scenario,
      run: async (stage: TransactionsStage<Tx>) => {
        const table = tableFor(dialect);
        await alone(stage, `create table ${table.name} (identity varchar(40) primary key, number integer)`);
        try {
          await run(stage, table);
        } finally {
          await alone(stage, `drop table ${table.name}`);
        }
      },
    })),
  );
}
