import type { Batching, Ledger } from "../contract/ledger.ts";

/** As the ledger does it, or one after the other in one transaction. */
export function batchingOf<Tx>(ledger: Ledger<Tx>): Batching<Tx> {
  return (
    ledger.batch ?? {
      transaction: (runs) => ledger.transaction((tx) => inTurn(runs, (run) => run(tx))),
      atomic: (pieces) =>
        ledger.transaction((tx) =>
          inTurn(pieces, ({ request, run, finish }) => ledger.join(tx, request, async (own) => finish(await run(own)))),
        ),
    }
  );
}

async function inTurn<T, R>(all: readonly T[], perform: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const one of all) results.push(await perform(one));
  return results;
}
