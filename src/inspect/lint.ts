import type { Dialect, Fault, Finding } from "./finding.ts";
import { findScriptFaults } from "./script/rules.ts";
import { guessDialect } from "./sql/dialect.ts";
import { findSqlFaults } from "./sql/rules.ts";
import { type Comment, scanSql } from "./sql/tokens.ts";

interface LintOptions {
  /** `undefined`: guessed, from the file's name, the driver that it imports, and what only one dialect writes. */
  readonly dialect?: Dialect | undefined;
  /** Its ending tells whether it is a program or SQL; it names the findings. */
  readonly file: string;
}

const programs = /\.[cm]?[jt]sx?$/i;

/**
 * Finds what is not safe to run again, or twice at once: a check before an insert, and what else loses or doubles rows. Never
 * throws, whatever the text is; time and memory grow with its length.
 *
 * A finding that is meant so is left out by a comment on its line, or on the line above: `reprise: sound, <reason>`.
 *
 * @example
 * lintSql("insert ignore into orders (id) values (1)", { file: "load.sql", dialect: "mysql" });
 * // [{ file: "load.sql", line: 1, column: 1, rule: "insert-ignore", why: "…", instead: "…" }]
 */
export function lintSql(text: string, { dialect, file }: LintOptions): readonly Finding[] {
  const isProgram = programs.test(file);
  const wanted = dialect ?? (isProgram ? undefined : guessDialect(text, file));
  const { faults, comments } =
    isProgram || wanted === undefined ? findScriptFaults(text, file, wanted) : script(text, wanted);
  const lines = lineStarts(text);
  const accepted = new Set<number>();
  const told: Fault[] = [];
  for (const { start, end } of comments) {
    const said = /\breprise:\s*sound\b[\s,:;.–-]*([\s\S]*)/i.exec(text.slice(start, end));
    if (said === null) continue;
    if (/[\p{L}\p{N}]{2}/u.test(said[1] ?? "")) {
      accepted.add(lineOf(lines, Math.max(start, end - 1)));
      continue;
    }
    const why = "It is accepted without a reason, so nobody can tell later whether the reason still holds.";
    told.push({
      rule: "accepted-without-reason",
      at: start,
      from: start,
      why,
      instead: "reprise: sound, <why no two runs do harm here>",
    });
  }
  const isAccepted = (place: number) => {
    const line = lineOf(lines, place);
    return accepted.has(line) || accepted.has(line - 1);
  };
  told.push(...faults.filter(({ at, from }) => !isAccepted(at) && !isAccepted(from)));
  return told
    .sort((one, other) => one.at - other.at)
    .map(({ at, rule, why, instead }) => {
      const line = lineOf(lines, at);
      return { file, line, column: at - (lines[line - 1] ?? 0) + 1, rule, why, instead };
    });
}

interface Found {
  readonly faults: readonly Fault[];
  readonly comments: readonly Comment[];
}

function script(text: string, dialect: Dialect): Found {
  const { tokens, comments } = scanSql(text, dialect);
  const inBodies = tokens
    .filter(({ kind }) => kind === "body")
    .flatMap(
      ({ start, end, text: tag }) =>
        scanSql(text, dialect, start + tag.length, Math.max(start + tag.length, end - tag.length)).comments,
    );
  return { faults: findSqlFaults(tokens, dialect, text), comments: [...comments, ...inBodies] };
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** From 1. */
function lineOf(starts: readonly number[], at: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low + 1;
}
