import { RepriseError } from "../base/errors.ts";
import type { Name } from "../base/names.ts";
import { restore, store } from "../base/storable.ts";
import type { Settlement as SettlementOf } from "./carry.ts";
import type { AnyRefused } from "./outcome.ts";
import type { Settings } from "./settings.ts";

/** What a ledger keeps of an outcome and of an effect's answer, as text. The first character is the format's version. */

const version = "1";

/** What `run` ended with, before it is stored; its types erased. */
export type Settlement = SettlementOf<unknown, AnyRefused>;

export interface OutcomeRecord {
  readonly settlement: Settlement;
  /** A transport's rendering of it; `null` without one. */
  readonly rendered: string | null;
}

/**
 * A rendering is left out where it alone would make the outcome too large: a transport renders a replay anew, and what
 * effects have done is not failed over it.
 * @throws REPRISE_NOT_STORABLE, REPRISE_OUTCOME_TOO_LARGE
 */
export function encodeOutcome(settings: Settings, settlement: Settlement, rendered: string | null): string {
  const record: OutcomeRecord = { settlement, rendered };
  const text = version + store(record, `the outcome of '${settings.name}'`);
  const size = Buffer.byteLength(text);
  if (size > settings.outcomeLimit) {
    if (rendered !== null) return encodeOutcome(settings, settlement, null);
    throw new RepriseError("REPRISE_OUTCOME_TOO_LARGE", {
      operation: settings.name,
      bytes: size,
      atMost: settings.outcomeLimit,
    });
  }
  return text;
}

export function decodeOutcome(text: string): OutcomeRecord {
  return restore(text.slice(version.length)) as OutcomeRecord;
}

/** What another instance needs to go on with work. */
export interface Kept {
  /** As the schema returned it. */
  readonly input: unknown;
  /** The caller's, where it is the work's identity. */
  readonly key?: string | undefined;
  readonly parent?: Name | undefined;
}

/** @throws REPRISE_NOT_STORABLE */
export function encodeKept(kept: Kept, what: string): string {
  return version + store(kept, what);
}

export function decodeKept(text: string): Kept {
  return restore(text.slice(version.length)) as Kept;
}

/** What an effect or a transaction ended with. `unstorable`: it happened, and its answer could not be kept. */
export type Answer =
  | { readonly is: "value"; readonly value: unknown }
  | { readonly is: "refusal"; readonly code: string; readonly detail: unknown }
  | { readonly is: "unstorable" };

/** @throws REPRISE_NOT_STORABLE */
export function encodeAnswer(answer: Answer, what: string): string {
  return version + store(answer, what);
}

export function decodeAnswer(text: string): Answer {
  return restore(text.slice(version.length)) as Answer;
}
