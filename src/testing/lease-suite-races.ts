import assert from "node:assert/strict";
import type { LeaseStore } from "../contract/lease.ts";
import type { LeaseScenario, LeaseStage } from "./lease-adapter.ts";
import { book, fencedOf, leaseMs, request, taken } from "./lease-kit.ts";
import { pick, tally } from "./ledger-kit.ts";

const contenders = Array.from({ length: 20 }, (_, index) => index);

/** Concurrent calls that count winners; `several`: over several instances of one store. */
function races(several: boolean): readonly LeaseScenario[] {
  const needs = several ? (["severalInstances"] as const) : ([] as const);
  const where = several ? "three instances" : "one instance";
  const instances = async <Tx>(stage: LeaseStage<Tx>): Promise<readonly LeaseStore<Tx>[]> =>
    several ? [stage.leases, await stage.another(), await stage.another()] : [stage.leases];
  const contend = <Tx>(stores: readonly LeaseStore<Tx>[], name: string) =>
    Promise.all(contenders.map((index) => pick(stores, index).acquire(request(name, `contender ${index}`))));

  return [
    {
      name: `of twenty contenders for a new lease one acquires it, and nineteen are told that it is held (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        for (const name of ["a", "b", "c"]) {
          assert.deepEqual(tally(await contend(stores, name)), { acquired: 1, held: 19 });
        }
      },
    },
    {
      name: `of twenty contenders for a released lease, or one that is over, one acquires it (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        let last = await taken(stage.leases);
        for (let round = 0; round < 6; round++) {
          if (round % 2 === 0) await stage.endLease("a");
          else assert.equal(await stage.leases.release(last), true);
          const requests = contenders.map((index) => request("a", `contender ${index}`));
          const answers = await Promise.all(requests.map((one, index) => pick(stores, index).acquire(one)));
          assert.deepEqual(tally(answers), { acquired: 1, held: 19 });
          const winner = answers.findIndex(({ is }) => is === "acquired");
          const answer = pick(answers, winner);
          assert.ok(answer.is === "acquired" && answer.token > last.token);
          last = { name: "a", attempt: pick(requests, winner).attempt, token: answer.token };
        }
      },
    },
    {
      name: `an owner that renews while others take over has it, or one of them has: never both (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        for (let round = 0; round < 10; round++) {
          const name = `round ${round}`;
          const grip = await taken(stage.leases, name);
          await stage.endLease(name);
          const [renewed, answers] = await Promise.all([stage.leases.renew(grip, leaseMs), contend(stores, name)]);
          const { acquired = 0 } = tally(answers);
          assert.equal(acquired + (renewed ? 1 : 0), 1, `renewed: ${renewed}, acquired: ${acquired}`);
        }
      },
    },
    {
      name: `twenty repetitions of one attempt are one acquisition (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        const asked = request("a");
        await Promise.all(contenders.map((index) => pick(stores, index).acquire(asked)));
        const answer = await stage.leases.acquire(asked);
        assert.equal(answer.is, "acquired");
        assert.equal((await stage.leases.look("a"))?.token, answer.is === "acquired" ? answer.token : 0);
      },
    },
    {
      name: `what was checked is there, what was fenced is not, whoever took over meanwhile (${where})`,
      needs: [...needs, "transactions"],
      run: async (stage) => {
        const stores = await instances(stage);
        const expected: string[] = [];
        for (let round = 0; round < 10; round++) {
          const name = `round ${round}`;
          const grip = await taken(stage.leases, name);
          await stage.endLease(name);
          const [committed] = await Promise.all([
            book(stage, grip, name),
            pick(stores, round).acquire(request(name, "second")),
          ]);
          if (committed) expected.push(name);
        }
        assert.deepEqual([...(await fencedOf(stage).bookings())].toSorted(), expected.toSorted());
      },
    },
  ];
}

export const raceScenarios: readonly LeaseScenario[] = [...races(false), ...races(true)];
