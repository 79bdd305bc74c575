import { sha256 } from "../../base/names.ts";
import type { Difference } from "../schema.ts";
import type { Parameter } from "./driver.ts";
import { inSchema } from "./schema.ts";
import type { TwoForms } from "./server.ts";

/**
 * A function of the ledger's in its schema. The database plans what it does once a session, also where a pooler lets nobody
 * name a statement; and at READ COMMITTED each statement in it has a snapshot of its own.
 */
export interface DatabaseFunction {
  /** Calls it with `$1`, `$2`, …; its one column is `answer`. */
  readonly call: TwoForms;
  /** Calls it for each row of `$1`, one after the other: a list as JSON, of what `eachOf` makes. */
  readonly callEach: TwoForms;
  readonly definition: (isPartitioned: boolean) => Definition;
}

interface Definition {
  /** It ends in what the function does, so that versions of this library work beside each other. */
  readonly name: string;
  readonly body: string;
  readonly create: string;
}

export function databaseFunction(
  name: string,
  parameters: readonly string[],
  returns: string,
  body: TwoForms,
): DatabaseFunction {
  const define = (text: string): Definition => {
    const full = `${name}_${sha256([...parameters, returns, text].join()).slice(0, 12)}`;
    return {
      name: `reprise_${full}`,
      body: text,
      create: `create or replace function @${full}(${parameters.join(", ")}) returns ${returns} language plpgsql as $reprise$${text}$reprise$`,
    };
  };
  const given = parameters.map((type, place) => `$${place + 1}::${type}`).join(", ");
  const callOf = (definition: Definition) => `select @${definition.name.slice("reprise_".length)}(${given}) as answer`;
  const columns = parameters.map((type, place) => `p${place + 1} ${type}`).join(", ");
  const rows = `json_to_recordset($1::text::json) as r(${columns})`;
  const row = parameters.map((_, place) => `r.p${place + 1}`).join(", ");
  const callEachOf = ({ name: full }: Definition) =>
    `select @${full.slice("reprise_".length)}(${row}) as answer from ${rows}`;
  const whole = define(body.whole);
  const partitioned = define(body.partitioned);
  return {
    call: { whole: callOf(whole), partitioned: callOf(partitioned) },
    callEach: { whole: callEachOf(whole), partitioned: callEachOf(partitioned) },
    definition: (isPartitioned) => (isPartitioned ? partitioned : whole),
  };
}

/** What `callEach` takes: the parameters of each call. */
export function eachOf(calls: readonly (readonly Parameter[])[]): string {
  return JSON.stringify(
    calls.map((params) => Object.fromEntries(params.map((value, place) => [`p${place + 1}`, value]))),
  );
}

export function createFunctions(
  functions: readonly DatabaseFunction[],
  isPartitioned: boolean,
  schema: string,
): readonly string[] {
  return functions.map((one) => inSchema(one.definition(isPartitioned).create, schema));
}

/** Other versions' are no difference. `found`: bodies by name. */
export function compareFunctions(
  functions: readonly DatabaseFunction[],
  isPartitioned: boolean,
  schema: string,
  found: ReadonlyMap<string, string>,
): readonly Difference[] {
  return functions.flatMap((one): readonly Difference[] => {
    const { name, body, create } = one.definition(isPartitioned);
    const there = found.get(name);
    const mend = [inSchema(create, schema)];
    if (there === undefined) return [{ what: `Function ${name} is missing.`, mend, creates: "function" }];
    if (there === inSchema(body, schema)) return [];
    return [{ what: `Function ${name} does something else than it was made for.`, mend, creates: null }];
  });
}
