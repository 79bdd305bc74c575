import { expect, test } from "vitest";
import { administer } from "../../src/admin/index.ts";
import { readMetrics } from "../../src/observe/read.ts";
import { snapshot } from "../../src/observe/snapshot.ts";
import { seat, stand } from "./consume-stand.ts";

const canary = "canary-4111111111111111";

test("a consumer is shown with what waits, what is set aside, what is parked, and what it counted", async () => {
  const asked: string[] = [];
  const { broker, instance, clock } = stand({
    through: (source) => ({
      ...source,
      standing: async () => {
        asked.push("standing");
        return { waiting: 7, setAside: broker.deadLetters.length };
      },
    }),
  });
  const { reprise, consumer } = instance("a");
  const { consumers } = administer(reprise);
  // before it receives, the broker itself is asked
  expect(await consumers.list()).toMatchObject([
    { name: "queue seats", operation: "seat.book", waiting: 7, setAside: 0, shows: true, parked: { count: 0 } },
  ]);
  await reprise.start();
  await consumer.ready;
  broker.send({ reference: canary });
  broker.send(`no json: ${canary}`);
  await clock.advance(1);
  asked.length = 0;
  for (let look = 0; look < 5; look += 1) await consumers.show("queue seats");
  expect(asked.length).toBeLessThanOrEqual(1);
  const shown = await consumers.show("queue seats");
  expect(shown.counts).toMatchObject({ received: 2, setAside: { invalid: 1 } });
  expect(JSON.stringify(shown)).not.toContain("canary");
  await expect(consumers.show("queue halls")).rejects.toThrow(/consumer 'queue halls'.*There is: queue seats/);
  await reprise.close();
});

test("dead letters are told without their content, chosen by reason or id, sent again and discarded", async () => {
  const { broker, instance, clock } = stand();
  const { reprise } = instance("a");
  const { consumers } = administer(reprise);
  await reprise.start();
  broker.send(`no json: ${canary}`);
  await clock.advance(1);
  broker.sendAside(JSON.stringify(seat(canary)));
  const { letters, more } = await consumers.deadLetters("queue seats");
  expect(letters).toMatchObject([
    { id: "1", reason: "invalid", why: "its body cannot be read", setAsideAt: new Date(clock.now() - 1) },
    { id: "2", reason: null, why: null },
  ]);
  expect(more).toBe(false);
  expect(JSON.stringify(letters)).not.toContain("canary");
  expect((await consumers.deadLetters("queue seats", { most: 1 })).more).toBe(true);
  expect((await consumers.deadLetters("queue seats", { reason: "failed" })).letters).toEqual([]);

  await expect(consumers.discard("queue seats", {})).rejects.toThrow(/'ids' or by 'reason'/);
  await expect(consumers.discard("queue seats", undefined as never)).rejects.toThrow(/'ids' or by 'reason'/);
  await expect(consumers.discard("queue seats", { most: 5 })).rejects.toThrow(/'ids' or by 'reason'/);
  expect(await consumers.redrive("queue seats", { ids: ["2", "9"] })).toEqual({ done: 1, gone: 1, more: false });
  expect(await consumers.discard("queue seats", { reason: "invalid" })).toEqual({ done: 1, gone: 0, more: false });
  expect((await consumers.deadLetters("queue seats")).letters).toEqual([]);
  await reprise.close();
});

test("a consumer is decided with its operation's owner, and its broker's horizon once that is told", async () => {
  const { instance } = stand({ attempts: 3, inOrderBy: ({ reference }) => reference, deliveredWithin: "1h" });
  const { reprise, consumer } = instance("a");
  const decided = () => reprise.decisions().find(({ kind }) => kind === "consumer");
  expect(decided()).toMatchObject({
    name: "queue seats",
    undecided: ["owner"],
    answers: {
      operation: { is: "declared", value: "seat.book" },
      deliveredWithin: { is: "declared", value: "1h" },
      horizon: { is: "default", value: "as the broker tells when it begins" },
      attempts: { is: "declared", value: "3" },
      retryIn: { is: "default", value: "1s, 10s, 1m" },
      inOrderBy: { is: "declared" },
    },
  });
  await reprise.start();
  await consumer.ready;
  expect(decided()?.answers["horizon"]).toEqual({ is: "default", value: "1h, as the broker tells" });
  await reprise.close();
});

test("what became of messages is written to the journal by its name, and read again over all instances", async () => {
  let standing = { waiting: 12, setAside: 1 };
  let isAway = false;
  const { broker, instance, clock } = stand({
    through: (source) => ({
      ...source,
      standing: async () => {
        if (isAway) throw new Error("the connection is cut");
        return standing;
      },
    }),
  });
  const { reprise } = instance("a");
  await reprise.start();
  for (let copy = 0; copy < 3; copy += 1) broker.send(seat("A"));
  broker.send("no json");
  await clock.advance(15_000);
  const inside = reprise["~inside"];
  expect(snapshot(inside).consumers).toEqual({
    "queue seats": { counts: expect.objectContaining({ received: 4, ran: 1, replayed: 2 }), ...standing },
  });
  expect(snapshot(inside).consumers?.["queue seats"]?.counts).toMatchObject({ "set-aside-invalid": 1 });
  standing = { waiting: 3, setAside: 1 };
  await clock.advance(20_000);
  const { consumers } = await readMetrics(inside, { range: "15m" });
  expect(consumers).toEqual([
    { name: "queue seats", total: expect.objectContaining({ replayed: 2, failed: 0 }), waiting: 3, setAside: 1 },
  ]);
  // what nobody knows is no figure of before
  isAway = true;
  await clock.advance(20_000);
  expect(snapshot(inside).consumers?.["queue seats"]).not.toHaveProperty("waiting");
  await reprise.close();
});
