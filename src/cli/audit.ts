import pc from "picocolors";
import { defaults } from "../base/defaults.ts";
import { auditOperations } from "./audit-operations.ts";
import { startProgress } from "./audit-progress.ts";
import { auditTable, type TableAnswer, type TableQuestion } from "./audit-table.ts";
import { asJson, printable, refuse } from "./print.ts";
import { count, foundLines, inWords, pairLines } from "./show-pairs.ts";

/** As the command line is parsed. */
export interface AuditOptions {
  readonly operation?: string;
  readonly service?: string;
  readonly postgres?: string;
  readonly table?: string;
  readonly same?: readonly string[];
  readonly at?: string;
  readonly key?: readonly string[];
  /** Milliseconds. */
  readonly within?: number;
  readonly showKeys?: boolean;
  readonly atMost?: number;
  readonly json?: boolean;
  /** Milliseconds. */
  readonly deadline?: number;
}

/** Prints, and answers the exit code: 0 none, or no more than are known; 1 there are; 2 what was given cannot be used, or there is no answer. */
export async function runAudit(module: string | undefined, options: AuditOptions): Promise<number> {
  const { postgres, table, same } = options;
  if (module === undefined) {
    if (postgres === undefined || table === undefined || same === undefined) {
      return refuse("Give a module that exports what createReprise returned, or --postgres, --table and --same.");
    }
    if (options.operation !== undefined || options.service !== undefined) {
      return refuse("--operation and --service choose among what a module declares. Give a module, or leave them out.");
    }
    return runTable({ ...options, postgres, table, same });
  }
  const { at, key, showKeys } = options;
  if (same !== undefined) {
    return refuse(
      "--same names columns of a table. What an operation's successes are compared by is its sameIntent: its ledger holds no column of the input.",
    );
  }
  if ([postgres, table, at, key, showKeys].some((given) => given !== undefined)) {
    return refuse("--postgres, --table, --at, --key and --show-keys are for a table. Give a module, or them.");
  }
  return auditOperations(module, options);
}

async function runTable(options: AuditOptions & Required<Pick<AuditOptions, "postgres" | "table" | "same">>) {
  const { postgres, table, same, at = "created_at", key, showKeys = false, json = false } = options;
  const withinMs = options.within ?? defaults.audit.withinMs;
  // an address has its slashes, and a variable's name has none
  const address = postgres.includes("://") ? postgres : process.env[postgres];
  if (address === undefined) return refuse("--postgres names no environment variable that is set, and is no address.");

  const deadlineMs = options.deadline ?? defaults.audit.tableMs;
  const question: TableQuestion = { table, same, at, key, withinMs, showKeys, deadlineMs };
  const progress = startProgress("row");
  const answer = await auditTable(address, question, progress.tell).finally(progress.stop);
  if (typeof answer === "string") return refuse(answer);
  process.stdout.write(json ? asJson(tableJson(answer, question)) : tableText(answer, question));
  return answer.found.pairs > (options.atMost ?? 0) ? 1 : 0;
}

function tableJson({ table, key, rows, found }: TableAnswer, { same, at, withinMs, showKeys }: TableQuestion) {
  const { listed, ...counted } = found;
  return { audit: "success-twice", table, same, at, key, withinMs, rows, ...counted, ...(showKeys ? { listed } : {}) };
}

function tableText({ table, key, rows, found }: TableAnswer, { same, withinMs, showKeys }: TableQuestion): string {
  const apart = key.length === 0 ? "each its own" : `under another ${key.map(printable).join(", ")}`;
  const listed = found.listed.length < found.pairs ? `the last ${found.listed.length}` : "each";
  const keys = showKeys
    ? pairLines(found.listed, printable)
    : [pc.dim(`  --show-keys tells the keys of ${listed}`)].filter(() => found.pairs > 0 && key.length > 0);
  return [
    `${pc.bold(printable(table))}: ${count(rows, "row")} compared: the same ${same.map(printable).join(", ")} within ${inWords(withinMs)}, ${apart}`,
    ...foundLines(found),
    ...keys,
    "",
  ].join("\n");
}
