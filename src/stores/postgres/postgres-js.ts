import type { Answer, Connection, Driver, OwnRow, Statement } from "./driver.ts";

/** What is used of `sql`, as `postgres()` returns it. */
export interface PostgresSql {
  // a call of it is never made: it tells this driver's `sql` from other pools
  (template: never, ...parameters: never[]): unknown;
  reserve(): Promise<ReservedSql>;
  readonly options: { readonly max: number; readonly transform: { readonly column: { readonly from?: unknown } } };
}

export interface ReservedSql {
  unsafe(text: string, params: never[], options: object): PromiseLike<unknown>;
  release(): void;
}

type Result = readonly OwnRow[] & { readonly count: number | null; readonly command: string };

/** The connection behind a reserved `sql`, which tells when it is gone. */
interface Wire {
  onclose: ((error: unknown) => void) | null;
  terminate?(): void;
}

export function postgresDriver(sql: PostgresSql, prepared: boolean): Driver {
  const renames = typeof sql.options.transform.column.from === "function";
  let held = 0;
  return {
    connect: async () => {
      held += 1;
      try {
        return connectionOf(await sql.reserve(), { prepared, renames, returned: () => (held -= 1) });
      } catch (error) {
        held -= 1;
        throw error;
      }
    },
    isExhausted: () => held >= sql.options.max,
  };
}

function connectionOf(
  reserved: ReservedSql,
  settings: { readonly prepared: boolean; readonly renames: boolean; readonly returned: () => void },
): Connection {
  const { prepared, renames, returned } = settings;
  let state: "held" | "lost" | "returned" = "held";
  let wire: Wire | undefined;
  // a lost connection may serve somebody else already: nothing more of ours may reach it
  const lose = () => {
    if (state === "held") state = "lost";
  };
  const onexecute = (connection: Wire) => {
    wire = connection;
    connection.onclose = lose;
    return true;
  };
  const run = async (text: string, params: readonly unknown[], prepare: boolean): Promise<Result> => {
    if (state !== "held") throw new Error("The connection is gone.");
    const hook = wire === undefined ? { onexecute } : {};
    return (await reserved.unsafe(text, [...params] as never[], { prepare, simple: false, ...hook })) as Result;
  };
  const send = async ({ text, name, params }: Statement): Promise<Answer> => {
    const result = await run(
      text,
      params.map((value) => (value === null ? null : String(value))),
      name !== null,
    );
    return { rows: renames ? result.map(inLowerCase) : [...result], count: result.count ?? 0, command: result.command };
  };
  const giveBack = (end: () => void) => {
    if (state === "returned") return;
    const lost = state === "lost";
    state = "returned";
    returned();
    if (wire !== undefined) wire.onclose = null;
    if (!lost) end();
  };
  return {
    send: async (statements) => {
      const results = await Promise.allSettled(statements.map(send));
      return results.map((result) => {
        if (result.status === "rejected") throw result.reason;
        return result.value;
      });
    },
    query: async (text, params) => {
      const result = await run(text, params, prepared);
      return { rows: [...result], count: result.count ?? 0 };
    },
    isLost: () => state !== "held",
    release: () => giveBack(() => reserved.release()),
    destroy: () => giveBack(() => (wire?.terminate === undefined ? reserved.release() : wire.terminate())),
  };
}

/** A `sql` that renames columns renames ours too. */
function inLowerCase(row: OwnRow): OwnRow {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column.toLowerCase(), value]));
}
