import assert from "node:assert/strict";
import type { DeadLetter, DeadLetterReason, DeadLetters, Source } from "../contract/source.ts";
import { acknowledge, bodies, isQuiet, pause, pull } from "./source-kit.ts";
import type { SourceScenario, SourceStage } from "./source-suite.ts";

const needs = ["deadLetters"] as const;

/** What is set aside, looked at, sent again and removed. */
export const deadLetterScenarios: readonly SourceScenario[] = [
  {
    name: "what is set aside is listed as it was, what came first first, with its reason and its instants, and looking changes nothing",
    needs,
    run: async (stage) => {
      const sent = [JSON.stringify({ text: "ü \u0000 😀" }), "no json", JSON.stringify({ text: "ü \u0000 😀" })];
      for (const body of sent) await stage.send(body);
      const began = Date.now();
      const sentAt = await setAside(stage, sent.length, ["failed", "invalid", "too-old"]);
      const first = await open(stage.source);
      assert.deepEqual(await first.list(0), []);
      const letters = await list(first, 3);
      // again by the same, while they are looked at
      const again = await first.list(10);
      await first.close();
      assert.equal(new Set(letters.map(({ id }) => id)).size, 3);
      assert.deepEqual(again.map(told), letters.map(told));
      assert.deepEqual(
        letters.map(({ reason, why }) => [reason, why]),
        [
          ["failed", "of the 1st, über ☂"],
          ["invalid", "of the 2nd, über ☂"],
          ["too-old", "of the 3rd, über ☂"],
        ],
      );
      assert.deepEqual(letters[0]?.read(), { text: "ü \u0000 😀" });
      assert.throws(() => letters[1]?.read());
      assert.deepEqual(
        letters.map((letter) => letter.sentAt),
        sentAt,
      );
      for (const { setAsideAt } of letters) {
        // a clock in seconds, or another machine's
        assert.ok(setAsideAt === null || Math.abs(setAsideAt - began) < 60_000);
      }
      const second = await open(stage.source);
      assert.deepEqual((await list(second, 3)).map(told), letters.map(told));
      await second.close();
      const receiver = await stage.source.open(3);
      assert.ok(await isQuiet(receiver));
      await receiver.close();
    },
  },
  {
    name: "of what is set aside no more is listed than was asked for, and the rest stays",
    needs,
    run: async (stage) => {
      const all = Array.from({ length: 25 }, (_, index) => index);
      for (const index of all) await stage.send(String(index));
      await setAside(stage, all.length);
      const letters = await open(stage.source);
      const few = await list(letters, 12, 12);
      assert.deepEqual(read(few), all.slice(0, 12));
      const more = await list(letters, 25, 25);
      assert.deepEqual(read(more), all);
      assert.deepEqual(
        more.slice(0, 12).map(({ id }) => id),
        few.map(({ id }) => id),
      );
      await letters.close();
    },
  },
  {
    name: "a look that is to end lists what it has found by then, and a later one the rest too",
    needs,
    run: async (stage) => {
      const all = Array.from({ length: 12 }, (_, index) => index);
      for (const index of all) await stage.send(String(index));
      await setAside(stage, all.length);
      const letters = await open(stage.source);
      const few = read(await letters.list(12, AbortSignal.abort()));
      assert.deepEqual(few, all.slice(0, few.length));
      assert.deepEqual(read(await list(letters, 12, 12)), all);
      await letters.close();
    },
  },
  {
    name: "where nothing is set aside nothing is listed",
    needs,
    run: async (stage) => {
      await stage.send("1");
      const letters = await open(stage.source);
      assert.deepEqual(await letters.list(10), []);
      await letters.close();
      const receiver = await stage.source.open(1);
      await acknowledge(await pull(receiver, 1));
      await receiver.close();
    },
  },
  {
    name: "what is sent again is delivered as it was, with the instant when it was sent first, and is not set aside any more",
    needs,
    run: async (stage) => {
      for (const body of ['{"seat":"ü 😀"}', "2"]) await stage.send(body);
      const [sentAt] = await setAside(stage, 2);
      // a clock in seconds would not show another instant
      await pause(1_100);
      const letters = await open(stage.source);
      const [first, second] = await list(letters, 2);
      assert.ok(first !== undefined && second !== undefined);
      assert.equal(await letters.redrive(first), "done");
      assert.deepEqual((await list(letters, 1)).map(told), [told(second)]);
      await letters.close();
      const receiver = await stage.source.open(2);
      const deliveries = await pull(receiver, 1, 2);
      assert.deepEqual(bodies(deliveries), [{ seat: "ü 😀" }]);
      assert.equal(deliveries[0]?.sentAt, sentAt);
      assert.ok(await isQuiet(receiver));
      await acknowledge(deliveries);
      await receiver.close();
    },
  },
  {
    name: "what is set aside a second time has the reason of that time, and the instant when it was sent first",
    needs,
    run: async (stage) => {
      await stage.send("1");
      const sentAt = await setAside(stage, 1, ["failed"]);
      const before = await open(stage.source);
      const [letter] = await list(before, 1);
      assert.equal(letter && (await before.redrive(letter)), "done");
      await before.close();
      await setAside(stage, 1, ["mismatch"]);
      const after = await open(stage.source);
      const again = await list(after, 1);
      assert.deepEqual(
        again.map(({ reason, sentAt }) => [reason, sentAt]),
        [["mismatch", sentAt[0]]],
      );
      const [last] = again;
      assert.equal(last && (await after.redrive(last)), "done");
      await after.close();
      const receiver = await stage.source.open(1);
      const deliveries = await pull(receiver, 1);
      assert.deepEqual([bodies(deliveries), deliveries[0]?.sentAt], [[1], sentAt[0]]);
      await acknowledge(deliveries);
      await receiver.close();
    },
  },
  {
    name: "what is discarded is nowhere any more, and what stood around it stays",
    needs,
    run: async (stage) => {
      for (const body of ["1", "2", "3"]) await stage.send(body);
      await setAside(stage, 3);
      const letters = await open(stage.source);
      const [, second] = await list(letters, 3);
      assert.equal(second && (await letters.discard(second)), "done");
      assert.deepEqual(read(await list(letters, 2)), [1, 3]);
      await letters.close();
      const again = await open(stage.source);
      assert.deepEqual(read(await list(again, 2)), [1, 3]);
      await again.close();
      const receiver = await stage.source.open(3);
      assert.ok(await isQuiet(receiver));
      await receiver.close();
    },
  },
  {
    name: "what is gone from what is set aside is neither sent again nor discarded, whoever removed it",
    needs,
    run: async (stage) => {
      for (const body of ["1", "2", "3"]) await stage.send(body);
      await setAside(stage, 3);
      const [one, other] = [await open(stage.source), await open(stage.source)];
      const [first, second, third] = await list(one, 3);
      assert.ok(first !== undefined && second !== undefined && third !== undefined);
      assert.equal(await one.redrive(first), "done");
      assert.deepEqual([await one.redrive(first), await one.discard(first)], ["gone", "gone"]);
      assert.equal(await one.discard(second), "done");
      assert.deepEqual([await one.redrive(second), await one.discard(second)], ["gone", "gone"]);
      // where a broker can browse, two see the same
      const [same] = await other.list(1);
      if (same !== undefined) {
        assert.equal(same.id, third.id);
        assert.equal(await other.discard(same), "done");
        assert.deepEqual([await one.redrive(third), await one.discard(third)], ["gone", "gone"]);
      }
      await one.close();
      await other.close();
      const receiver = await stage.source.open(3);
      const deliveries = await pull(receiver, 1, 3);
      assert.deepEqual(bodies(deliveries), [1]);
      assert.ok(await isQuiet(receiver));
      await acknowledge(deliveries);
      await receiver.close();
    },
  },
  {
    name: "what somebody else has set aside is listed without a reason, and can be sent again and discarded",
    needs,
    run: async (stage) => {
      for (const body of ["1", "no json"]) await stage.sendAside(body);
      const letters = await open(stage.source);
      const [first, second] = await list(letters, 2);
      assert.ok(first !== undefined && second !== undefined);
      assert.deepEqual([first.reason, first.why, second.reason, second.why], [null, null, null, null]);
      assert.throws(() => second.read());
      assert.equal(await letters.redrive(first), "done");
      assert.equal(await letters.discard(second), "done");
      assert.deepEqual(await letters.list(10), []);
      await letters.close();
      const receiver = await stage.source.open(2);
      const deliveries = await pull(receiver, 1, 2);
      assert.deepEqual(bodies(deliveries), [1]);
      await acknowledge(deliveries);
      await receiver.close();
    },
  },
];

async function open({ deadLetters }: Source): Promise<DeadLetters> {
  assert.ok(deadLetters !== undefined, "the source has no 'deadLetters'");
  return deadLetters();
}

/** Receives as many and sets them aside. Returns when each was sent. */
async function setAside(
  { source }: SourceStage,
  count: number,
  reasons: readonly DeadLetterReason[] = ["failed"],
): Promise<readonly (number | null)[]> {
  const receiver = await source.open(count);
  const deliveries = await pull(receiver, count);
  for (const [index, delivery] of deliveries.entries()) {
    const reason = reasons[index % reasons.length] ?? "failed";
    const why = `of the ${["1st", "2nd", "3rd"][index] ?? "last"}, über ☂`;
    assert.equal(await delivery.settle({ is: "dead-letter", reason, why }), "settled");
    // in a millisecond of its own: some brokers keep them in the order of those
    await pause(2);
  }
  await receiver.close();
  return deliveries.map(({ sentAt }) => sentAt);
}

/** As soon as there are so many: what was set aside, or kept by somebody who looked, a broker may show a little later. */
async function list(letters: DeadLetters, count: number, most = 100): Promise<readonly DeadLetter[]> {
  const until = performance.now() + 10_000;
  for (;;) {
    const listed = await letters.list(most);
    if (listed.length === count) return listed;
    if (performance.now() > until) throw new Error(`${listed.length} are set aside, not ${count}`);
    await pause(50);
  }
}

function read(letters: readonly DeadLetter[]): readonly unknown[] {
  return letters.map((letter) => letter.read());
}

/** All that a look tells, but what it reads. */
function told({ id, sentAt, setAsideAt, reason, why }: DeadLetter): readonly unknown[] {
  return [id, sentAt, setAsideAt, reason, why];
}
