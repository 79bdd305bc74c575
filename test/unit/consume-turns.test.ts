import { describe, expect, test } from "vitest";
import { gate } from "../support/bookings.ts";
import { type Seat, seat, stand } from "./consume-stand.ts";

/** How many runs are at work, and were at most. */
function watched(run: (input: Seat) => Promise<unknown>) {
  let [now, most] = [0, 0];
  return {
    most: () => most,
    run: async (input: Seat) => {
      now += 1;
      most = Math.max(most, now);
      try {
        return await run(input);
      } finally {
        now -= 1;
      }
    },
  };
}

describe("no more than are allowed are at work", () => {
  test("also where those that failed begin again", async () => {
    const { broker, runs, instance, running, clock } = stand({ atOnce: 2 });
    const { reprise } = instance("a");
    const failed = new Set<string>();
    const { run, most } = watched(async ({ reference }) => {
      if (reference.startsWith("fails") && !failed.has(reference)) {
        failed.add(reference);
        throw new Error("no");
      }
      await new Promise<void>((resolve) => clock.timer(5_000, resolve));
    });
    running(run);
    await reprise.start();
    for (const reference of ["fails 1", "fails 2", "A", "B"]) broker.send(seat(reference));
    for (let turn = 0; turn < 300; turn += 1) await clock.advance(100);
    expect(most()).toBe(2);
    expect(runs).toHaveLength(6);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("also where the lanes of several keys go on, and each has its turn", async () => {
    const { broker, runs, instance, running, clock } = stand({ atOnce: 3, inOrderBy: ({ seat }) => seat });
    const { reprise } = instance("a");
    const { run, most } = watched(() => new Promise<void>((resolve) => clock.timer(100, resolve)));
    running(run);
    await reprise.start();
    for (let index = 0; index < 24; index += 1) broker.send(seat(`R-${index}`, index % 6));
    for (let turn = 0; turn < 100; turn += 1) await clock.advance(100);
    expect(most()).toBe(3);
    expect(runs).toHaveLength(24);
    await reprise.close();
  });

  test("and one that waits for its turn is given back when the instance closes", async () => {
    const { broker, runs, instance, running, clock } = stand({ atOnce: 1 });
    const { reprise, consumer } = instance("a");
    const working = gate<unknown>();
    running(({ reference }) => (reference === "A" ? Promise.reject(new Error("no")) : working.passed));
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(1);
    broker.send(seat("B"));
    await clock.advance(2_000);
    expect(runs).toEqual(["A", "B"]);
    const closing = consumer.close();
    await clock.advance(1);
    expect(broker.settlements).toEqual(["return"]);
    working.open(1);
    await clock.advance(1);
    await closing;
    expect(broker.settlements).toEqual(["return", "acknowledge"]);
    await reprise.close();
  });
});

describe("a consumer that is paused", () => {
  test("leaves to others within moments what it has not begun: what was pushed to it, and what waits to be tried again", async () => {
    const { broker, runs, instance, running, clock } = stand({ atOnce: 2, pushes: true, retryIn: ["1m"] });
    const [a, b] = [instance("a"), instance("b")];
    const working = gate<unknown>();
    running(({ reference }) => {
      if (reference === "fails") return runs.length < 3 ? Promise.reject(new Error("no")) : Promise.resolve();
      return reference === "slow" ? working.passed : Promise.resolve();
    });
    await a.reprise.start();
    await clock.advance(1);
    broker.send(seat("fails"));
    broker.send(seat("slow"));
    await clock.advance(1);
    expect(runs).toEqual(["fails", "slow"]);
    await b.reprise.start();
    b.consumer.pause();
    await clock.advance(1);
    a.consumer.pause();
    for (const reference of ["C", "D"]) broker.send(seat(reference));
    b.consumer.resume();
    await clock.advance(1_000);
    expect([...runs].sort()).toEqual(["C", "D", "fails", "fails", "slow"]);
    expect(broker.left()).toBe(1);
    // what it was at, it ends
    working.open(1);
    await clock.advance(1_000);
    expect(broker.left()).toBe(0);
    expect(a.consumer.counts()).toMatchObject({ received: 2, ran: 1, returned: 1, lost: 0 });
    await a.reprise.close();
    await b.reprise.close();
  });

  test("is handed what was pushed ahead to it only once it is resumed, also while it is at something still", async () => {
    const { broker, runs, instance, running, clock } = stand({ atOnce: 1, pushes: true });
    const { reprise, consumer } = instance("a");
    const working = gate<unknown>();
    running(({ reference }) => (reference === "A" ? working.passed : Promise.resolve()));
    await reprise.start();
    await clock.advance(1);
    broker.send(seat("A"));
    broker.send(seat("B"));
    await clock.advance(1);
    consumer.pause();
    await clock.advance(5_000);
    const other = await broker.source.open(1);
    const [given] = await other.pull(1, AbortSignal.timeout(1_000));
    expect(given?.read()).toEqual(seat("B"));
    await other.close();
    expect(runs).toEqual(["A"]);
    consumer.resume();
    await clock.advance(1);
    working.open(1);
    await clock.advance(20_000);
    expect(runs).toEqual(["A", "B"]);
    expect(broker.settlements.filter((is) => is === "acknowledge")).toHaveLength(2);
    await reprise.close();
  });

  test("keeps what waits in a lane until the one before it has ended: another would run it too soon", async () => {
    const { broker, runs, instance, running, clock } = stand({ inOrderBy: ({ seat }) => seat });
    const [a, b] = [instance("a"), instance("b")];
    const working = gate<unknown>();
    running(({ reference }) => (reference === "A" ? working.passed : Promise.resolve()));
    await a.reprise.start();
    for (const reference of ["A", "B"]) broker.send(seat(reference));
    await clock.advance(1);
    a.consumer.pause();
    await b.reprise.start();
    await clock.advance(5_000);
    expect(runs).toEqual(["A"]);
    working.open(1);
    await clock.advance(1);
    expect(runs).toEqual(["A", "B"]);
    await a.reprise.close();
    await b.reprise.close();
  });
});

describe("a consumer that is closed", () => {
  test("lets its source be consumed anew, and not before", async () => {
    const { broker, runs, instance, clock, source } = stand();
    const { reprise, consumer, book } = instance("a");
    await reprise.start();
    await clock.advance(1);
    expect(() => reprise.consume(book, source)).toThrow(/declared already/);
    const closing = consumer.close();
    expect(() => reprise.consume(book, source)).toThrow(/declared already/);
    await clock.advance(1);
    await closing;
    const anew = reprise.consume(book, source);
    broker.send(seat("A"));
    await clock.advance(1);
    await anew.ready;
    expect(runs).toEqual(["A"]);
    await reprise.close();
  });
});
