import { describe, expect, test } from "vitest";
import type { ConsumeOptions } from "../../src/consume/declaration.ts";
import { references, stand as standOf } from "./consume-database-stand.ts";
import { type Seat, seat } from "./consume-stand.ts";

/** One instance, whose ledger gains by shared transactions, and nothing said of batches. */
function stand(options: ConsumeOptions<Seat> = {}, { shares = true } = {}) {
  const { instance, ...given } = standOf(options, { shares });
  return { ...given, ...instance() };
}

describe("messages of which nobody said that they go together", () => {
  test("do so where they are ready at the same moment, and none of them waits", async () => {
    const { broker, faulty, reprise, consumer, clock, booked } = stand();
    for (const reference of references(40)) broker.send(seat(reference));
    await reprise.start();
    await clock.advance(0);
    expect(booked()).toEqual(references(40).sort());
    expect(faulty.calls("transaction")).toBe(3);
    expect(faulty.calls("atomic")).toBe(0);
    expect(consumer.counts()).toMatchObject({ received: 40, ran: 40 });
    await reprise.close();
  });

  test("go at once by themselves where nothing else is ready", async () => {
    const { broker, faulty, reprise, clock, booked } = stand();
    await reprise.start();
    for (const reference of ["A", "B"]) {
      broker.send(seat(reference));
      await clock.advance(0);
    }
    expect(booked()).toEqual(["A", "B"]);
    expect(faulty.calls("transaction")).toBe(0);
    expect(faulty.calls("atomic")).toBe(2);
    await reprise.close();
  });

  test.each([
    ["where that is turned off", { batch: "off" }, {}],
    ["where too few are taken at once", { atOnce: 3 }, {}],
    ["on a ledger that gains nothing by it", {}, { shares: false }],
  ] as const)("have a transaction each %s", async (_, options, ledger) => {
    const { broker, faulty, reprise, clock, booked } = stand(options, ledger);
    for (const reference of references(8)) broker.send(seat(reference));
    await reprise.start();
    await clock.advance(0);
    expect(booked()).toEqual(references(8));
    expect(faulty.calls("transaction")).toBe(0);
    expect(faulty.calls("atomic")).toBe(8);
    await reprise.close();
  });

  test("lose nothing by one that is poisoned: it alone is tried again, and set aside after its own attempts", async () => {
    const { broker, runs, reprise, consumer, clock, running, booked } = stand({ attempts: 2, retryIn: ["1s"] });
    running(async ({ reference }) => {
      if (reference === "R1") throw new Error("poisoned");
    });
    for (const reference of references(4)) broker.send(seat(reference));
    await reprise.start();
    await clock.advance(10);
    expect(booked()).toEqual(["R0", "R2", "R3"]);
    await clock.advance(1_000);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["failed"]);
    expect(consumer.counts()).toMatchObject({ ran: 3, failed: 2 });
    // together once, and twice by itself
    expect(runs.filter((one) => one === "R1")).toHaveLength(3);
    await reprise.close();
  });

  test("cost hardly more than singly where every third is refused", async () => {
    const refusing = async (options: ConsumeOptions<Seat>) => {
      const { broker, reprise, consumer, clock, transactions, runs } = stand(options);
      for (const [place, reference] of references(600).entries())
        broker.send(seat(reference, place % 3 === 0 ? -1 : 1));
      await reprise.start();
      for (let turn = 0; turn < 300 && broker.left() > 0; turn += 1) await clock.advance(1);
      expect(broker.left()).toBe(0);
      expect(consumer.counts()).toMatchObject({ ran: 400, refused: 200 });
      await reprise.close();
      return { transactions: transactions(), runs: runs.length };
    };
    const singly = await refusing({ batch: "off" });
    const together = await refusing({});
    expect(together.transactions).toBeLessThan(singly.transactions * 1.02);
    expect(together.runs).toBeLessThan(singly.runs * 1.05);
  });

  test("go together again when what undid that is over", async () => {
    const { broker, faulty, reprise, clock, running } = stand();
    let isBad = true;
    running(async () => {
      if (isBad) {
        isBad = false;
        throw new Error("once");
      }
    });
    await reprise.start();
    for (const reference of references(400)) broker.send(seat(reference));
    for (let turn = 0; turn < 100 && broker.left() > 0; turn += 1) await clock.advance(1);
    expect(broker.left()).toBe(0);
    expect(faulty.calls("atomic")).toBeLessThan(150);
    await reprise.close();
  });

  test("do not wait long for those before them that are slow, and the next ones not at all", async () => {
    const { broker, reprise, transactions, clock, running, consumer } = stand();
    running(async () => {
      await new Promise<void>((resolve) => void clock.timer(10_000, resolve));
    });
    await reprise.start();
    for (const reference of ["a", "b", "c", "d"]) {
      broker.send(seat(reference));
      await clock.advance(0);
    }
    expect(transactions()).toBe(4);
    broker.send(seat("e"));
    await clock.advance(19);
    expect(transactions()).toBe(4);
    await clock.advance(1);
    expect(transactions()).toBe(5);
    broker.send(seat("f"));
    broker.send(seat("g"));
    await clock.advance(0);
    expect(transactions()).toBe(7);
    for (let turn = 0; turn < 20; turn += 1) await clock.advance(10_000);
    expect(consumer.counts()).toMatchObject({ ran: 7 });
    await reprise.close();
  });

  test("keep their order within a key", async () => {
    const { broker, reprise, clock, running } = stand({ inOrderBy: ({ seat }) => seat });
    const order: string[] = [];
    running(async ({ reference }) => void order.push(reference));
    for (const name of ["a", "b", "c"]) for (const key of [1, 2]) broker.send(seat(`${key} ${name}`, key));
    await reprise.start();
    for (let turn = 0; turn < 10; turn += 1) await clock.advance(1);
    for (const key of ["1", "2"]) {
      expect(order.filter((one) => one.startsWith(key))).toEqual([`${key} a`, `${key} b`, `${key} c`]);
    }
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("are not counted as attempts while the ledger is away, and run when it is back", async () => {
    const { broker, faulty, reprise, consumer, clock, booked } = stand({ attempts: 1 });
    faulty.fail("transaction", { call: 1 });
    for (const reference of references(4)) broker.send(seat(reference));
    await reprise.start();
    await clock.advance(5_000);
    expect(booked()).toEqual(references(4));
    expect(consumer.counts()).toMatchObject({ ran: 4, failed: 0 });
    await reprise.close();
  });
});
