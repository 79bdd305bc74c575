import type { WriteJournal } from "../contract/write-journal.ts";
import { type Capability, casesOf, type SuiteCase } from "./suite.ts";
import { claimScenarios } from "./write-journal-suite-claim.ts";
import { keepScenarios } from "./write-journal-suite-keep.ts";
import { raceScenarios } from "./write-journal-suite-races.ts";

/** What a write journal gives its conformance suite. */
export interface WriteJournalAdapter {
  /** For the names of the cases. */
  readonly name: string;
  readonly can: {
    /** A second instance on the same store. */
    readonly severalInstances: Capability;
  };
  /** A new, empty, opened journal. */
  readonly open: () => Promise<WriteJournalStage>;
}

export interface WriteJournalStage {
  readonly writes: WriteJournal;
  /** Makes the store judge as if `ms` had passed; less than zero: as if its clock had been set back. */
  readonly passTime: (ms: number) => Promise<void>;
  /** A second, opened instance on the same store; `close` closes it too. */
  readonly another: () => Promise<WriteJournal>;
  readonly close: () => Promise<void>;
}

/** A case before it is bound to an adapter. */
export interface WriteScenario {
  readonly name: string;
  readonly needs?: readonly "severalInstances"[];
  readonly run: (stage: WriteJournalStage) => Promise<void>;
}

const scenarios: readonly WriteScenario[] = [...keepScenarios, ...claimScenarios, ...raceScenarios];

/**
 * What every journal of writes must do, as data for any test runner. Each case opens a stage of its own.
 *
 * @example
 * for (const { name, skip, run } of writeJournalSuite(adapter)) test(name, { skip: skip ?? false }, run);
 */
export function writeJournalSuite(adapter: WriteJournalAdapter): readonly SuiteCase[] {
  return casesOf(adapter, scenarios);
}
