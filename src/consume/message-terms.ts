import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import type { CarriedContract } from "../operation/carry.ts";

/** What whoever takes messages to an operation says of them: a consumer, or a function. */
export interface MessageTerms<in In> {
  /** What stands for the caller's key, of an operation that has no other identity. Never the broker's own id. */
  readonly key?: ((input: In) => string) | undefined;
  /** A refusal is an outcome: acknowledged by default. */
  readonly refusals?: "acknowledge" | "dead-letter" | undefined;
}

/** @throws REPRISE_BAD_DECLARATION */
export function checkTerms(where: string, contract: CarriedContract, { key, refusals }: MessageTerms<never>): void {
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
  };
  if (key !== undefined && typeof key !== "function") {
    refuse("'key' is no function.", "Give it one that makes it from a message.");
  }
  if (contract.identity === "callers-key" && key === undefined) {
    refuse(
      `'${contract.operation}' knows its work by the caller's key alone.`,
      "Say with 'key' what of a message stays the same when it is sent again: never the broker's own id.",
    );
  }
  if (refusals !== undefined && refusals !== "acknowledge" && refusals !== "dead-letter") {
    refuse("'refusals' is neither 'acknowledge' nor 'dead-letter'.", "Say which, or leave it out.");
  }
}

/** How old a message is, in milliseconds; or why nobody knows. */
export type Age =
  | { readonly is: "known"; readonly ms: number }
  | { readonly is: "unknown"; readonly why: "nobody wrote down when it was sent" | "its date lies in the future" };

/** @param sentAt in milliseconds since the epoch; `null`: nobody wrote it down */
export function ageOf(sentAt: number | null, now: number): Age {
  if (sentAt === null) return { is: "unknown", why: "nobody wrote down when it was sent" };
  const ms = now - sentAt;
  // some write milliseconds where seconds are read
  if (ms < -defaults.consume.aheadMs) return { is: "unknown", why: "its date lies in the future" };
  return { is: "known", ms };
}

/** Why what is older than its outcomes are kept is set aside. */
export const forgotten = "outcomes of its time are forgotten";
