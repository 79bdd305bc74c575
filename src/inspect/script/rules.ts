import type { Dialect, Fault } from "../finding.ts";
import { guessProgramDialect } from "../sql/dialect.ts";
import { findSqlFaults } from "../sql/rules.ts";
import { type Comment, scanSql, type Token } from "../sql/tokens.ts";
import { type Event, eventOf } from "./events.ts";
import { findersThatCreate, findOrCreate } from "./find-or-create.ts";
import { isHandled } from "./guards.ts";
import { readLiterals } from "./literals.ts";
import { faultsBetween } from "./pairs.ts";
import { eventsOfStatement } from "./statements.ts";
import { readScript } from "./structure.ts";
import { upsert } from "./upserts.ts";

interface FoundInProgram {
  readonly faults: readonly Fault[];
  /** Those of its statements too. */
  readonly comments: readonly Comment[];
}

/** Faults of a program in TypeScript or JavaScript, and of the statements that stand in it. */
export function findScriptFaults(text: string, file: string, wanted: Dialect | undefined): FoundInProgram {
  const script = readScript(text);
  const literals = readLiterals(script);
  const said = literals.map(({ start, end }) => text.slice(start + 1, end - 1)).join("\n;\n");
  const dialect = wanted ?? guessProgramDialect(text, file, said);
  const faults: Fault[] = [];
  const events: Event[] = [];
  const comments: Comment[] = [...script.comments];
  for (const literal of literals) {
    const scanned = scanSql(literal.text, dialect, 0, literal.text.length, literal.source);
    comments.push(...scanned.comments.map((comment) => shifted(comment, literal.start)));
    const own = findSqlFaults(scanned.tokens, dialect, literal.text, literal.source);
    for (const fault of own) {
      if (isHandled(script, literal.from, fault.rule)) continue;
      faults.push({ ...fault, at: fault.at + literal.start, from: fault.from + literal.start });
    }
    // a statement that is found by itself is not found again with another
    if (own.length > 0) continue;
    const statement = firstStatement(scanned.tokens).map((token) => shifted(token, literal.start));
    events.push(...eventsOfStatement(script, literal.from, statement, dialect));
  }
  script.tokens.forEach((token, at) => {
    if (token.kind !== "name") return;
    const event = eventOf(script, at);
    if (event !== undefined) events.push(event);
    const fault = findersThatCreate.has(token.text)
      ? findOrCreate(script, at, dialect)
      : token.text === "upsert"
        ? upsert(script, at)
        : undefined;
    if (fault !== undefined) faults.push(fault);
  });
  faults.push(...faultsBetween(script, events, dialect));
  return { faults, comments };
}

function shifted<T extends { readonly start: number; readonly end: number }>(place: T, by: number): T {
  return { ...place, start: place.start + by, end: place.end + by };
}

function firstStatement(tokens: readonly Token[]): readonly Token[] {
  const isEnd = ({ kind, text }: Token) => kind === "sign" && text === ";";
  const from = tokens.findIndex((token) => !isEnd(token));
  if (from === -1) return [];
  const to = tokens.findIndex((token, at) => at > from && isEnd(token));
  return tokens.slice(from, to === -1 ? undefined : to);
}
