import type { DeadLetterReason, Source } from "../contract/source.ts";
import type { Capability, SuiteCase } from "./ledger-adapter.ts";
import { bindScenarios } from "./source-suite-scenarios.ts";

/** What a source of messages gives its conformance suite. */
export interface SourceAdapter {
  /** For the names of the cases. */
  readonly name: string;
  readonly can: {
    /** Its connections can be cut. */
    readonly cut: Capability;
  };
  /** A new, empty queue. */
  readonly open: () => Promise<SourceStage>;
}

export interface SourceStage {
  readonly source: Source;
  /** Resolves when the broker has it. */
  readonly send: (body: string) => Promise<void>;
  /** What is set aside, as soon as there are so many. */
  readonly deadLetters: (count: number) => Promise<readonly SetAside[]>;
  /** Cuts every connection to the broker, which goes on. */
  readonly cut: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface SetAside {
  readonly body: string;
  readonly reason: DeadLetterReason;
}
export { bindScenarios, type SuiteCase };
