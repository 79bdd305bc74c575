import { systemClock } from "../../base/clock.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/promise.ts";
import { ageOf, checkTerms, forgotten, type MessageTerms } from "../../consume/message-terms.ts";
import { type Verdict, verdictOf, verdictOfError } from "../../consume/verdict.ts";
import type { DeadLetterReason } from "../../contract/source.ts";
import { termsOf } from "../../operation/carried.ts";
import type { Carried } from "../../operation/carry.ts";
import type { AnyRefused } from "../../operation/outcome.ts";
import { type FunctionOptions, type FunctionSettings, functionSettingsOf, type Invocation } from "./invocation.ts";

/** What functions that are handed messages may say. */
export interface MessageOptions<in In> extends MessageTerms<In>, FunctionOptions {
  /**
   * A message that was sent longer ago is not run: whether it was done before nobody would know. At most, and by default, the
   * operation's retention. Where it is given, a message of which nobody wrote down when it was sent is not run either.
   */
  readonly deliveredWithin?: Duration | undefined;
}

/** What becomes of a message. */
export type MessageEnding =
  /** Its outcome is in the ledger: done, refused, or one that waits for a person. */
  | { readonly is: "acknowledge" }
  /** Nobody gains by its coming again. */
  | { readonly is: "dead-letter"; readonly reason: DeadLetterReason; readonly why: string; readonly error: Error }
  /** It is to be delivered again: it failed, or somebody else is at it. */
  | { readonly is: "again"; readonly error: Error }
  /** Too little time was left, or one before it in its order failed. It is to be delivered again. */
  | { readonly is: "not-begun"; readonly error: Error };

type NotBegun = Extract<MessageEnding, { readonly is: "not-begun" }>;

/** A message as its platform hands it over. */
export interface GivenMessage {
  /** Throws where it cannot be read. */
  readonly input: () => MaybePromise<unknown>;
  /** In milliseconds since the epoch; `null`: nobody wrote it down. */
  readonly sentAt: number | null;
  /** Instead of what `key` makes of its input. */
  readonly key?: (() => string) | undefined;
}

type AnyCarried = Carried<unknown, unknown, AnyRefused>;

/** Takes the messages of one function to its operation. */
export class Messages {
  readonly settings: FunctionSettings;
  readonly #operation: AnyCarried;
  readonly #keyOf: ((input: unknown) => string) | undefined;
  readonly #oldestMs: number | null;
  readonly #mustBeDated: boolean;
  readonly #refusals: "acknowledge" | "dead-letter";

  /** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION */
  constructor(operation: Carried<never, unknown, unknown>, options: MessageOptions<never>, where: string) {
    // erased: what follows never looks into inputs, values and refusals
    this.#operation = operation as unknown as AnyCarried;
    this.#keyOf = options.key as ((input: unknown) => string) | undefined;
    const { refusals = "acknowledge", deliveredWithin } = options;
    const contract = termsOf(operation, where);
    checkTerms(where, contract, options);
    const withinMs = deliveredWithin === undefined ? null : milliseconds(deliveredWithin, `${where}, deliveredWithin`);
    // what converges may run again whenever it comes
    if (withinMs !== null && contract.retentionMs !== null && withinMs > contract.retentionMs) {
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where,
        why: `'${contract.operation}' forgets outcomes before a message of ${deliveredWithin} comes again.`,
        mend: `Set its retention to ${deliveredWithin} or more, or 'deliveredWithin' to less.`,
      });
    }
    this.settings = functionSettingsOf(options, where);
    this.#refusals = refusals;
    this.#oldestMs = withinMs ?? contract.retentionMs;
    this.#mustBeDated = withinMs !== null;
  }

  /** Runs it, or learns what became of it, until there is an outcome or the invocation's time is up. Never rejects. */
  async perform(message: GivenMessage, invocation: Invocation): Promise<MessageEnding> {
    const { name: operation } = this.#operation;
    if (!invocation.mayBegin) return this.#notBegun("too little time was left");
    const late = this.#tooOld(message.sentAt);
    if (late !== null) {
      return {
        is: "dead-letter",
        reason: "too-old",
        why: late,
        error: new RepriseError("REPRISE_TOO_OLD", { operation, why: late }),
      };
    }
    let input: unknown;
    let key: string | undefined;
    try {
      input = await message.input();
      key = message.key === undefined ? this.#keyOf?.(input) : message.key();
    } catch (error) {
      const why = "neither its input nor its key can be made of the message";
      // a parser quotes what it was given, and this goes to a log
      const isQuoting = error instanceof SyntaxError;
      const issues = isQuoting ? [why, "it cannot be parsed"] : [why];
      const invalid = new RepriseError("REPRISE_INPUT_INVALID", { operation, issues }, isQuoting ? undefined : error);
      return { is: "dead-letter", reason: "invalid", why, error: invalid };
    }
    return this.#execute(input, key, invocation);
  }

  /** Of a message that stays behind another one in its order. */
  behind(): NotBegun {
    return this.#notBegun("one before it in its order has no outcome yet");
  }

  #notBegun(why: string): NotBegun {
    const { name: operation } = this.#operation;
    return { is: "not-begun", error: new RepriseError("REPRISE_NOT_BEGUN", { operation, why }) };
  }

  async #execute(input: unknown, key: string | undefined, invocation: Invocation): Promise<MessageEnding> {
    const { name: operation } = this.#operation;
    try {
      const { outcome } = await this.#operation["~carry"].execute(input, { key, stay: invocation.stay() });
      const verdict = verdictOf(outcome, this.#refusals);
      switch (verdict.is) {
        case "acknowledge":
          return verdict;
        case "dead-letter":
          return { ...verdict, error: this.#errorOf(verdict) };
        default: {
          const retryAfterMs = verdict.is === "wait" ? verdict.ms : 0;
          return { is: "again", error: new RepriseError("REPRISE_RUNNING", { operation, retryAfterMs }) };
        }
      }
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new RepriseError("REPRISE_RUN_FAILED", { operation }, thrown);
      const verdict = verdictOfError(thrown, { operation, isEnding: false });
      return verdict.is === "dead-letter" ? { ...verdict, error } : { is: "again", error };
    }
  }

  #errorOf({ reason, why }: Extract<Verdict, { readonly is: "dead-letter" }>): Error {
    const { name: operation } = this.#operation;
    if (reason !== "refused") return new RepriseError("REPRISE_MISMATCH", { operation });
    const { because, status } = this.#operation["~carry"].contract.refusals[why] ?? {
      because: "It was refused by an earlier version of this operation.",
      status: 409,
    };
    return new RepriseError("REPRISE_REFUSED", { operation, refusal: why, because, status });
  }

  /** Why it is not run; `null`: it is. */
  #tooOld(sentAt: number | null): string | null {
    if (this.#oldestMs === null) return null;
    const age = ageOf(sentAt, systemClock.now());
    if (age.is === "unknown") return this.#mustBeDated ? age.why : null;
    return age.ms <= this.#oldestMs ? null : forgotten;
  }
}
