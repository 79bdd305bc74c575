import pc from "picocolors";
import { createPairing, type Found } from "../admin/pairing.ts";
import { defaults } from "../base/defaults.ts";
import type { Lost } from "./apart.ts";
import { startProgress } from "./audit-progress.ts";
import type { Answered, AuditedOperation } from "./importing.ts";
import { type Ask, failed, type OperationsOptions, withInstance } from "./operations.ts";
import { asJson, printable, refuse } from "./print.ts";
import { count, foundLines, inWords, pairLines } from "./show-pairs.ts";

/** As the command line is parsed. */
export interface AuditOperationsOptions extends OperationsOptions {
  readonly operation?: string;
  /** Milliseconds. */
  readonly within?: number;
  readonly atMost?: number;
}

interface Audited {
  readonly operation: string;
  readonly comparedBy: AuditedOperation["comparedBy"];
  readonly withinMs: number;
  /** Successes that were compared. */
  readonly compared: number;
  /** Successes of which nothing that is recorded tells what they were meant for. */
  readonly incomparable: number;
  readonly found: Found;
}

/** Reads all that the ledger keeps of the module's operations, page by page. The exit code is `runAudit`'s. */
export function auditOperations(module: string, options: AuditOperationsOptions): Promise<number> {
  const progress = startProgress("success", "successes");
  const work = async (ask: Ask): Promise<number> => {
    const declared = await ask({ verb: "operations" });
    if (declared.is !== "operations") return noAnswer(declared, options);
    const chosen = declared.operations.filter(({ name }) => [undefined, name].includes(options.operation));
    if (chosen.length === 0) return refuse(nothingToAudit(declared.operations, options.operation));
    const audited: Audited[] = [];
    let before = 0;
    for (const operation of chosen) {
      const one = await audit(ask, operation, options, (read) => progress.tell(before + read));
      if ("is" in one) return noAnswer(one, options);
      before += one.compared + one.incomparable;
      audited.push(one);
    }
    progress.stop();
    process.stdout.write(
      options.json === true
        ? asJson({ audit: "success-twice", operations: audited.map(jsonOf) })
        : textOf(module, audited),
    );
    const pairs = audited.reduce((sum, { found }) => sum + found.pairs, 0);
    return pairs > (options.atMost ?? 0) ? 1 : 0;
  };
  return withInstance(module, options, work).finally(progress.stop);
}

/** There is no telling whether there are any, which is neither 0 nor 1. */
function noAnswer(answer: Answered | Lost, options: OperationsOptions): 2 {
  failed(answer, options);
  return 2;
}

function nothingToAudit(declared: readonly AuditedOperation[], wanted: string | undefined): string {
  const names = declared.map(({ name }) => name).join(", ");
  return wanted === undefined
    ? "The instance declares no operation whose outcome is kept."
    : `The instance declares no operation '${wanted}'. There is: ${names || "none"}.`;
}

async function audit(
  ask: Ask,
  { name, comparedBy, withinMs: declared }: AuditedOperation,
  { within }: AuditOperationsOptions,
  tell: (read: number) => void,
): Promise<Audited | Answered | Lost> {
  const withinMs = within ?? declared ?? defaults.audit.withinMs;
  const pairing = createPairing(withinMs, defaults.audit.listed);
  let compared = 0;
  let incomparable = 0;
  let after: string | null = null;
  // without anything to compare by, nothing is read
  while (comparedBy !== null) {
    const answer = await ask({ verb: "audit", operation: name, after });
    if (answer.is !== "audited") return answer;
    const { page } = answer;
    for (const success of page.successes) pairing.add(success);
    compared += page.successes.length;
    incomparable += page.incomparable;
    tell(compared + incomparable);
    if (page.next === null) break;
    after = page.next;
  }
  return { operation: name, comparedBy, withinMs, compared, incomparable, found: pairing.found() };
}

function jsonOf({ found, ...audited }: Audited) {
  return { ...audited, ...found };
}

function textOf(module: string, audited: readonly Audited[]): string {
  const found = audited.some(({ found }) => found.pairs > 0);
  const hint = `Each is told by npx reprise operations show ${printable(module)} and its id.`;
  return `${[...audited.flatMap(linesOf), ...(found ? [pc.dim(hint)] : [])].join("\n")}\n`;
}

function linesOf({ operation, comparedBy, withinMs, compared, incomparable, found }: Audited): readonly string[] {
  const name = pc.bold(printable(operation));
  if (comparedBy === null) {
    return [
      `${name}: ${pc.yellow("cannot be compared")}: nothing that is recorded tells what its works are meant for.`,
      declareIt,
    ];
  }
  const by = comparedBy === "intent" ? "the same intent" : "the same input of the same principal under another key";
  const listed = found.listed.length < found.pairs ? [pc.dim(`  the last ${found.listed.length}:`)] : [];
  const rest =
    incomparable === 0
      ? []
      : [
          `  ${count(incomparable, "success", "successes")} cannot be compared: recorded before sameIntent was declared.`,
        ];
  return [
    `${name}: ${count(compared, "success", "successes")} compared: ${by} within ${inWords(withinMs)}`,
    ...foundLines(found),
    ...listed,
    ...pairLines(found.listed, printable),
    ...rest,
  ];
}

const declareIt = '  Declare sameIntent: { of: (input) => […], within: "10m" }, and from then on its works can be.';
