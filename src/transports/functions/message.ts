import { systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/promise.ts";
import { type Verdict, verdictOf, verdictOfError } from "../../consume/verdict.ts";
import type { DeadLetterReason } from "../../contract/source.ts";
import type { Carried } from "../../operation/carry.ts";
import type { AnyRefused } from "../../operation/outcome.ts";
import { type FunctionOptions, type FunctionSettings, functionSettingsOf, type Invocation } from "./invocation.ts";

/** What functions that are handed messages may say. */
export interface MessageOptions<in In> extends FunctionOptions {
  /** What stands for the caller's key, of an operation that has no other identity. Never the broker's own id. */
  readonly key?: ((input: In) => string) | undefined;
  /**
   * A message that was sent longer ago is not run: whether it was done before nobody would know. At most, and by default, the
   * operation's retention. Where it is given, a message of which nobody wrote down when it was sent is not run either.
   */
  readonly deliveredWithin?: Duration | undefined;
  /** A refusal is an outcome: acknowledged by default. */
  readonly refusals?: "acknowledge" | "dead-letter" | undefined;
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
    const { contract } = operation["~carry"];
    const refuse = (why: string, mend: string): never => {
      throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
    };
    if (contract.identity === "callers-key" && options.key === undefined) {
      refuse(
        `'${contract.operation}' knows its work by the caller's key alone.`,
        "Say with 'key' what of a message stays the same when it is sent again: never the broker's own id.",
      );
    }
    if (refusals !== "acknowledge" && refusals !== "dead-letter") {
      refuse("'refusals' is neither 'acknowledge' nor 'dead-letter'.", "Say which, or leave it out.");
    }
    const withinMs = deliveredWithin === undefined ? null : milliseconds(deliveredWithin, `${where}, deliveredWithin`);
    // what converges may run again whenever it comes
    if (withinMs !== null && contract.retentionMs !== null && withinMs > contract.retentionMs) {
      refuse(
        `'${contract.operation}' forgets outcomes before a message of ${deliveredWithin} comes again.`,
        `Set its retention to ${deliveredWithin} or more, or 'deliveredWithin' to less.`,
      );
    }
    this.settings = functionSettingsOf(options, where);
    this.#refusals = refusals;
    this.#oldestMs = withinMs ?? contract.retentionMs;
    this.#mustBeDated = withinMs !== null;
  }

  /** Runs it, or learns what became of it, until there is an outcome or the invocation's time is up. Never rejects. */
  async perform(message: GivenMessage, invocation: Invocation): Promise<MessageEnding> {
    const { name: operation } = this.#operation;
    if (invocation.leftMs < defaults.functions.leastMs) return this.#notBegun("too little time was left");
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
    const ageMs = sentAt === null ? null : systemClock.now() - sentAt;
    // a date of the far future is none: some write milliseconds where seconds are read
    if (ageMs === null || ageMs < -defaults.consume.aheadMs) {
      return this.#mustBeDated ? "nobody wrote down when it was sent" : null;
    }
    return ageMs <= this.#oldestMs ? null : "outcomes of its time are forgotten";
  }
}
