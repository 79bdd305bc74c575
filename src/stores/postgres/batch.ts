import { defaults } from "../../base/defaults.ts";
import type { Atomic, Batching, Finished, Piece, WorkRequest } from "../../contract/ledger.ts";
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

/** Claims, works and outcomes in one transaction: three round trips where each run comes to one statement. */
function atomicAll<Tx, T>(
  runAll: NonNullable<Transactor<Tx>["runAll"]>,
  pieces: readonly Piece<Tx, T>[],
): Promise<readonly Atomic<T>[]> {
  const opening = openingEach(
    pieces.map(({ request }) => request),
    defaults.postgres.idleMs,
  );
  return runAll("batch", opening, async (session, inTurn, [opened]) => {
    const claims: Claimed[] = [];
    for (const [place, { request }] of pieces.entries()) {
      const row = opened?.rows[place];
      claims.push(await claimWork(session, request, [{ rows: row === undefined ? [] : [row], count: 1, command: "" }]));
    }
    const mine = pieces.filter((_, place) => claims[place]?.is === "mine");
    const names = mine.flatMap(({ request: { name, key } }) => (key === null ? [name] : [name, key]));
    for (const name of names) session.running.add(name);
    const values = await inTurn(mine.map(({ run }) => run));
    const ends = new Map<Piece<Tx, T>, Finished<T>>(mine.map((piece, place) => [piece, piece.finish(values[place])]));
    const fresh: (readonly [WorkRequest, Finished<T>])[] = [];
    const adopted: (readonly [WorkRequest, Finished<T>])[] = [];
    for (const [place, piece] of pieces.entries()) {
      const claimed = claims[place];
      const finished = ends.get(piece);
      if (claimed?.is !== "mine" || finished === undefined) continue;
      (claimed.adopted ? adopted : fresh).push([piece.request, finished]);
    }
    return {
      is: "commit",
      steps: [finishingEach(fresh), ...adopted.map(([request, finished]) => finishing(request, finished, true))],
      value: ([each, ...others]) => {
        const instants = [...(each?.rows ?? []), ...others.flatMap(({ rows }) => rows)];
        const at = new Map(
          [...fresh, ...adopted].map(([request], place) => [request, numberOf(instants[place]?.["answer"])]),
        );
        return pieces.map((piece, place) => {
          const claimed = claims[place];
          const finished = ends.get(piece);
          if (claimed?.is === "told") return claimed.claim;
          if (finished === undefined) throw new Error("a piece of work was neither run nor told");
          return { is: "ran", value: finished.value, at: at.get(piece.request) ?? Number.NaN };
        });
      },
    };
  });
}
