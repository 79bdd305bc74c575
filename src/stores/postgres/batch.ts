import { defaults } from "../../base/defaults.ts";
import type { Atomic, Batching, Finished, Piece } from "../../contract/ledger.ts";
import { type Claimed, claimWork } from "./database.ts";
import { finishing, finishingEach, openingEach } from "./database-steps.ts";
import { numberOf } from "./rows.ts";
import { boundIdle, type Transactor } from "./transaction.ts";

/** Several pieces of work in one commit. `undefined`: the transactions are a mapper's. */
export function postgresBatch<Tx>({ runAll }: Transactor<Tx>): Batching<Tx> | undefined {
  if (runAll === undefined) return undefined;
  return {
    transaction: (runs) =>
      runAll("batch", [boundIdle], async (_session, inTurn) => {
        const values = await inTurn(runs);
        return { is: "commit", steps: [], value: () => values };
      }),
    atomic: (pieces) => atomicAll(runAll, pieces),
  };
}

/** A piece that this transaction holds, and what became of it. */
interface Held<Tx, T> {
  readonly piece: Piece<Tx, T>;
  readonly adopted: boolean;
  readonly finished: Finished<T>;
}

/** Claims, works and outcomes in one transaction: three round trips where each run comes to one statement. */
function atomicAll<Tx, T>(
  runAll: NonNullable<Transactor<Tx>["runAll"]>,
  pieces: readonly Piece<Tx, T>[],
): Promise<readonly Atomic<T>[]> {
  const requests = pieces.map(({ request }) => request);
  return runAll("batch", openingEach(requests, defaults.postgres.idleMs), async (session, inTurn, [opened]) => {
    const claims = new Map<Piece<Tx, T>, Claimed>();
    for (const [place, piece] of pieces.entries()) {
      const rows = opened?.rows.slice(place, place + 1) ?? [];
      claims.set(piece, await claimWork(session, piece.request, [{ rows, count: rows.length, command: "" }]));
    }
    const mine = pieces.filter((piece) => claims.get(piece)?.is === "mine");
    for (const { request } of mine) {
      session.running.add(request.name);
      if (request.key !== null) session.running.add(request.key);
    }
    const values = await inTurn(mine.map(({ run }) => run));
    const held = mine.map((piece, place): Held<Tx, T> => {
      const claimed = claims.get(piece);
      return { piece, adopted: claimed?.is === "mine" && claimed.adopted, finished: piece.finish(values[place]) };
    });
    const fresh = held.filter(({ adopted }) => !adopted);
    const adopted = held.filter(({ adopted }) => adopted);
    const steps = [
      finishingEach(fresh.map(({ piece, finished }) => [piece.request, finished])),
      ...adopted.map(({ piece, finished }) => finishing(piece.request, finished, true)),
    ];
    return {
      is: "commit",
      steps,
      value: (answers) => {
        const instants = answers.flatMap(({ rows }) => rows);
        const ran = new Map<Piece<Tx, T>, Atomic<T>>();
        for (const [place, { piece, finished }] of [...fresh, ...adopted].entries()) {
          ran.set(piece, { is: "ran", value: finished.value, at: numberOf(instants[place]?.["answer"]) });
        }
        return pieces.map((piece) => {
          const claimed = claims.get(piece);
          const told = claimed?.is === "told" ? claimed.claim : ran.get(piece);
          if (told === undefined) throw new Error("a piece of work was neither run nor told");
          return told;
        });
      },
    };
  });
}
