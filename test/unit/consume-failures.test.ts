import { describe, expect, test } from "vitest";
import type { Source } from "../../src/contract/source.ts";
import { gate } from "../support/bookings.ts";
import { seat, stand } from "./consume-stand.ts";

/** Has each message handed out once, to somebody who gives it back untried. */
async function handOut(source: Source, count: number): Promise<void> {
  const receiver = await source.open(count);
  await receiver.pull(count, AbortSignal.timeout(1_000));
  await receiver.close();
}

describe("closing", () => {
  test("gives back also what came again and waits to run alone", async () => {
    const { broker, runs, instance, running, clock } = stand();
    for (const reference of ["A", "B", "C"]) broker.send(seat(reference));
    await handOut(broker.source, 3);
    const { reprise, consumer } = instance("a");
    const working = gate<unknown>();
    running(() => working.passed);
    await reprise.start();
    await clock.advance(1);
    const closing = consumer.close();
    working.open(1);
    await clock.advance(1);
    await closing;
    expect(runs).toEqual(["A"]);
    expect(broker.settlements).toEqual(["return", "return", "acknowledge"]);
    await reprise.close();
  });

  test("does not wait for a broker that is still opening, and closes what that opens later", async () => {
    const opening = gate<unknown>();
    let closed = 0;
    const { instance, clock } = stand({
      through: (source) => ({
        ...source,
        open: async (most) => {
          await opening.passed;
          const receiver = await source.open(most);
          return {
            ...receiver,
            close: () => {
              closed += 1;
              return receiver.close();
            },
          };
        },
      }),
    });
    const { reprise, consumer } = instance("a");
    await reprise.start();
    await clock.advance(1);
    let isClosed = false;
    const closing = consumer.close().then(() => {
      isClosed = true;
    });
    await clock.advance(1);
    expect(isClosed).toBe(true);
    opening.open(1);
    await closing;
    await clock.advance(1);
    expect(closed).toBe(1);
    await reprise.close();
  });

  test("ends also a consumer that is declared afterwards", async () => {
    const { broker, runs, instance, clock } = stand();
    const { reprise, book } = instance("a");
    await reprise.start();
    await reprise.close();
    const late = reprise.consume(book, { ...broker.source, name: "another" });
    broker.send(seat("A"));
    await clock.advance(1);
    await expect(late.ready).rejects.toMatchObject({ code: "REPRISE_CLOSED" });
    expect(runs).toEqual([]);
    expect(broker.left()).toBe(1);
  });
});

describe("a broker", () => {
  test("that is away at the start, before it tells its horizon, is asked again", async () => {
    let asked = 0;
    const { broker, runs, instance, clock } = stand({
      through: (source) => ({
        ...source,
        horizon: async () => {
          asked += 1;
          if (asked < 3) throw new Error("refused");
          return source.horizon();
        },
      }),
    });
    const { reprise, consumer } = instance("a");
    broker.send(seat("A"));
    await reprise.start();
    for (let second = 0; second < 5; second += 1) await clock.advance(1_000);
    await consumer.ready;
    expect(runs).toEqual(["A"]);
    await reprise.close();
  });

  test("that opens too late is opened anew, and what it opened is closed", async () => {
    let [opened, open] = [0, 0];
    const { broker, runs, instance, clock } = stand({
      through: (source) => ({
        ...source,
        open: async (most) => {
          opened += 1;
          if (opened === 1) await new Promise<void>((resolve) => clock.timer(30_000, resolve));
          const receiver = await source.open(most);
          open += 1;
          return {
            ...receiver,
            close: () => {
              open -= 1;
              return receiver.close();
            },
          };
        },
      }),
    });
    const { reprise } = instance("a");
    broker.send(seat("A"));
    await reprise.start();
    for (let second = 0; second < 40; second += 1) await clock.advance(1_000);
    expect(runs).toEqual(["A"]);
    expect([opened, open]).toEqual([2, 1]);
    await reprise.close();
  });

  test("that refuses a settlement, and keeps its messages for as long as the connection stands, delivers it again", async () => {
    const { broker, runs, instance, clock } = stand();
    let refuses = true;
    broker.beforeSettling(async () => {
      if (refuses) throw new Error("the queue for dead letters is full");
    });
    const { reprise } = instance("a");
    await reprise.start();
    broker.send("no json");
    await clock.advance(1);
    expect(broker.deadLetters).toEqual([]);
    refuses = false;
    for (let second = 0; second < 5; second += 1) await clock.advance(1_000);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["invalid"]);
    broker.send(seat("A"));
    await clock.advance(1_000);
    expect(runs).toEqual(["A"]);
    await reprise.close();
  });
});

describe("attempts", () => {
  test("of which one is allowed leave a message its own, where others had it and gave it back", async () => {
    const { broker, runs, instance, clock } = stand({ attempts: 1 });
    for (const reference of ["A", "B"]) broker.send(seat(reference));
    await handOut(broker.source, 2);
    const { reprise } = instance("a");
    await reprise.start();
    await clock.advance(1_000);
    expect(runs).toEqual(["A", "B"]);
    expect(broker.deadLetters).toEqual([]);
    await reprise.close();
  });

  test("begin anew with a message that was set aside and is sent again", async () => {
    const { broker, runs, instance, running, clock } = stand({ attempts: 2 });
    const { reprise } = instance("a");
    running(() => Promise.reject(new Error("no")));
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(1_000);
    expect(runs).toHaveLength(2);
    expect(broker.deadLetters).toHaveLength(1);
    await reprise.close();
    running(async () => 1);
    broker.send(seat("A"));
    await handOut(broker.source, 1);
    const { reprise: next } = instance("b");
    await next.start();
    await clock.advance(1);
    expect(runs).toHaveLength(3);
    expect(broker.deadLetters).toHaveLength(1);
    await next.close();
  });

  test("that cannot be counted are none, and are not asked for without a pause", async () => {
    let [reads, isBroken] = [0, true];
    const { broker, runs, instance, clock } = stand({
      registers: (registers) => ({
        ...registers,
        read: async (name) => {
          reads += 1;
          if (isBroken && reads < 100) throw new Error("permission denied");
          return registers.read(name);
        },
      }),
    });
    broker.send(seat("A"));
    await handOut(broker.source, 1);
    const { reprise, consumer } = instance("a");
    await reprise.start();
    for (let second = 0; second < 10; second += 1) await clock.advance(1_000);
    expect(reads).toBeLessThan(10);
    expect(consumer.counts()).toMatchObject({ failed: 0 });
    isBroken = false;
    for (let second = 0; second < 20; second += 1) await clock.advance(1_000);
    expect(runs).toEqual(["A"]);
    await reprise.close();
  });
});
