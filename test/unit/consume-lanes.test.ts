import { describe, expect, test } from "vitest";
import { LostNames } from "../../src/consume/lost-names.ts";
import type { Source } from "../../src/contract/source.ts";
import { gate } from "../support/bookings.ts";
import { type Seat, seat, stand } from "./consume-stand.ts";

const inOrderBy = ({ seat }: { readonly seat: number }) => seat;

describe("a message of a lane that loses its lock", () => {
  test("while it waits to be tried again is not overtaken by those behind it", async () => {
    const { broker, runs, instance, running, clock } = stand({ inOrderBy, lockMs: 3_000, retryIn: ["1m"] });
    const { reprise } = instance("a");
    running(async ({ reference }) => {
      if (reference === "A1" && runs.length === 1) throw new Error("no");
    });
    await reprise.start();
    for (const reference of ["A1", "A2", "A3"]) broker.send(seat(reference));
    await clock.advance(100);
    expect(runs).toEqual(["A1"]);
    broker.takeBack(seat("A1"));
    // the next renewal tells
    for (let turn = 0; turn < 100; turn += 1) await clock.advance(100);
    expect(runs).toEqual(["A1", "A1", "A2", "A3"]);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("while it is at work is not overtaken where that fails, and the broker hands it out behind them", async () => {
    const { broker, runs, instance, running, clock } = stand({ inOrderBy, lockMs: 3_000, redelivers: "last" });
    const { reprise } = instance("a");
    const working = gate<unknown>();
    running(async ({ reference }) => {
      if (reference !== "A1" || runs.filter((one) => one === "A1").length > 1) return;
      await working.passed;
      throw new Error("no");
    });
    await reprise.start();
    for (const reference of ["A1", "A2", "A3"]) broker.send(seat(reference));
    broker.send(seat("B1", 2));
    await clock.advance(100);
    broker.takeBack(seat("A1"));
    for (let turn = 0; turn < 60; turn += 1) await clock.advance(100);
    expect(runs).toEqual(["A1", "B1"]);
    working.open(1);
    for (let turn = 0; turn < 100; turn += 1) await clock.advance(100);
    expect(runs).toEqual(["A1", "B1", "A1", "A2", "A3"]);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("after it was done lets those behind it go on", async () => {
    const { broker, runs, instance, clock } = stand({ inOrderBy, lockMs: 3_000 });
    const { reprise, consumer } = instance("a");
    broker.beforeSettling(async () => {
      if (consumer.counts().ran === 0) broker.takeBack(seat("A1"));
      return undefined;
    });
    await reprise.start();
    for (const reference of ["A1", "A2"]) broker.send(seat(reference));
    await clock.advance(100);
    expect(runs).toEqual(["A1", "A2"]);
    for (let turn = 0; turn < 50; turn += 1) await clock.advance(100);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("and that no copy could be known by is set aside, and its process goes on", async () => {
    const { broker, runs, instance, running, clock } = stand({ inOrderBy, lockMs: 3_000 });
    const { reprise } = instance("a");
    const working = gate<unknown>();
    running(({ reference }) => (reference === "A1" ? working.passed : Promise.resolve(1)));
    await reprise.start();
    broker.send(seat("A1"));
    const odd = '{"reference":"A2","seat":1,"__proto__":{}}';
    broker.send(odd);
    broker.send(seat("A3"));
    await clock.advance(100);
    broker.takeBack(JSON.parse(odd));
    for (let turn = 0; turn < 60; turn += 1) await clock.advance(100);
    working.open(1);
    for (let turn = 0; turn < 60; turn += 1) await clock.advance(100);
    expect(runs).toEqual(["A1", "A3"]);
    expect(broker.deadLetters.map(({ body, reason }) => [body, reason])).toEqual([[odd, "invalid"]]);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("stays known as lost until the last of its copies has ended", () => {
    const lost = new LostNames();
    lost.begin("a");
    lost.begin("a");
    lost.end("a");
    expect(lost.has("a")).toBe(true);
    lost.end("a");
    expect(lost.has("a")).toBe(false);
  });
});

/** A broker that keeps an order for each seat. */
function grouped(source: Source): Source {
  return {
    ...source,
    open: async (most) => {
      const receiver = await source.open(most);
      return {
        ...receiver,
        pull: async (count, signal) => {
          const deliveries = await receiver.pull(count, signal);
          return deliveries.map((delivery) => ({ ...delivery, group: String((delivery.read() as Seat).seat) }));
        },
      };
    },
  };
}

describe("messages of a group that the broker knows", () => {
  test("run one after the other without 'inOrderBy', and those of another beside them", async () => {
    const { broker, runs, instance, running, clock } = stand({ through: grouped });
    const { reprise } = instance("a");
    const working = gate<unknown>();
    running(async ({ reference }) => reference === "A1" && working.passed);
    await reprise.start();
    for (const [reference, number] of [
      ["A1", 1],
      ["A2", 1],
      ["B1", 2],
    ] as const) {
      broker.send(seat(reference, number));
    }
    await clock.advance(100);
    expect(runs).toEqual(["A1", "B1"]);
    working.open(1);
    await clock.advance(100);
    expect(runs).toEqual(["A1", "B1", "A2"]);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("are not overtaken by what comes after a pause that began while one was at work", async () => {
    const { broker, runs, instance, running, clock } = stand({ through: grouped });
    const { reprise, consumer } = instance("a");
    const working = gate<unknown>();
    running(async ({ reference }) => reference === "A1" && working.passed);
    await reprise.start();
    for (const reference of ["A1", "A2"]) broker.send(seat(reference));
    await clock.advance(100);
    consumer.pause();
    await clock.advance(100);
    consumer.resume();
    broker.send(seat("A3"));
    await clock.advance(100);
    working.open(1);
    for (let turn = 0; turn < 100; turn += 1) await clock.advance(100);
    expect(runs).toEqual(["A1", "A2", "A3"]);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });
});
