import type { QueryResult } from "../../contract/transactions.ts";
import type { Answer, Connection, Driver, OwnRow, Statement } from "./driver.ts";
import { isLoss, sqlState } from "./failure.ts";
import { inOrder } from "./in-order.ts";

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
}

export function postgresDriver(sql: PostgresSql, prepared: boolean): Driver {
  const renames = typeof sql.options.transform.column.from === "function";
  let held = 0;
  return {
    connect: async () => {
      const reserved = await sql.reserve();
      // not before: whoever waits for a server that is away would count as one that keeps it busy
      held += 1;
      const returned = () => {
        held -= 1;
      };
      return connectionOf(reserved, { prepared, renames, returned });
    },
    isExhausted: () => held >= sql.options.max,
  };
}

function connectionOf(
  reserved: ReservedSql,
  settings: { readonly prepared: boolean; readonly renames: boolean; readonly returned: () => void },
): Connection {
  const { prepared, renames, returned } = settings;
  let wire: Wire | undefined;
  let isGone = false;
  let isGivenBack = false;
  /** Settles with the last statement that was sent: they are answered in order. */
  let answered: Promise<unknown> = Promise.resolve();

  const onexecute = (connection: Wire) => {
    wire = connection;
    // a connection that is gone may serve somebody else before long: nothing more of ours may reach it
    connection.onclose = () => {
      isGone = true;
    };
    return true;
  };
  const sent = async (text: string, params: readonly unknown[], prepare: boolean): Promise<Result> => {
    if (isGone) throw new Error("The connection is gone.");
    const hook = wire === undefined ? { onexecute } : {};
    return (await reserved.unsafe(text, [...params] as never[], { prepare, simple: false, ...hook })) as Result;
  };
  const run = (text: string, params: readonly unknown[], prepare: boolean): Promise<Result> => {
    const result = sent(text, params, prepare);
    answered = result.catch((error: unknown) => {
      // of a statement that it describes first, the driver does not tell the connection: then its error alone says that it
      // is gone, and whatever were sent to it now would throw where nobody can catch it, and end the process
      if (isLoss(error) && sqlState(error) === undefined) isGone = true;
    });
    return result;
  };
  const send = async ({ text, name, params }: Statement): Promise<Answer> => {
    const texts = params.map((value) => (value === null ? null : String(value)));
    const result = await run(text, texts, name !== null);
    return { rows: renames ? result.map(inLowerCase) : [...result], count: result.count ?? 0, command: result.command };
  };
  const giveBack = () => {
    if (wire !== undefined) wire.onclose = null;
    returned();
    // what is gone has left its place in the pool by itself
    if (!isGone) reserved.release();
  };
  const query = async (text: string, params: readonly unknown[]): Promise<QueryResult> => {
    const result = await run(text, params, prepared);
    return { rows: [...result], count: result.count ?? 0 };
  };
  return {
    send: async (statements) => {
      const results = await Promise.allSettled(statements.map(send));
      return results.map((result) => {
        if (result.status === "rejected") throw result.reason;
        return result.value;
      });
    },
    query,
    // the driver sends what it is asked for without waiting for answers
    queryAll: (queries) => inOrder(queries, query),
    isLost: () => isGone,
    release: () => {
      if (isGivenBack) return;
      isGivenBack = true;
      giveBack();
    },
    // postgres.js cannot end one connection: this one stays out of the pool until it has answered and rolled back
    destroy: () => {
      if (isGivenBack) return;
      isGivenBack = true;
      const ended = answered.then(() => sent("rollback", [], false));
      ended.catch(() => undefined).finally(giveBack);
    },
  };
}

/** A `sql` that renames columns renames ours too. */
function inLowerCase(row: OwnRow): OwnRow {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column.toLowerCase(), value]));
}
