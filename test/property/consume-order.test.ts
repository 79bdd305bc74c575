import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Delivery, Receiver, Source } from "../../src/contract/source.ts";
import { type Seat, seat, stand } from "../unit/consume-stand.ts";

const messages = 18;
const lanes = 3;

const step = fc.oneof(
  // no renewal is answered, until they are again
  fc.record({ does: fc.constantFrom("cut" as const, "mend" as const) }),
  fc.record({ does: fc.constant("advance" as const), ms: fc.constantFrom(1, 100, 900, 3_000) }),
);

describe("messages of a lane", () => {
  test("succeed in their order, however locks are lost and runs fail, where the broker keeps what comes back before what is new, in whatever order", async () => {
    const course = fc.record({
      steps: fc.array(step, { maxLength: 25 }),
      failing: fc.array(fc.nat(messages - 1), { maxLength: 8 }),
      how: fc.constantFrom(
        { redelivers: "in-place" as const, pushes: false },
        { redelivers: "in-place" as const, pushes: true },
        { redelivers: "last" as const, pushes: false },
        { redelivers: "last" as const, pushes: true },
        // of what it had pushed and nobody had pulled, nobody would know where it was
        { redelivers: "first" as const, pushes: false },
      ),
      runMs: fc.constantFrom(0, 50, 1_500, 4_000),
    });
    await fc.assert(
      fc.asyncProperty(course, async ({ steps, failing, runMs, how }) => {
        const inOrderBy = ({ seat }: Seat) => seat;
        let isCut = false;
        const through = (source: Source): Source => ({
          ...source,
          open: async (most) => {
            const receiver = await source.open(most);
            const renewing = ({ renew, ...delivery }: Delivery): Delivery => ({
              ...delivery,
              // as where each answer is on its way for so long: the broker counts from later
              lockMs: delivery.lockMs === null ? null : delivery.lockMs - 10,
              renew: () => (isCut || renew === undefined ? Promise.reject(new Error("cut")) : renew()),
            });
            const pull: Receiver["pull"] = async (...asked) => (await receiver.pull(...asked)).map(renewing);
            return { ...receiver, pull };
          },
        });
        const { broker, instance, running, clock } = stand({
          through,
          ...{ inOrderBy, lockMs: 3_000, atOnce: 4, attempts: 4, retryIn: ["1s", "5s"] },
          ...how,
        });
        const { reprise } = instance("a");
        const left = failing.map(String);
        const ended: string[] = [];
        running(async (input) => {
          if (runMs > 0) await new Promise<void>((resolve) => clock.timer(runMs, resolve));
          const at = left.indexOf(input.reference);
          if (at >= 0) {
            left.splice(at, 1);
            throw new Error("no");
          }
          ended.push(input.reference);
        });
        await reprise.start();
        const all = Array.from({ length: messages }, (_, index) => seat(String(index), index % lanes));
        for (const one of all) broker.send(one);
        for (const one of steps) {
          if (one.does === "advance") await clock.advance(one.ms);
          else isCut = one.does === "cut";
        }
        isCut = false;
        for (let turn = 0; turn < 1_000 && broker.left() > 0; turn += 1) await clock.advance(250);
        expect(broker.left()).toBe(0);
        for (let lane = 0; lane < lanes; lane += 1) {
          const order = ended.map(Number).filter((one) => one % lanes === lane);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
        await reprise.close();
      }),
      {
        numRuns: 60,
        examples: [
          [
            // the lock of a later message ends while an earlier one is at work, fails, and is given back behind it
            {
              steps: [
                { does: "advance", ms: 900 },
                { does: "advance", ms: 100 },
                { does: "cut" },
                { does: "advance", ms: 3_000 },
              ],
              failing: [3, 3],
              how: { redelivers: "last", pushes: false },
              runMs: 50,
            },
          ],
        ],
      },
    );
  });
});
