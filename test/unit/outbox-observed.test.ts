import { expect, test } from "vitest";
import { administer } from "../../src/admin/index.ts";
import type { Registers } from "../../src/contract/registers.ts";
import { createReprise } from "../../src/index.ts";
import { readMetrics } from "../../src/observe/read.ts";
import { snapshot } from "../../src/observe/snapshot.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { broker, publish, released, seatReleased } from "./outbox-stand.ts";

/** An instance whose clock is moved by hand, and how often its ledger is asked what waits. */
function stand() {
  const clock = manualClock();
  const ledger = memoryLedger({ clock });
  const { registers } = ledger;
  if (registers === undefined) throw new Error("it keeps some");
  let looks = 0;
  let isAway = false;
  const list: Registers<MemoryTransaction>["list"] = async (query) => {
    if (query.limit === 1) looks += 1;
    if (query.limit === 1 && isAway) throw new Error("the connection is cut");
    return registers.list(query);
  };
  const watched = { ...ledger, registers: { ...registers, list } };
  const reprise = createReprise({ service: "shop", owner: "box-office", ledger: watched, clock, instance: "a" });
  const cut = (value: boolean) => {
    isAway = value;
  };
  return { clock, ledger, reprise, cut, looks: () => looks };
}

test("what was published and sent, and how long the oldest waits, is written to the journal and read again", async () => {
  const { clock, ledger, reprise, cut } = stand();
  const { to, beforeSending } = broker();
  const outbox = reprise.outbox({ ...seatReleased, to });
  await reprise.start();
  const inside = reprise["~inside"];
  beforeSending(() => Promise.reject(new Error("the broker refuses")));
  const committedAt = clock.now();
  await publish(ledger, outbox, released("A"), released("B"), released("C"));
  await clock.advance(20_000);
  const { failed } = outbox.counts();
  expect(failed).toBeGreaterThan(0);
  const written = snapshot(inside).outboxes?.["seat.released"];
  expect(written).toEqual({ counts: { published: 3, failed }, waiting: 3, oldestAt: committedAt });
  expect((await readMetrics(inside, { range: "15m" })).outboxes).toEqual([
    { name: "seat.released", total: { published: 3, relayed: 0, failed }, waiting: 3, oldestAt: committedAt },
  ]);

  beforeSending(async () => {});
  await clock.advance(30_000);
  expect((await readMetrics(inside, { range: "15m" })).outboxes).toMatchObject([
    { total: { published: 3, relayed: 3 }, waiting: 0, oldestAt: null },
  ]);
  // what nobody knows is no figure of before
  cut(true);
  await clock.advance(20_000);
  expect(snapshot(inside).outboxes?.["seat.released"]).not.toHaveProperty("waiting");
  cut(false);
  await reprise.close();
});

test("a ledger is asked what waits every 10 s at most, however often figures are drawn, and not once the instance closes", async () => {
  const { clock, reprise, looks } = stand();
  reprise.outbox({ ...seatReleased, to: broker().to });
  await reprise.start();
  const inside = reprise["~inside"];
  const before = looks();
  for (let second = 0; second < 60; second += 1) {
    snapshot(inside);
    await clock.advance(1_000);
  }
  expect(looks() - before).toBeGreaterThanOrEqual(5);
  expect(looks() - before).toBeLessThanOrEqual(7);
  await reprise.close();
  const after = looks();
  await clock.advance(60_000);
  snapshot(inside);
  expect(looks()).toBe(after);
});

test("an outbox is decided with where its messages go, and shown with what waits, and leaves no question open", async () => {
  const { clock, ledger, reprise } = stand();
  reprise.outbox({ ...seatReleased, to: broker().to });
  const queued = reprise.outbox({ ...seatReleased, name: "seat.book", limit: "8kb", lease: "30s" });
  const decided = reprise.decisions().filter(({ kind }) => kind === "outbox");
  expect(decided).toMatchObject([
    {
      ...{ name: "seat.released", owner: "box-office", undecided: [] },
      answers: {
        to: { is: "declared", value: "broker seats" },
        limit: { is: "default", value: "192kb" },
        lease: { is: "default", value: "10s" },
      },
    },
    {
      name: "seat.book",
      answers: {
        to: { is: "default", value: "a queue in the ledger" },
        limit: { is: "declared", value: "8kb" },
        lease: { is: "declared", value: "30s" },
      },
    },
  ]);
  await reprise.start();
  await publish(ledger, queued, released("A"));
  const { outboxes } = administer(reprise);
  expect(await outboxes.list()).toMatchObject([
    { name: "seat.released", to: "broker seats", waiting: 0, oldestAt: null },
    { name: "seat.book", to: null, waiting: 1, oldestAt: new Date(clock.now()), counts: { published: 1 } },
  ]);
  await expect(outboxes.show("seat.sold")).rejects.toThrow(/outbox 'seat.sold'.*There is: seat.released, seat.book/);
  await reprise.close();
});
