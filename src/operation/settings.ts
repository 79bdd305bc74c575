import { defaults } from "../base/defaults.ts";
import { milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import { bytes } from "../base/size.ts";
import type { OperationDeclaration } from "./declaration.ts";

/** A declaration with its durations measured and its defaults filled in. */
export interface Settings {
  readonly declaration: OperationDeclaration;
  readonly name: string;
  readonly again: "replays" | "converges";
  readonly retentionMs: number;
  readonly leaseMs: number;
  readonly abandonAfterMs: number;
  readonly outcomeLimit: number;
  readonly resumesByItself: boolean;
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
    if (declaration.resumes === "by-itself" && declaration.identity === "callers-key") {
      refuse(
        "a completer cannot know the caller's key.",
        "Give it an identity from its input, or let the next attempt resume it.",
      );
    }
    if (declaration.retention === undefined) {
      refuse("it has no retention.", "Say how long an outcome answers repetitions: as long as anybody retries.");
    }
  }
  for (const [code, refusal] of Object.entries(declaration.refusals ?? {})) {
    if (!Number.isInteger(refusal.status) || refusal.status < 400 || refusal.status > 499) {
      refuse(`refusal '${code}' has status ${refusal.status}.`, "A refusal is the caller's to mend: use 400 to 499.");
    }
  }
  const duration = (value: OperationDeclaration["lease"], property: string, otherwise: number) =>
    value === undefined ? otherwise : milliseconds(value, `${where}, ${property}`);
  return {
    declaration,
    name,
    again,
    retentionMs: duration(declaration.retention, "retention", 0),
    leaseMs: duration(declaration.lease, "lease", defaults.operation.leaseMs),
    abandonAfterMs: duration(declaration.abandonAfter, "abandonAfter", defaults.operation.abandonAfterMs),
    outcomeLimit:
      declaration.outcomeLimit === undefined
        ? defaults.operation.outcomeLimitBytes
        : bytes(declaration.outcomeLimit, `${where}, outcomeLimit`),
    resumesByItself: declaration.resumes === "by-itself",
  };
}
