import { RepriseError } from "../../base/errors.ts";
import { databaseErrorOf } from "../../contract/database-error.ts";
import type { QueryResult, Transactions } from "../../contract/transactions.ts";

export interface TransactionsOptions {
  /** What each transaction begins with. Left out: the database's default. */
  readonly isolation?: Isolation;
}

export type Isolation = "read committed" | "repeatable read" | "serializable";

/** What a mapper offers, before it keeps the contract. */
interface Mapper<Tx> {
  readonly transaction: (work: (tx: Tx) => Promise<void>) => Promise<void>;
  readonly query: (tx: Tx, text: string, params: unknown[]) => Promise<QueryResult>;
}

/** Keeps the contract over a mapper: which error comes out, and no query after the end. */
export function transactionsOver<Tx extends object>(name: string, mapper: Mapper<Tx>): Transactions<Tx> {
  /** What a query of a transaction that is over is told. An error is dear, and hardly any is asked for. */
  const over = new WeakMap<Tx, () => unknown>();
  const ended = () => endedError(name);

  const begin = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    const run: { lost: boolean; work: { readonly tx: Tx; readonly end: Promise<Settled<T>> } | null } = {
      lost: false,
      work: null,
    };
    try {
      await mapper.transaction(async (tx) => {
        const end = settle(() => work(tx));
        run.work = { tx, end };
        const settled = await end;
        // `postgres` would write a commit or a rollback to the socket that is gone, which ends the process
        if (run.lost) return new Promise<never>(() => undefined);
        over.set(tx, ended);
        if (settled.is === "rejected") throw settled.error;
      });
    } catch (error) {
      const failure = databaseErrorOf(error);
      if (run.work === null) throw failure;
      run.lost = true;
      if (!over.has(run.work.tx)) over.set(run.work.tx, () => failure);
      // `postgres` rejects as soon as it loses the connection: what the work does must not go on behind the caller's back
      const settled = await run.work.end;
      // where the rollback fails too, some mappers tell of that alone
      throw settled.is === "rejected" ? settled.error : failure;
    }
    if (run.work === null) throw new TypeError(`${name} ran no transaction`);
    const settled = await run.work.end;
    // Knex resolves after it rolled back for `undefined`
    if (settled.is === "rejected") throw settled.error;
    return settled.value;
  };

  return {
    begin,
    query: async (tx, text, params) => {
      // some mappers would send it on a connection that is back in the pool, outside of every transaction
      const told = over.get(tx);
      if (told !== undefined) throw told();
      try {
        return await mapper.query(tx, text, [...params]);
      } catch (error) {
        throw databaseErrorOf(error);
      }
    },
  };
}

type Settled<T> = { readonly is: "resolved"; readonly value: T } | { readonly is: "rejected"; readonly error: unknown };

async function settle<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { is: "resolved", value: await work() };
  } catch (error) {
    return { is: "rejected", error };
  }
}

function endedError(name: string): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `${name} transaction`,
    why: "it has ended.",
    mend: "Await every query before the work returns.",
  });
}
