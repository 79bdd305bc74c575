import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Seat, stand } from "../unit/consume-stand.ts";

type Kind = "runs" | "fails once" | "fails" | "is refused" | "is no json" | "is a copy" | "differs";

const step = fc.oneof(
  fc.record({
    does: fc.constant("send" as const),
    kind: fc.constantFrom<Kind>("runs", "fails once", "fails", "is refused", "is no json", "is a copy", "differs"),
    lane: fc.nat(2),
  }),
  fc.record({ does: fc.constantFrom("pause" as const, "resume" as const, "crash" as const, "refuse" as const) }),
  fc.record({ does: fc.constant("advance" as const), ms: fc.constantFrom(1, 100, 1_000, 20_000) }),
);

describe("what a consumer counts", () => {
  test("adds up: what it received has ended in one way each, or is under way", async () => {
    const course = fc.record({
      steps: fc.array(step, { minLength: 1, maxLength: 30 }),
      isOrdered: fc.boolean(),
      delays: fc.boolean(),
      pushes: fc.boolean(),
      lockMs: fc.constantFrom(null, 3_000),
    });
    await fc.assert(
      fc.asyncProperty(course, async ({ steps, isOrdered, ...how }) => {
        const ordered = isOrdered && { inOrderBy: ({ seat }: Seat) => Math.abs(seat) };
        const { broker, instance, running, clock } = stand({ atOnce: 3, attempts: 2, ...how, ...ordered });
        const { reprise, consumer } = instance("a");
        const failed = new Set<string>();
        running(async ({ reference }) => {
          await new Promise<void>((resolve) => clock.timer(50, resolve));
          if (reference.startsWith("fails") && !failed.has(reference)) {
            if (reference.startsWith("fails once")) failed.add(reference);
            throw new Error("no");
          }
        });
        let refuses = false;
        broker.beforeSettling(async ({ is }) => (refuses && is === "dead-letter" ? "refused" : undefined));
        const check = () => {
          const { received, underWay, setAside, failed: _, waited: __, ...ends } = consumer.counts();
          const all = [underWay, ...Object.values(ends), ...Object.values(setAside)];
          expect(all.reduce((sum, count) => sum + count, 0)).toBe(received);
          expect(underWay).toBeGreaterThanOrEqual(0);
          return underWay;
        };
        await reprise.start();
        for (const [index, one] of steps.entries()) {
          if (one.does === "pause") consumer.pause();
          else if (one.does === "resume") consumer.resume();
          else if (one.does === "crash") broker.crash();
          else if (one.does === "advance") await clock.advance(one.ms);
          else if (one.does !== "send") refuses = !refuses;
          else if (one.kind === "is no json") broker.send("no json");
          else {
            const reference = one.kind === "is a copy" || one.kind === "differs" ? "runs" : `${one.kind} ${index}`;
            const seat = one.kind === "differs" ? 7 : one.lane;
            broker.send({ reference, seat: one.kind === "is refused" ? -1 : seat });
          }
          check();
        }
        refuses = false;
        consumer.resume();
        for (let second = 0; second < 120 && broker.left() > 0; second += 1) await clock.advance(1_000);
        await clock.advance(1_000);
        expect(broker.left()).toBe(0);
        expect(check()).toBe(0);
        await reprise.close();
      }),
      { numRuns: 60 },
    );
  });
});
