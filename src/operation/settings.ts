import { defaults } from "../base/defaults.ts";
import { milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import { bytes } from "../base/size.ts";
import type { OperationDeclaration, Refusals } from "./declaration.ts";

/** The refusal that ends background work nobody wants any more. */
export const cancelled = "cancelled";

/** What an operation may refuse with. */
export function refusalsOf({ dispatch, refusals }: OperationDeclaration): Refusals {
  return dispatch === undefined
    ? { ...refusals }
    : { [cancelled]: { status: 409, because: "It was cancelled." }, ...refusals };
}

/** A declaration with its durations measured and its defaults filled in. */
export interface Settings {
  readonly declaration: OperationDeclaration;
  readonly name: string;
  readonly again: "replays" | "converges";
  readonly retentionMs: number;
  readonly leaseMs: number;
  readonly abandonAfterMs: number;
  readonly outcomeLimit: number;
  /** With the one that ends cancelled background work. */
  readonly refusals: Refusals;
  /** Whether it keeps its input, so that an instance may go on with it. */
  readonly resumesByItself: boolean;
  /** How long others leave it to whoever was told of it; 0: nobody was. */
  readonly broughtWithinMs: number;
  /** `null`: two successes are never the same. */
  readonly sameWithinMs: number | null;
}

/**
 * Checks what types cannot see, before anything happens.
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE
 */
export function settingsOf(declaration: OperationDeclaration): Settings {
  const { name } = declaration;
  const where = `operation '${name}'`;
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
  };
  if (typeof name !== "string" || name === "")
    refuse("it has no name.", "A name is part of every record: give it one.");
  if (typeof declaration.run !== "function") refuse("it has no 'run'.", "Say what it does.");
  if (typeof declaration.input?.["~standard"]?.validate !== "function") {
    refuse("its 'input' is no Standard Schema.", "Give it a schema, or unchecked<T>().");
  }
  if (declaration.effects !== "database" && declaration.effects !== "external") {
    refuse("'effects' is neither 'database' nor 'external'.", "Say which: it decides how a crash is survived.");
  }
  for (const property of ["lease", "resumes", "abandonAfter"] as const) {
    if (declaration.effects === "database" && declaration[property] !== undefined) {
      refuse(
        `'${property}' says nothing here.`,
        "Database work is one transaction: it holds no lease and leaves nothing open.",
      );
    }
  }
  const again = declaration.ifRunsAgain ?? "replays";
  const cost = declaration.costIfTwice;
  if (again === "converges") {
    if (cost === "money" || cost === "trust") {
      refuse(`what costs ${cost} if it runs twice must replay, not converge.`, "Set ifRunsAgain: 'replays'.");
    }
    if (declaration.effects === "external") {
      refuse("what converges keeps no record to pin effects in.", "It must replay, or have effects: 'database'.");
    }
  } else {
    if (declaration.principal === undefined) {
      refuse("it has no principal.", "A stored outcome belongs to somebody: set principal.");
    }
    if (declaration.identity === undefined) refuse("it has no identity.", "Name the business key, or 'callers-key'.");
    if (declaration.retention === undefined) {
      refuse("it has no retention.", "Say how long an outcome answers repetitions: as long as anybody retries.");
    }
  }
  const { dispatch, sameIntent } = declaration;
  if (dispatch !== undefined) {
    if (dispatch !== "background" && typeof dispatch !== "function") {
      refuse("'dispatch' is neither 'background' nor a function.", "Say who runs it, or leave it out.");
    }
    if (declaration.effects !== "external" || again === "converges") {
      refuse("background work is claimed before it runs, and keeps its outcome.", "Give it effects: 'external'.");
    }
    if (declaration.resumes === "next-attempt") {
      refuse("its callers never run it, so no attempt of theirs resumes it.", "Leave 'resumes' out.");
    }
    if (Object.hasOwn(declaration.refusals ?? {}, cancelled)) {
      refuse(`refusal '${cancelled}' is what cancelled background work ends with.`, "Give yours another code.");
    }
  }
  if (sameIntent !== undefined && (again === "converges" || typeof sameIntent.of !== "function")) {
    refuse(
      "'sameIntent' compares kept outcomes by what 'of' makes of their input.",
      "Give it both, and let it replay.",
    );
  }
  for (const [code, refusal] of Object.entries(declaration.refusals ?? {})) {
    if (!Number.isInteger(refusal.status) || refusal.status < 400 || refusal.status > 499) {
      refuse(`refusal '${code}' has status ${refusal.status}.`, "A refusal is the caller's to mend: use 400 to 499.");
    }
  }
  const duration = (value: OperationDeclaration["lease"], property: string, otherwise: number) =>
    value === undefined ? otherwise : milliseconds(value, `${where}, ${property}`);
  const leaseMs = duration(declaration.lease, "lease", defaults.operation.leaseMs);
  const retentionMs = duration(declaration.retention, "retention", 0);
  const sameWithinMs = sameIntent === undefined ? null : duration(sameIntent.within, "sameIntent.within", 0);
  if (sameWithinMs !== null && sameWithinMs > retentionMs) {
    refuse(
      "'sameIntent.within' is longer than its retention: the first of two would be forgotten by then.",
      "Keep outcomes at least as long.",
    );
  }
  return {
    declaration,
    name,
    again,
    retentionMs,
    leaseMs,
    abandonAfterMs: duration(declaration.abandonAfter, "abandonAfter", defaults.operation.abandonAfterMs),
    outcomeLimit:
      declaration.outcomeLimit === undefined
        ? defaults.operation.outcomeLimitBytes
        : bytes(declaration.outcomeLimit, `${where}, outcomeLimit`),
    refusals: refusalsOf(declaration),
    resumesByItself: dispatch !== undefined || declaration.resumes === "by-itself",
    broughtWithinMs: typeof dispatch === "function" ? leaseMs : 0,
    sameWithinMs,
  };
}
