import pc from "picocolors";
import { defaults } from "../base/defaults.ts";
import {
  type Finding,
  inspectKeys,
  type Keyless,
  type KeyReport,
  lintSql,
  mysqlCatalogue,
  postgresCatalogue,
  postgresFunctions,
  sqliteCatalogue,
} from "../inspect/index.ts";
import { startProgress } from "./audit-progress.ts";
import { type OpenDatabase, openDatabase } from "./databases.ts";
import { findingLines } from "./lint-sql.ts";
import { asJson, printable, refuse } from "./print.ts";
import { count, inWords } from "./show-pairs.ts";

/** As the command line is parsed. */
export interface InspectOptions {
  readonly json?: boolean;
  /** Milliseconds. */
  readonly deadline?: number;
}

const catalogues = { postgres: postgresCatalogue, mysql: mysqlCatalogue, sqlite: sqliteCatalogue } as const;

/** Prints, and answers the exit code: 0 every table has a natural key; 1 some have none; 2 there is no answer. */
export async function runInspectKeys(given: string, options: InspectOptions): Promise<number> {
  const { json = false, deadline: deadlineMs = defaults.inspect.deadlineMs } = options;
  const address = given.includes(":") || /[./]/.test(given) ? given : process.env[given];
  if (address === undefined) return refuse(`'${given}' is no environment variable that is set, and no address.`);
  const until = performance.now() + deadlineMs;
  const opened = await openDatabase(address, Math.min(deadlineMs, defaults.openMs));
  if (typeof opened === "string") return refuse(opened);
  const progress = startProgress("table");
  try {
    const leftMs = () => Math.max(0, until - performance.now());
    const ask = (statement: string) => opened.ask(statement, Math.max(1, leftMs()));
    // a table that takes long must not take the time of all others
    const counting = (statement: string) =>
      opened.ask(
        statement,
        Math.max(1, statement.includes(" as repeated") ? Math.min(leftMs(), deadlineMs / 4) : leftMs()),
      );
    const catalogue = catalogues[opened.database];
    const report = await inspectKeys({
      database: opened.database,
      catalogue,
      ask: counting,
      leftMs,
      tell: progress.tell,
    });
    const functions = opened.database === "postgres" ? await lintFunctions(ask) : [];
    if (json) process.stdout.write(asJson({ database: opened.database, ...report, functions }));
    else process.stdout.write(`${textOf(report, functions ?? [], deadlineMs).join("\n")}\n`);
    return report.keyless.length === 0 && (functions ?? []).length === 0 ? 0 : 1;
  } catch {
    return refuse(
      `Its catalogue was not read within ${inWords(deadlineMs)}, or this role may not read it. Give it longer with --deadline.`,
    );
  } finally {
    progress.stop();
    await opened.close();
  }
}

/** `null`: there was no time for them, or no right. */
async function lintFunctions(
  ask: (statement: string) => ReturnType<OpenDatabase["ask"]>,
): Promise<readonly Finding[] | null> {
  const found = await ask(postgresFunctions).catch(() => undefined);
  if (found === undefined) return null;
  return found.flatMap(({ name, text }) =>
    lintSql(String(text), { dialect: "postgres", file: `function ${String(name)}` }),
  );
}

function textOf(report: KeyReport, functions: readonly Finding[], deadlineMs: number): readonly string[] {
  const { tables, keyless, notLookedAt } = report;
  const none =
    keyless.length === 0 ? pc.green("each has a natural key.") : pc.yellow(`${keyless.length} without a natural key.`);
  const late =
    notLookedAt.length === 0
      ? []
      : [
          "",
          pc.yellow(
            `Not counted to the end in ${inWords(deadlineMs)}, or not readable: ${notLookedAt.map(printable).join(", ")}. Give it longer with --deadline.`,
          ),
        ];
  return [
    `${count(tables, "table")}: ${none}`,
    ...keyless.flatMap(keylessLines),
    ...late,
    ...(functions.length > 0 ? ["", ...functions.flatMap(findingLines)] : []),
  ];
}

function keylessLines({ table, shape, index, why, candidates }: Keyless): readonly string[] {
  const named = index === null ? "" : ` (${printable(index)})`;
  return [
    "",
    `${pc.bold(printable(table))}  ${pc.yellow(shape)}${named}`,
    `  ${why}`,
    ...(candidates.length === 0
      ? ["  No column looks as if it told things apart: whoever knows the table says which do."]
      : []),
    ...candidates.flatMap(({ columns, duplicates, list, remove, create }) => [
      `  ${printable(columns.join(", "))}: ${told(duplicates)}`,
      ...(duplicates !== null && duplicates.groups > 0 ? [list, ...(remove === null ? [] : [remove])] : []).map((one) =>
        pc.dim(`    ${printable(one)};`),
      ),
      ...create.map((one) => pc.dim(`    ${printable(one)};`)),
    ]),
  ];
}

function told(duplicates: Keyless["candidates"][number]["duplicates"]): string {
  if (duplicates === null) return "not looked at.";
  const { groups, rowsTooMany, withNull } = duplicates;
  const nulls = withNull === 0 ? "" : `, ${count(withNull, "row")} with null`;
  return groups === 0
    ? `no duplicates${nulls}.`
    : `${count(groups, "key")} repeated, ${count(rowsTooMany, "row")} too many${nulls}.`;
}
