import { defaults } from "../base/defaults.ts";
import { milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import type { Scalar } from "../base/scalar.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Registers } from "../contract/registers.ts";
import type { Source } from "../contract/source.ts";
import { termsOf } from "../operation/carried.ts";
import type { CarriedContract } from "../operation/carry.ts";
import type { ConsumeDeclaration } from "./declaration.ts";
import { checkTerms } from "./message-terms.ts";

export interface BatchSettings {
  readonly most: number;
  /** `null`: none waits for others, and those go together that are ready at the same moment, where the ledger gains by it. */
  readonly withinMs: number | null;
}

/** How one operation takes the messages of one source, its durations measured and its defaults filled in. */
export interface ConsumeSettings {
  /** For messages: `"consumer of 'rabbitmq seat.book'"`. */
  readonly where: string;
  readonly contract: CarriedContract;
  readonly atOnce: number;
  readonly attempts: number;
  /** The pause after each failed attempt; the last one for all that follow. */
  readonly retryInMs: readonly number[];
  readonly deliveredWithinMs: number | null;
  readonly refusals: "acknowledge" | "dead-letter";
  readonly inOrderBy: ((input: never) => Scalar | readonly Scalar[]) | null;
  readonly keyOf: ((input: never) => string) | null;
  /** `null`: each message has a transaction of its own. */
  readonly batch: BatchSettings | null;
}

/**
 * Checks what types cannot see, before anything is received.
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
 */
export function consumeSettingsOf({ operation, source, options }: ConsumeDeclaration): ConsumeSettings {
  checkSource(source);
  const where = `consumer of '${source.name}'`;
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
  };
  const contract = termsOf(operation, where);
  if (typeof options !== "object" || options === null) refuse("its options are no object.", "Give it one, or none.");
  const whole = (value: number | undefined, property: string, otherwise: number, most: number) => {
    const count = value ?? otherwise;
    if (!Number.isInteger(count) || count < 1 || count > most) {
      refuse(`'${property}' is no whole number of 1 to ${most}.`, "Give it one.");
    }
    return count;
  };
  const { key, inOrderBy, refusals = "acknowledge", retryIn = defaults.consume.retryIn } = options;
  checkTerms(where, contract, options);
  if (inOrderBy !== undefined && typeof inOrderBy !== "function") {
    refuse("'inOrderBy' is no function.", "Give it one that makes it from a message.");
  }
  if (!Array.isArray(retryIn) || retryIn.length === 0) refuse("'retryIn' names no pause.", "Give it one or more.");
  const atOnce = whole(options.atOnce, "atOnce", defaults.consume.atOnce, defaults.consume.mostAtOnce);
  const { batch } = options;
  const isAsked = batch !== undefined && batch !== "off";
  if (isAsked && (typeof batch?.most !== "number" || typeof batch.within !== "string")) {
    refuse("'batch' is neither 'off' nor has it 'most' and 'within'.", "Give it both.");
  }
  if (isAsked && operation["~carry"].together === undefined) {
    refuse(`'batch' needs a transaction, and '${contract.operation}' has none.`, "Leave it out.");
  }
  const most = isAsked
    ? whole(batch.most, "batch.most", 1, defaults.consume.mostAtOnce)
    : Math.min(defaults.consume.batch.most, Math.floor(atOnce / 2));
  if (atOnce < 2 * most) {
    refuse(
      `'atOnce' is ${atOnce}: the next batch would wait for the one before.`,
      `Set it to ${2 * most} or more, or 'batch.most' to less.`,
    );
  }
  const withinMs = isAsked ? milliseconds(batch.within, `${where}, batch.within`) : null;
  const isSingly = batch === "off" || operation["~carry"].together === undefined || (!isAsked && most < 2);
  return {
    where,
    contract,
    atOnce,
    attempts: whole(options.attempts, "attempts", defaults.consume.attempts, defaults.consume.mostAttempts),
    retryInMs: retryIn.map((one) => milliseconds(one, `${where}, retryIn`)),
    deliveredWithinMs:
      options.deliveredWithin === undefined ? null : milliseconds(options.deliveredWithin, `${where}, deliveredWithin`),
    refusals,
    inOrderBy: inOrderBy ?? null,
    keyOf: key ?? null,
    batch: isSingly ? null : { most, withinMs },
  };
}

/** A publisher has a name and opens too. */
function checkSource(source: Source | null | undefined): void {
  const { name, open, horizon }: Partial<Source> = source ?? {};
  if (typeof name === "string" && typeof open === "function" && typeof horizon === "function") return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: "a consumer",
    why: "it was given something else than a source.",
    mend: "Pass what 'rabbitmq' or the like returns, and no publisher.",
  });
}

/**
 * For how long after it was sent a message is run; `null`: however old it is.
 * @throws REPRISE_BAD_DECLARATION where outcomes are forgotten before their last redelivery
 */
export function oldestOf(settings: ConsumeSettings, horizonMs: number | null): number | null {
  const { contract, deliveredWithinMs, where } = settings;
  // what converges may run again whenever it comes
  if (contract.retentionMs === null) return deliveredWithinMs;
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
  };
  const withinMs = deliveredWithinMs ?? horizonMs;
  if (withinMs === null) {
    return refuse(
      "its broker may deliver a message again after any time, and outcomes are kept for a time only.",
      "Set 'deliveredWithin', at most the operation's retention: what is older is set aside, not run.",
    );
  }
  if (contract.retentionMs < withinMs) {
    const needed = `${Math.ceil(withinMs / 1_000)}s`;
    return refuse(
      `'${contract.operation}' forgets outcomes before their messages are delivered for the last time.`,
      `Set its retention to ${needed} or more, or 'deliveredWithin' to less.`,
    );
  }
  // what was set aside and is sent again may be older than its broker's horizon
  return deliveredWithinMs ?? contract.retentionMs;
}

/**
 * Where its attempts are counted.
 * @throws REPRISE_BAD_DECLARATION where the ledger counts none, or knows after a restart nothing of what is dear to run twice
 */
export function registersOf({ contract, where }: ConsumeSettings, ledger: Ledger<unknown>): Registers<unknown> {
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
  };
  const { name, registers, forgets = false } = ledger;
  const { costIfTwice } = contract;
  const isDear = costIfTwice === "money" || costIfTwice === "trust";
  if (forgets && isDear && process.env["NODE_ENV"] !== "test") {
    refuse(
      `what costs ${costIfTwice} if it runs twice is delivered again after a restart, which ledger '${name}' does not survive.`,
      "Use one that does; in a test, set NODE_ENV to 'test'.",
    );
  }
  if (registers === undefined) {
    return refuse(
      `ledger '${name}' keeps no registers, so nobody can count the attempts at a message.`,
      "Use one that does.",
    );
  }
  return registers;
}
