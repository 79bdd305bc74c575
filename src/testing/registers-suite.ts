import type { Registers } from "../contract/registers.ts";
import { listScenarios } from "./registers-suite-list.ts";
import { removeScenarios } from "./registers-suite-remove.ts";
import { replaceScenarios } from "./registers-suite-replace.ts";
import { transactionScenarios } from "./registers-suite-transactions.ts";
import { type Capability, casesOf, type SuiteCase } from "./suite.ts";

/** What a store of registers gives its conformance suite. */
export interface RegistersAdapter<Tx> {
  /** For the names of the cases. */
  readonly name: string;
  readonly can: {
    /** `replaceIn`. */
    readonly transactions: Capability;
    /** A second instance on the same store. */
    readonly severalInstances: Capability;
  };
  /** A new, empty, opened store. */
  readonly open: () => Promise<RegistersStage<Tx>>;
}

export interface RegistersStage<Tx> {
  readonly registers: Registers<Tx>;
  /** Makes the store judge as if `ms` had passed. */
  readonly passTime: (ms: number) => Promise<void>;
  /** A second, opened instance on the same store; `close` closes it too. */
  readonly another: () => Promise<Registers<Tx>>;
  /** The user's own transaction. `null`: the store has none. */
  readonly transaction: (<T>(work: (tx: Tx) => Promise<T>) => Promise<T>) | null;
  readonly close: () => Promise<void>;
}

/** A case before it is bound to an adapter. */
export interface RegistersScenario {
  readonly name: string;
  readonly needs?: readonly (keyof RegistersAdapter<unknown>["can"])[];
  readonly run: <Tx>(stage: RegistersStage<Tx>) => Promise<void>;
}

const scenarios: readonly RegistersScenario[] = [
  ...replaceScenarios,
  ...removeScenarios,
  ...listScenarios,
  ...transactionScenarios,
];

/**
 * What every store of registers must do, as data for any test runner. Each case opens a stage of its own.
 *
 * @example
 * for (const { name, skip, run } of registersSuite(adapter)) test(name, { skip: skip ?? false }, run);
 */
export function registersSuite<Tx>(adapter: RegistersAdapter<Tx>): readonly SuiteCase[] {
  return casesOf(adapter, scenarios);
}
