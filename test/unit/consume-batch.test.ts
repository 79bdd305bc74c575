import { describe, expect, test } from "vitest";
import type { ConsumeOptions } from "../../src/consume/declaration.ts";
import type { Receiver, Source } from "../../src/contract/source.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { queue } from "../support/queue.ts";
import { references, stand as standOf } from "./consume-database-stand.ts";
import { type Seat, seat } from "./consume-stand.ts";

const batch = { most: 4, within: "5ms" } as const;

const stand = (options: ConsumeOptions<Seat> = {}) => standOf({ batch, ...options });

describe("messages in batches", () => {
  test("share a transaction, and are acknowledged each by its own outcome", async () => {
    const { broker, faulty, instance, clock, booked } = stand();
    const { reprise, consumer } = instance();
    const decided = reprise.decisions().find(({ kind }) => kind === "consumer");
    expect(decided?.answers["batch"]).toMatchObject({ is: "declared", value: expect.stringContaining("up to 4") });
    for (const reference of references(8)) broker.send(seat(reference));
    await reprise.start();
    await clock.advance(1);
    expect(booked()).toEqual(references(8));
    expect(faulty.calls("transaction")).toBe(2);
    expect(faulty.calls("atomic")).toBe(0);
    expect(consumer.counts()).toMatchObject({ received: 8, ran: 8 });
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("that are few wait for others as long as they may, and no longer", async () => {
    const { broker, faulty, instance, clock, booked } = stand();
    const { reprise } = instance();
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(2);
    broker.send(seat("B"));
    await clock.advance(2);
    expect(booked()).toEqual([]);
    await clock.advance(1);
    expect(booked()).toEqual(["A", "B"]);
    expect(faulty.calls("transaction")).toBe(1);
    await reprise.close();
  });

  test("lose nothing by one that is poisoned: it alone is tried again, and set aside after its own attempts", async () => {
    const { broker, runs, instance, clock, running, booked } = stand({ attempts: 2, retryIn: ["1s"] });
    const { reprise, consumer } = instance();
    running(async ({ reference }) => {
      if (reference === "R1") throw new Error("poisoned");
    });
    for (const reference of references(4)) broker.send(seat(reference));
    await reprise.start();
    await clock.advance(10);
    expect(booked()).toEqual(["R0", "R2", "R3"]);
    expect(broker.left()).toBe(1);
    await clock.advance(1_000);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["failed"]);
    expect(consumer.counts()).toMatchObject({ ran: 3, failed: 2 });
    // together once, and twice by itself
    expect(runs.filter((one) => one === "R1")).toHaveLength(3);
    await reprise.close();
  });

  test("are told what each of them is: a copy, other input, a refusal, what was done before", async () => {
    const { broker, instance, clock, booked } = stand();
    const { reprise, book, consumer } = instance();
    await reprise.start();
    await book.run(seat("before"));
    broker.send(seat("A"));
    broker.send(seat("A"));
    broker.send(seat("A", 2));
    broker.send(seat("B", -1));
    broker.send(seat("before"));
    broker.send({ seat: 1 });
    broker.send(seat("C"));
    await clock.advance(200);
    expect(booked()).toEqual(["A", "C", "before"]);
    expect(consumer.counts()).toMatchObject({ ran: 2, replayed: 2, refused: 1 });
    expect(broker.deadLetters.map(({ reason }) => reason).sort()).toEqual(["invalid", "mismatch"]);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("keep their order within a key, though one of them is tried again", async () => {
    const { broker, instance, clock, running } = stand({ inOrderBy: ({ seat }) => seat, retryIn: ["1s"] });
    const { reprise } = instance();
    const order: string[] = [];
    let failures = 1;
    running(async ({ reference }) => {
      if (reference === "1 b" && failures-- > 0) throw new Error("once");
      if (!order.includes(reference)) order.push(reference);
    });
    for (const name of ["a", "b", "c"]) for (const key of [1, 2]) broker.send(seat(`${key} ${name}`, key));
    await reprise.start();
    await clock.advance(5_000);
    for (const key of ["1", "2"]) {
      expect(order.filter((one) => one.startsWith(key))).toEqual([`${key} a`, `${key} b`, `${key} c`]);
    }
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("that came before, and may have crashed their process, run by themselves", async () => {
    const { broker, faulty, instance, clock, booked } = stand();
    const { source } = broker;
    const again: Source = {
      ...source,
      open: async (most) => {
        const receiver = await source.open(most);
        const pull: Receiver["pull"] = async (...asked) =>
          (await receiver.pull(...asked)).map((delivery) => ({ ...delivery, isRepeated: true }));
        return { ...receiver, pull };
      },
    };
    const { reprise } = instance(again);
    for (const reference of references(4)) broker.send(seat(reference));
    await reprise.start();
    await clock.advance(1);
    expect(booked()).toEqual(references(4));
    expect(faulty.calls("transaction")).toBe(0);
    expect(faulty.calls("atomic")).toBe(4);
    await reprise.close();
  });

  test("are not counted as attempts while the ledger is away, and run when it is back", async () => {
    const { broker, faulty, instance, clock, booked } = stand({ attempts: 1 });
    const { reprise, consumer } = instance();
    faulty.fail("transaction", { call: 1 });
    for (const reference of references(4)) broker.send(seat(reference));
    await reprise.start();
    await clock.advance(1);
    expect(booked()).toEqual([]);
    await clock.advance(5_000);
    expect(booked()).toEqual(references(4));
    expect(consumer.counts()).toMatchObject({ ran: 4, failed: 0 });
    await reprise.close();
  });

  test("whose commit's answer was lost are answered from the ledger", async () => {
    const { broker, faulty, instance, clock, booked, runs } = stand();
    const { reprise, consumer } = instance();
    faulty.lose("transaction", { call: 1 });
    for (const reference of references(4)) broker.send(seat(reference));
    await reprise.start();
    await clock.advance(5_000);
    expect(booked()).toEqual(references(4));
    expect(runs).toHaveLength(4);
    expect(consumer.counts()).toMatchObject({ replayed: 4 });
    await reprise.close();
  });

  test("that wait for others when the instance closes are given back", async () => {
    const { broker, instance, clock, booked } = stand();
    const { reprise } = instance();
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(1);
    const closing = reprise.close();
    await clock.advance(10);
    await closing;
    expect(booked()).toEqual([]);
    expect(broker.settlements).toEqual(["return"]);
    expect(broker.left()).toBe(1);
  });

  test("need a transaction, and room for a second batch beside the first", () => {
    const { broker, instance } = stand();
    const { reprise, book } = instance();
    const other = { ...broker.source, name: "other" };
    expect(() => reprise.consume(book, other, { atOnce: 63, batch: { most: 32, within: "5ms" } })).toThrow(
      expect.objectContaining({ code: "REPRISE_BAD_DECLARATION", message: expect.stringContaining("64 or more") }),
    );
    const mail = reprise.operation({
      name: "mail",
      input: unchecked<Seat>(),
      ifRunsAgain: "replays",
      costIfTwice: "trust",
      principal: "everyone",
      identity: (input) => [input.reference],
      retention: "1d",
      effects: "external",
      run: async () => 1,
    });
    expect(() => reprise.consume(mail, other, { batch })).toThrow(
      expect.objectContaining({ code: "REPRISE_BAD_DECLARATION", message: expect.stringContaining("transaction") }),
    );
  });
});

test("messages of work that converges share a transaction, and one that fails undoes no other", async () => {
  const clock = manualClock();
  const ledger = memoryLedger({ clock });
  const faulty = faultyLedger(ledger);
  const broker = queue({ clock });
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: faulty.ledger, clock });
  const note = reprise.operation({
    name: "seat.note",
    input: unchecked<Seat>(),
    ifRunsAgain: "converges",
    costIfTwice: "nothing",
    effects: "database",
    run: async ({ input, tx }) => {
      if (input.seat < 0) throw new Error("poisoned");
      tx.set(input.reference, input.seat);
    },
  });
  const consumer = reprise.consume(note, broker.source, { batch });
  for (const reference of references(4)) broker.send(seat(reference));
  await reprise.start();
  await clock.advance(1);
  expect([...ledger.rows.keys()]).toEqual(references(4));
  expect(faulty.calls("transaction")).toBe(1);
  broker.send(seat("bad", -1));
  for (const reference of ["A", "B", "C"]) broker.send(seat(reference));
  await clock.advance(1);
  expect([...ledger.rows.keys()]).toEqual([...references(4), "A", "B", "C"]);
  expect(consumer.counts()).toMatchObject({ ran: 7, failed: 1 });
  consumer.pause();
  void reprise.close();
  await clock.advance(60_000);
});
