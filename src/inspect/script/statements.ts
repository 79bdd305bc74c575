import type { Dialect } from "../finding.ts";
import { locksRows } from "../sql/guards.ts";
import { readDelete, readInsert, readUpdate, splitWith } from "../sql/statements.ts";
import { clause, comparedColumns, isWord, type Tokens, tablesRead } from "../sql/tables.ts";
import { type Event, normal } from "./events.ts";
import { type Chain, chainAround, type Script, textAt } from "./structure.ts";

/** What a statement in a string does, as an event of the call that it is given to. */
export function eventsOfStatement(script: Script, from: number, statement: Tokens, dialect: Dialect): readonly Event[] {
  const call = callAround(script, from);
  if (call === undefined) return [];
  const { main } = splitWith(statement);
  const common = {
    method: "sql",
    chain: call,
    key: [] as readonly string[],
    mayUpdate: false,
  };
  const insert = readInsert(main);
  if (insert !== undefined) {
    if (insert.isGuarded || insert.manner !== "plain" || insert.table.isPrivate) return [];
    const written = { models: [normal(insert.table.name)], model: insert.table.text, insert };
    return [{ ...common, ...written, is: "write", by: "select", locks: false }];
  }
  const removal = readDelete(main);
  if (removal !== undefined) {
    const removed = { models: [normal(removal.table.name)], model: removal.table.text, removal };
    return [{ ...common, ...removed, is: "removal", by: "select", locks: false }];
  }
  const updated = readUpdate(main);
  const key = comparedColumns(clause(main, "where"));
  if (updated !== undefined) {
    return [
      {
        ...{ ...common, key, is: "look", by: "update", models: [normal(updated.name)], model: updated.text },
        ...{ locks: false, update: main },
      },
    ];
  }
  if (!isWord(main[0], "select")) return [];
  const tables = tablesRead(statement).map(({ table }) => table);
  const [first] = tables;
  if (first === undefined) return [];
  const models = tables.map(({ name }) => normal(name));
  return [
    {
      ...common,
      key,
      is: "look",
      by: "select",
      models,
      model: first.text,
      locks: locksRows(main) && dialect !== "sqlite",
    },
  ];
}

/** `client.query("…")`, or the tagged template itself. */
function callAround(script: Script, at: number): Chain | undefined {
  if (script.tokens[at]?.kind === "template" && script.tokens[at - 1]?.kind === "name") {
    const chain = chainAround(script, at - 1);
    return { ...chain, to: Math.max(chain.to, at) };
  }
  // through the objects that statements are wrapped in: `{ text: "…" }`, `sql("…")`
  let open = script.around[at] ?? -1;
  for (let turns = 0; turns < 4 && open !== -1; turns += 1) {
    if (textAt(script, open) === "(" && script.tokens[open - 1]?.kind === "name") {
      if (["if", "while", "for", "switch", "return", "await"].includes(textAt(script, open - 1))) return undefined;
      const chain = chainAround(script, open - 1);
      if (chain.isAwaited) return chain;
    } else if (textAt(script, open) === "(" && textAt(script, open - 1) === ">") {
      // `query<Row>("…")`
      let back = open - 1;
      for (let depth = 0; back > open - 40 && back > 0; back -= 1) {
        if (textAt(script, back) === ">") depth += 1;
        else if (textAt(script, back) === "<") depth -= 1;
        if (depth === 0) break;
      }
      const chain = chainAround(script, back - 1);
      if (chain.isAwaited) return chain;
    }
    open = script.around[open] ?? -1;
  }
  return undefined;
}
