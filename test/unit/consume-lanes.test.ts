import { describe, expect, test } from "vitest";
import { Abortable } from "../../src/base/abortable.ts";
import { Lanes } from "../../src/consume/lanes.ts";
import type { Source } from "../../src/contract/source.ts";
import { manualClock } from "../../src/testing/index.ts";
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
});

describe("the place of a message in its lane", () => {
  const lockMs = 1_000;
  /** What has begun, in that order, over one receiver after the other. */
  const lane = () => {
    const clock = manualClock();
    const lanes = new Lanes(clock);
    const begun: string[] = [];
    let receiver = new Abortable();
    const begin = () => {
      receiver = new Abortable();
      lanes.began(receiver);
    };
    begin();
    const enter = (mark: string | null, { isRepeated = false, name = mark ?? "?" } = {}) => {
      const place = lanes.enter({ lane: "A", mark, isRepeated, lockMs }, receiver);
      if (place.reached === null) begun.push(name);
      else void place.reached.then(() => begun.push(name));
      return {
        leave: async (how: "ended" | "given back") => {
          place.leave(how === "ended");
          await clock.advance(0);
        },
      };
    };
    const abort = async () => {
      receiver.abort(new Error("left"));
      await clock.advance(0);
    };
    return {
      clock,
      begun,
      enter,
      again: (mark: string) => enter(mark, { isRepeated: true, name: `${mark}'` }),
      begin,
      abort,
    };
  };

  test("is kept while it is to come again, whatever comes before it", async () => {
    const { clock, begun, enter, again, begin, abort } = lane();
    const [one, two] = [enter("1"), enter("2")];
    await abort();
    await one.leave("given back");
    await two.leave("given back");
    expect(begun).toEqual(["1", "2"]);
    begin();
    enter("3");
    const second = again("2");
    await clock.advance(lockMs - 1);
    expect(begun).toEqual(["1", "2"]);
    await again("1").leave("ended");
    expect(begun).toEqual(["1", "2", "1'", "2'"]);
    await second.leave("ended");
    expect(begun).toEqual(["1", "2", "1'", "2'", "3"]);
  });

  test("is waited for no longer than a lock lasts, from when a receiver is there for it", async () => {
    const { clock, begun, enter, begin, abort } = lane();
    const one = enter("1");
    await abort();
    await one.leave("given back");
    await clock.advance(10 * lockMs);
    begin();
    enter("2");
    await clock.advance(lockMs - 1);
    expect(begun).toEqual(["1"]);
    await clock.advance(1);
    expect(begun).toEqual(["1", "2"]);
  });

  test("is waited for as long where it ends late, over a receiver after which another has begun", async () => {
    const { clock, begun, enter, begin, abort } = lane();
    const one = enter("1");
    await abort();
    begin();
    enter("2");
    await clock.advance(10 * lockMs);
    await one.leave("given back");
    await clock.advance(lockMs - 1);
    expect(begun).toEqual(["1"]);
    await clock.advance(1);
    expect(begun).toEqual(["1", "2"]);
  });

  test("is waited for anew where its time was up while no receiver was there", async () => {
    const { clock, begun, enter, again, begin, abort } = lane();
    const one = enter("1");
    await abort();
    await one.leave("given back");
    begin();
    await abort();
    await clock.advance(10 * lockMs);
    begin();
    enter("2");
    await clock.advance(lockMs - 1);
    again("1");
    expect(begun).toEqual(["1", "1'"]);
  });

  test("is a copy's too that comes while it is at work, and the copy alone is waited for", async () => {
    const { begun, enter, again } = lane();
    const one = enter("1");
    enter("2");
    const copy = again("1");
    await one.leave("given back");
    expect(begun).toEqual(["1", "1'"]);
    await copy.leave("ended");
    expect(begun).toEqual(["1", "1'", "2"]);
  });

  test("is its own where another message holds the same", async () => {
    const { begun, enter, again, begin, abort } = lane();
    const sent = [enter("on"), enter("off"), enter("on")];
    await abort();
    for (const one of sent) await one.leave("given back");
    begun.splice(0);
    begin();
    const came = [again("on"), again("on"), again("off")];
    expect(begun).toEqual(["on'"]);
    await came[0]?.leave("ended");
    await came[2]?.leave("ended");
    expect(begun).toEqual(["on'", "off'", "on'"]);
  });

  test("is left for good by one that ends, and by one that nobody could know again", async () => {
    const { begun, enter } = lane();
    await enter("1").leave("ended");
    const unknown = enter(null);
    enter("2");
    await unknown.leave("given back");
    expect(begun).toEqual(["1", "?", "2"]);
  });

  test("is given up in the lane's order where nothing begins any more", async () => {
    const { begun, enter, abort } = lane();
    const [one, two] = [enter("1"), enter("2"), enter("3")];
    await abort();
    expect(begun).toEqual(["1"]);
    await one?.leave("given back");
    expect(begun).toEqual(["1", "2"]);
    await two?.leave("given back");
    expect(begun).toEqual(["1", "2", "3"]);
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
