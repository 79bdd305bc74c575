import type { Dialect, Fault } from "../finding.ts";
import { guessProgramDialect } from "../sql/dialect.ts";
import { findSqlFaults } from "../sql/rules.ts";
import { type Comment, scanSql } from "../sql/tokens.ts";
import { type Event, eventOf } from "./events.ts";
import { findersThatCreate, findOrCreate } from "./find-or-create.ts";
import { isHandled, isLockedBefore } from "./guards.ts";
import { insteadInProgram } from "./instead.ts";
import { readLiterals } from "./literals.ts";
import { regionsWithout } from "./outcomes.ts";
import { insertedAgain, keyOfBoth } from "./removals.ts";
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
  const comments = [...script.comments];
  for (const literal of literals) {
    const { tokens, comments: inside } = scanSql(literal.text, dialect, literal.start, literal.end, text);
    comments.push(...inside);
    const own = findSqlFaults(tokens, dialect, literal.text, text);
    faults.push(
      ...own.filter(({ at }) => !isHandled(script, literal.from, own.find((fault) => fault.at === at)?.rule)),
    );
    // a statement that is found by itself is not found again with another
    if (own.length > 0) continue;
    const [statement] = statementsOf(tokens);
    if (statement !== undefined) events.push(...eventsOfStatement(script, literal.from, statement, dialect));
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
  const writes = events.filter((event) => event.is === "write");
  const taken = new Set<Event>();
  for (const look of events) {
    if (look.is !== "look" || !look.chain.isAwaited || writes.length === 0) continue;
    if (!writes.some(({ models: [model] }) => model !== undefined && look.models.includes(model))) continue;
    const regions = regionsWithout(script, look);
    const write = writes.find(
      (one) =>
        !taken.has(one) &&
        look.models.includes(one.models[0] ?? "") &&
        regions.some(
          ({ from, to }) =>
            one.chain.from >= from && one.chain.to <= to && (!one.mayUpdate || from < one.chain.from - 1),
        ) &&
        !(one.mayUpdate && !isWithin(regions, one)),
    );
    if (write === undefined || isHandled(script, write.chain.from) || isLockedBefore(events, look, write, script))
      continue;
    taken.add(write);
    const rule = look.by === "update" ? "update-then-insert" : "check-then-insert";
    const found = look.by === "update" ? "update no row of" : "find no row in";
    faults.push({
      rule,
      at: script.tokens[write.chain.from]?.start ?? 0,
      from: script.tokens[look.chain.from]?.start ?? 0,
      why: `Two runs at once both ${found} ${write.model}, and both insert.`,
      instead: insteadInProgram(write, look.key, text, dialect),
    });
  }
  for (const removal of events) {
    if (removal.is !== "removal") continue;
    const write = insertedAgain(script, removal, writes, text);
    if (write === undefined || taken.has(write) || isHandled(script, write.chain.from)) continue;
    taken.add(write);
    faults.push({
      rule: "delete-then-insert",
      at: script.tokens[write.chain.from]?.start ?? 0,
      from: script.tokens[removal.chain.from]?.start ?? 0,
      why: `A rerun of older data deletes newer rows of ${write.model}, one that ends in between leaves none, and two at once delete the same rows and both insert.`,
      instead: insteadInProgram(write, keyOfBoth(script, removal, write), text, dialect),
    });
  }
  return { faults, comments };
}

/** What may update as well is taken for an insert only in a branch of its own. */
function isWithin(regions: readonly { readonly from: number; readonly to: number }[], write: Event): boolean {
  return regions.some(({ from, to }) => from <= write.chain.from && to >= write.chain.to && to - from < 200);
}

function statementsOf<T extends { readonly kind: string; readonly text: string }>(
  tokens: readonly T[],
): readonly T[][] {
  const statements: T[][] = [[]];
  for (const token of tokens) {
    if (token.kind === "sign" && token.text === ";") statements.push([]);
    else statements.at(-1)?.push(token);
  }
  return statements.filter((one) => one.length > 0);
}
