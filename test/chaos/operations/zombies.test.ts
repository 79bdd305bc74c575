import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Order } from "./declared.ts";
import { placeKinds } from "./places.ts";
import { openStand, type Stand } from "./stand.ts";
import type { Halt } from "./worker.ts";
import { buildWorkers, type Workers } from "./workers.ts";

/**
 * An owner's process is stopped (SIGSTOP) beyond its leases, which end by the store's own clock; another process takes all
 * of its work over and finishes it; then the owner goes on (SIGCONT). It stands right before a call of the ledger, or before
 * it sends, so that what this process itself would refuse is behind it, and the ledger alone can.
 */

interface Zombie {
  readonly order: Order;
  readonly halt: Halt;
  /** Calls of the other side when all is over. */
  readonly calls: number;
}
const zombie = (at: Halt["at"], calls: number, order: Partial<Order> = {}): Zombie => ({
  order: { id: `${at} ${order.ifUnknown ?? "retry"}`, ifUnknown: "retry", ...order },
  halt: { at, when: "before", does: "wait" },
  calls,
});

const external = [
  // the other attempt called again under the same key, and was told the same charge
  zombie("start", 1),
  zombie("send", 1),
  zombie("pin", 2),
  zombie("complete", 1),
  zombie("release", 1),
];
const transactional = [zombie("transact", 1)];
/** Its lease is not renewed while it stands, and so may end before the process is stopped, unless that follows at once. */
const unrenewed = zombie("renew", 2);
/** Its answer is lost to everybody else: the other process sets the work aside. */
const evidence = zombie("pin", 1, { ifUnknown: "park" });

let workers: Workers;
beforeAll(async () => {
  workers = await buildWorkers();
});
afterAll(() => workers.remove());

describe.each(placeKinds.map((kind) => [kind.name, kind] as const))(
  "an owner stopped beyond its lease on %s",
  (_, kind) => {
    let stand: Stand;
    beforeAll(async () => {
      if (kind.missing === undefined) stand = await openStand(kind, workers);
    });
    beforeEach((context) => {
      if (kind.missing !== undefined) context.skip(kind.missing);
    });
    afterAll(() => stand?.close());

    test("wakes up after another finished: nothing that it does takes effect but the answer that only it has", async () => {
      const { gateway, place, untilKnown } = stand;
      const { ledger } = place.store;
      const renewed = [...external, ...(kind.transactional ? transactional : [])];
      const zombies = [...renewed, unrenewed];
      const [owner, other] = await Promise.all([stand.start("3s"), stand.start()]);

      // the lease of this one is renewed for as long as it waits for the other side
      const renewing = gateway.hold("renew retry");
      const begin = ({ order, halt }: Zombie) => ({ order, execution: owner.execute({ order }, halt) });
      const halted = (begun: readonly ReturnType<typeof begin>[]) =>
        Promise.all(begun.map(({ execution }) => execution.halted));
      const [parking, others] = [begin(evidence), renewed.map(begin)];
      await halted([...others, parking]);
      const last = begin(unrenewed);
      await halted([last]);
      owner.stop();
      const executions = [...others, last, parking];
      renewing.release();

      const finish = (order: Order) => untilKnown(() => other.execute({ order }).told);
      const finished = await Promise.all(zombies.map(({ order }) => finish(order)));
      for (const told of finished) expect(told).toMatchObject({ status: "done", replayed: false });
      expect(await finish(evidence.order)).toEqual({ status: "unknown" });
      const historyOf = async (id: string) => {
        const [record, ...more] = await stand.records(id);
        if (record === undefined || more.length > 0) throw new Error(`${more.length} further records of ${id}`);
        const history = await ledger.history(record.id);
        // counted down from now
        return { ...history, effects: history?.effects.map(({ settlesInMs: _settles, ...effect }) => effect) };
      };
      const histories = () => Promise.all(zombies.map(({ order }) => historyOf(order.id)));
      const before = await histories();
      for (const history of before) {
        expect(history.run).toMatchObject({ state: "done", token: 2 });
        expect(history.attempts?.map(({ what }) => what)).toEqual(["taken-over"]);
      }

      owner.signal("SIGCONT");
      // what each was at is aborted before it is let go on
      await Promise.all(executions.map(({ execution }) => execution.aborted));
      for (const { execution } of executions) execution.go();
      const told = await Promise.all(executions.map(({ execution }) => execution.told));
      // an outdated attempt fails, or tells what the other one ended with
      for (const [at, one] of told.entries()) {
        if (one.status === "done") expect(one).toEqual({ ...finished[at], replayed: true });
        else expect(one).toMatchObject({ status: "rejected" });
      }
      expect(await histories()).toEqual(before);
      for (const { order, calls } of zombies) expect([order.id, gateway.calls(order.id)]).toEqual([order.id, calls]);

      // the late pin counts: parked work is open again, and goes on from what the zombie was told
      expect((await historyOf(evidence.order.id)).effects).toMatchObject([{ effect: "charge", state: "pinned" }]);
      expect(await finish(evidence.order)).toMatchObject({ status: "done", replayed: false });
      expect(gateway.calls(evidence.order.id)).toBe(1);
      for (const { order } of [...zombies, evidence]) expect(gateway.charges(order.id)).toBe(1);
      const ids = [...zombies, evidence].map(({ order }) => order.id);
      expect([...(await place.bookings())].sort()).toEqual(kind.transactional ? ids.sort() : []);
    });
  },
);
