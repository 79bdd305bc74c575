import { RepriseError } from "../base/errors.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { EffectOptions } from "./effect-caller.ts";

/** A store cuts or replaces such characters: two names would become one, and the second effect the first one's answer. */
const unkept = /[\p{Surrogate}\p{Control}]/u;

export function checkName(name: unknown, operation: string): void {
  if (typeof name === "string" && name !== "" && name.length <= 200 && !unkept.test(name)) return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `an effect or transaction of '${operation}'`,
    why: "its name is no text of 1 to 200 characters without control characters and lone surrogates.",
    mend: "Its record is found by it: choose a name in the code.",
  });
}

/** What the compiler says of a call, for whoever has none. */
export function checkEffect(name: string, effect: Partial<EffectOptions> | undefined, operation: string): void {
  const { run, ifUnknown } = effect ?? {};
  if (typeof run === "function" && (ifUnknown === "retry" || ifUnknown === "park" || typeof ifUnknown === "function"))
    return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `effect '${name}' of '${operation}'`,
    why: "it lacks 'run' or 'ifUnknown'.",
    mend: "Say what is called, and what a rerun does when its answer was lost.",
  });
}

/**
 * A ledger that loses the record of a charge knows nothing of it: the charge runs again as new work, and only the other
 * side, by the key, can tell that it is the same.
 */
export function checkHonoursKey(name: string, effect: EffectOptions, operation: string, ledger: Ledger<unknown>): void {
  if (effect.ifUnknown === "retry") return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `effect '${name}' of '${operation}'`,
    why: `it costs money if it happens twice, and ledger '${ledger.name}' may lose what it acknowledged, so it may be called again as if it never was.`,
    mend: "Hand the key that 'run' is given to a side that honours it, and say ifUnknown: 'retry'; or use a ledger that loses nothing.",
  });
}

/** Work that is repeated within its retention must find what an anchor committed for it, also where its record was lost. */
export function checkAnchorKeeps(name: string, effect: EffectOptions, operation: string, keepMs: number): void {
  if ((effect["~keptMs"] ?? keepMs) >= keepMs) return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `effect '${name}' of '${operation}'`,
    why: "its anchor forgets it before the operation's retention is over.",
    mend: "Give the anchor at least the operation's retention.",
  });
}

export function checkTransactional(operation: string, ledger: Ledger<unknown>): void {
  if (ledger.transactional) return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `operation '${operation}'`,
    why: `ledger '${ledger.name}' has no transactions.`,
    mend: "Use a ledger that has, or write through an effect.",
  });
}
