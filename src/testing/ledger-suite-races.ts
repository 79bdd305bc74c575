import assert from "node:assert/strict";
import type { Claim, Ledger } from "../contract/ledger.ts";
import type { LedgerStage } from "./ledger-adapter.ts";
import { completed, done, type LedgerScenario, pastKeepMs, pastLeaseMs, pick, tally, work } from "./ledger-kit.ts";
import { atomicUntilKnown } from "./ledger-suite-transactions.ts";

/** Concurrent attempts that count winners; `several`: over two instances of one store. */
function races(several: boolean): readonly LedgerScenario[] {
  const needs = several ? (["severalInstances"] as const) : ([] as const);
  const where = several ? "two instances" : "one instance";
  const all = (works: number, { fewRaces }: Pick<LedgerStage<unknown>, "fewRaces">) =>
    fewRaces === true ? Math.ceil(works / 20) : works;
  const instances = async <Tx>(stage: LedgerStage<Tx>): Promise<readonly Ledger<Tx>[]> =>
    several ? [stage.ledger, await stage.another()] : [stage.ledger];

  return [
    {
      name: `ten attempts on one identity have one winner (${where})`,
      needs,
      run: async (stage) => {
        const ledgers = await instances(stage);
        const claims = await Promise.all(Array.from({ length: 10 }, (_, i) => pick(ledgers, i).claim(work("a"))));
        assert.deepEqual(tally(claims), { won: 1, running: 9 });
      },
    },
    {
      name: `300 identities under mixed keys, four attempts each, have 300 winners (${where})`,
      needs,
      run: async (stage) => {
        const ledgers = await instances(stage);
        const works = all(300, stage);
        const requests = shuffled(
          range(works * 4).map((i) => {
            const [identity, attempt] = [i % works, Math.floor(i / works)];
            return work(`i${identity}`, identity % 3 === 0 ? {} : { key: `k${identity}-${attempt % 2}` });
          }),
        );
        const claims = await Promise.all(requests.map((request, i) => pick(ledgers, i).claim(request)));
        assert.deepEqual(tally(claims), { won: works, running: works * 3 });
        const winners = claims.filter((claim) => claim.is === "won");
        assert.equal(new Set(winners.map((claim) => claim.fence.name)).size, works);
        await Promise.all(winners.map((claim, i) => completed(pick(ledgers, i), claim.fence)));
        const told = await Promise.all(requests.map((request, i) => pick(ledgers, i + 1).claim(request)));
        assert.deepEqual(tally(told), { done: works * 4 });
      },
    },
    {
      name: `a key sent with two payloads for two identities belongs to one of them (${where})`,
      needs,
      run: async (stage) => {
        const ledgers = await instances(stage);
        const keys = all(100, stage);
        const requests = shuffled(
          range(keys * 4).map((i) => {
            const [key, side] = [i % keys, Math.floor(i / keys) % 2];
            return { key, request: work(`y${key}-${side}`, { key: `k${key}`, payload: `payload ${side}` }) };
          }),
        );
        const claims = await Promise.all(
          requests.map(async ({ key, request }, i) => ({ key, claim: await pick(ledgers, i).claim(request) })),
        );
        for (const wanted of range(keys)) {
          const answers = claims.filter(({ key }) => key === wanted).map(({ claim }) => claim);
          assert.deepEqual(tally(answers), { won: 1, running: 1, mismatch: 2 }, `key ${wanted}`);
        }
      },
    },
    {
      name: `abandoned work is taken over once each (${where})`,
      needs,
      run: async (stage) => {
        const ledgers = await instances(stage);
        const works = all(100, stage);
        for (const i of range(works)) await stage.ledger.claim(work(`a${i}`));
        await stage.passTime(pastLeaseMs);
        const claims = await raceOn(ledgers, works);
        assert.deepEqual(tally(claims), { won: works, running: works * 3 });
        assert.deepEqual(new Set(claims.map((claim) => (claim.is === "won" ? claim.token : 2))), new Set([2]));
      },
    },
    {
      name: `work past its keep is claimed anew once each (${where})`,
      needs,
      run: async (stage) => {
        const ledgers = await instances(stage);
        const works = all(100, stage);
        for (const i of range(works)) await done(stage.ledger, `a${i}`, { key: `k${i}` });
        await stage.passTime(pastKeepMs);
        const claims = await raceOn(ledgers, works);
        assert.deepEqual(tally(claims), { won: works, running: works * 3 });
        assert.deepEqual(new Set(claims.map((claim) => (claim.is === "won" ? claim.token : 1))), new Set([1]));
      },
    },
    {
      name: `database work of which three in ten roll back is booked once each and told to all (${where})`,
      needs: [...needs, "transactions"],
      run: async (stage) => {
        const ledgers = await instances(stage);
        let runs = 0;
        const answers = await Promise.all(
          shuffled(range(400)).map(async (i) => {
            const [identity, attempt] = [i % 100, Math.floor(i / 100)];
            const request = work(`i${identity}`, identity % 3 === 0 ? {} : { key: `k${identity}-${attempt % 2}` });
            return atomicUntilKnown(pick(ledgers, i), request, async (tx) => {
              await stage.insertBooking(tx, `i${identity}`);
              runs += 1;
              if (runs % 10 < 3) throw new Error("rolled back");
              return { value: "", outcome: `outcome ${identity}`, refused: false };
            });
          }),
        );
        assert.deepEqual(tally(answers), { ran: 100, done: 300 });
        const bookings = await stage.bookings();
        assert.deepEqual([bookings.length, new Set(bookings).size], [100, 100]);
        assert.ok(runs > 100, "some rolled back");
      },
    },
  ];
}

export const raceScenarios: readonly LedgerScenario[] = [...races(false), ...races(true)];

/** Four attempts on each of `a0`, `a1`, … at once. */
function raceOn(ledgers: readonly Ledger<unknown>[], works: number): Promise<readonly Claim[]> {
  const attempts = shuffled(range(works * 4));
  return Promise.all(attempts.map((i) => pick(ledgers, Math.floor(i / works)).claim(work(`a${i % works}`))));
}

function range(length: number): readonly number[] {
  return Array.from({ length }, (_, i) => i);
}

/** The same order in every run. */
function shuffled<T>(items: readonly T[]): readonly T[] {
  const list = [...items];
  let seed = 1;
  for (let i = list.length - 1; i > 0; i--) {
    seed = (seed * 48_271) % 2_147_483_647;
    const j = seed % (i + 1);
    [list[i], list[j]] = [pick(list, j), pick(list, i)];
  }
  return list;
}
