import type { DeadLetterReason, Source } from "../contract/source.ts";
import { deadLetterScenarios } from "./source-suite-dead-letters.ts";
import { settlingScenarios } from "./source-suite-settling.ts";
import { sharingScenarios } from "./source-suite-sharing.ts";
import { type Capability, casesOf, type SuiteCase } from "./suite.ts";

/** What a source of messages gives its conformance suite. */
export interface SourceAdapter {
  /** For the names of the cases. */
  readonly name: string;
  readonly can: {
    /** Its connections can be cut while the broker goes on. */
    readonly cut: Capability;
    /** It looks at what is set aside. */
    readonly deadLetters: Capability;
    /** It can be made to refuse what is to be set aside, by `refuse` of its stage. Left out: it can. */
    readonly refusal?: Capability;
    /** Each message is handed to whoever of several receivers asks next. Left out: it is. */
    readonly shared?: Capability;
  };
  /** A new, empty queue. */
  readonly open: () => Promise<SourceStage>;
}

export interface SourceStage {
  readonly source: Source;
  /** Resolves when the broker has it. */
  readonly send: (body: string) => Promise<void>;
  /** What is set aside, as soon as there is so much. */
  readonly setAside: (count: number) => Promise<readonly SetAside[]>;
  /** Puts a message among what is set aside, as somebody who knows nothing of this library does; resolves when it is there. */
  readonly sendAside: (body: string) => Promise<void>;
  /** Lets the broker refuse all that is to be set aside, as one whose queue for it is full does, until what it resolves with is called. */
  readonly refuse?: () => Promise<() => Promise<void>>;
  /** Cuts every connection of the source's to the broker. */
  readonly cut: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface SetAside {
  readonly body: string;
  readonly reason: DeadLetterReason;
}

export interface SourceScenario {
  readonly name: string;
  readonly needs?: readonly ("cut" | "deadLetters" | "refusal" | "shared")[];
  readonly run: (stage: SourceStage) => Promise<void>;
}

/**
 * What every source of messages must do, as data for any test runner. Each case opens a queue of its own.
 *
 * @example
 * for (const { name, skip, run } of sourceSuite(adapter)) test(name, { skip: skip ?? false }, run);
 */
export function sourceSuite(adapter: SourceAdapter): readonly SuiteCase[] {
  return casesOf(adapter, [...settlingScenarios, ...sharingScenarios, ...deadLetterScenarios]);
}
