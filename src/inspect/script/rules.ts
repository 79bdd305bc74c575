import type { Dialect, Fault } from "../finding.ts";
import { guessProgramDialect } from "../sql/dialect.ts";
import { findSqlFaults } from "../sql/rules.ts";
import { type Comment, scanSql } from "../sql/tokens.ts";
import { type Event, eventOf, eventsOfStatement, insteadInProgram } from "./events.ts";
import { readLiterals } from "./literals.ts";
import { regionsWithout } from "./outcomes.ts";
import { chainAround, closingOf, functionAround, readScript, type Script, textAt } from "./structure.ts";

const findersThatCreate = new Set(["findOrCreate", "firstOrCreate", "findOneOrCreate", "updateOrCreate"]);

/** What tells that somebody has thought of two at once: the error that the second gets, a lock, or a serializable transaction. */
const handled = new RegExp(
  [
    String.raw`P2002|23505|ER_DUP_ENTRY|\b1062\b|\b2627\b|SQLITE_CONSTRAINT|Unique(?:Key)?(?:Constraint)?(?:Error|Violation)|unique_violation|E11000|\b11000\b`,
    String.raw`is(?:Unique|Duplicate)\w*\(|Duplicate(?:Key|Entry)\w*|DUPLICATE_KEY|advisory|get_?lock|with_?lock|acquire\w*lock|\.acquire\(`,
    String.raw`\bmutex\b|redlock|runExclusive|serializable|lock\s+tables?\s|begin\s+(?:immediate|exclusive)|sp_getapplock|\bholdlock\b`,
  ].join("|"),
  "i",
);

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

function isHandled(script: Script, at: number, rule?: Fault["rule"]): boolean {
  // nothing outside makes these sound
  if (rule === "insert-ignore" || rule === "replace-deletes") return false;
  const { from, to } = functionAround(script, at);
  const start = script.tokens[from]?.start ?? 0;
  const end = script.tokens[to]?.end ?? script.text.length;
  // from the function's own block only: a module's imports say nothing of one statement
  if (from === -1) return false;
  return handled.test(script.code.slice(start, end));
}

/** Whoever locks a parent's row first lets one after the other look for its children. */
function isLockedBefore(events: readonly Event[], look: Event, write: Event, script: Script): boolean {
  const around = functionAround(script, write.chain.from);
  return events.some(
    (event) =>
      event.is === "look" &&
      event.locks &&
      event.chain.from < look.chain.from &&
      event.chain.from > around.from &&
      event.chain.to < around.to &&
      !event.models.includes(write.models[0] ?? ""),
  );
}

function findOrCreate(script: Script, at: number, dialect: Dialect): Fault | undefined {
  if (textAt(script, at - 1) !== "." && textAt(script, at - 1) !== "?.") return undefined;
  const chain = chainAround(script, at);
  const link = chain.links.find((one) => one.at === at);
  if (link === undefined || link.open === -1) return undefined;
  const before = textAt(script, chain.from - 1);
  if (!chain.isAwaited && before !== "return" && before !== "=>" && !chain.links.some(({ name }) => name === "then"))
    return undefined;
  if (isHandled(script, at)) return undefined;
  const place = chain.links.indexOf(link);
  const model = chain.links[place - 1]?.name ?? "the table";
  const start = script.tokens[chain.from]?.start ?? 0;
  const isSequelize = /sequelize/i.test(script.text);
  const table = { models: [model], model, method: isSequelize ? "create" : "sql", columns: [] as readonly string[] };
  const event: Event = { ...table, is: "write", by: "select", chain, key: [], locks: false, mayUpdate: false };
  const keys = keysOf(script, link.open);
  return {
    rule: "find-or-create",
    at: start,
    from: start,
    why: `${textAt(script, at)} looks first: two runs at once both find no row of ${model}, and both insert, or one fails where something is unique.`,
    instead: insteadInProgram(event, keys, script.text, dialect),
  };
}

function keysOf(script: Script, open: number): readonly string[] {
  for (let at = open; at < closingOf(script, open); at += 1) {
    if (textAt(script, at) === "where" && textAt(script, at + 2) === "{") return membersOf(script, at + 2);
  }
  return textAt(script, open + 1) === "{" ? membersOf(script, open + 1) : [];
}

function membersOf(script: Script, brace: number): readonly string[] {
  const names: string[] = [];
  for (let at = brace + 1; at < closingOf(script, brace); at += 1) {
    const isMember =
      script.around[at] === brace && script.tokens[at]?.kind === "name" && ["{", ","].includes(textAt(script, at - 1));
    if (isMember) names.push(textAt(script, at));
  }
  return names;
}

/**
 * Prisma's upsert is one statement of the database only where it asks by one unique key and writes nothing nested; else it
 * looks first. Any other upsert, and one that cannot be read, is left alone.
 */
function upsert(script: Script, at: number): Fault | undefined {
  const open = at + 1;
  if (textAt(script, at - 1) !== "." || textAt(script, open) !== "(" || textAt(script, open + 1) !== "{")
    return undefined;
  const members = new Map<string, number>();
  for (const name of ["where", "create", "update", "include"]) {
    for (let place = open + 2; place < closingOf(script, open); place += 1) {
      if (script.around[place] === open + 1 && textAt(script, place) === name && textAt(script, place + 1) === ":")
        members.set(name, place + 2);
    }
  }
  const where = members.get("where");
  const create = members.get("create");
  const update = members.get("update");
  if (where === undefined || create === undefined || update === undefined || textAt(script, where) !== "{")
    return undefined;
  const keys = membersOf(script, where).filter((name) => !["AND", "OR", "NOT"].includes(name));
  const isNested = [create, update].some((brace) => {
    if (textAt(script, brace) !== "{") return false;
    for (let place = brace + 1; place < closingOf(script, brace); place += 1) {
      const isWrite = ["create", "connectOrCreate", "createMany", "upsert", "connect"].includes(textAt(script, place));
      if (
        isWrite &&
        textAt(script, place + 1) === ":" &&
        textAt(script, place - 1) === "{" &&
        script.around[place] !== brace
      )
        return true;
    }
    return false;
  });
  if (keys.length < 2 && !isNested) return undefined;
  if (isHandled(script, at)) return undefined;
  const chain = chainAround(script, at);
  const start = script.tokens[chain.from]?.start ?? 0;
  const model = textAt(script, at - 2);
  const because = isNested ? "writes other models too" : "asks by several keys";
  return {
    rule: "upsert-not-native",
    at: start,
    from: start,
    why: `An upsert that ${because} is no statement of the database: Prisma looks first, and of two runs at once one fails with P2002.`,
    instead: `await prisma.${model}.upsert({ where: { <one unique key> }, create: { … }, update: { … } }); // nested writes apart, or catch P2002 and repeat`,
  };
}
