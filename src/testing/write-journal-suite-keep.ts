import assert from "node:assert/strict";
import { append, applied, claim, claimable, died, queue, range } from "./write-journal-kit.ts";
import type { WriteScenario } from "./write-journal-suite.ts";

const dayMs = 86_400_000;

/** What is kept, under which version, and what becomes of the dead. */
export const keepScenarios: readonly WriteScenario[] = [
  {
    name: "a write is pending, with its value and version, until it has been applied",
    run: async ({ writes }) => {
      assert.equal(await writes.pending(queue, "a"), null);
      const [version] = await append(writes, ["a", "1"]);
      assert.deepEqual(await writes.pending(queue, "a"), { value: "1", version });
      const owner = await claim(writes);
      assert.deepEqual(await writes.pending(queue, "a"), { value: "1", version });
      assert.equal(await applied(writes, owner, "a"), 1);
      assert.equal(await writes.pending(queue, "a"), null);
    },
  },
  {
    name: "of several writes of a key, in one call or in several, the last is kept",
    run: async ({ writes }) => {
      await append(writes, ["a", "1"], ["b", "1"], ["a", "2"]);
      await append(writes, ["b", "2"]);
      assert.equal((await writes.pending(queue, "a"))?.value, "2");
      assert.equal((await writes.pending(queue, "b"))?.value, "2");
      assert.equal((await writes.standing(queue)).pending, 2);
      assert.deepEqual(await claimable(writes), ["a=2", "b=2"]);
    },
  },
  {
    name: "versions rise with every write, also when everything before has arrived and the clock was set back",
    run: async ({ writes, passTime }) => {
      const versions = [...(await append(writes, ["a", "1"], ["b", "1"], ["a", "2"]))];
      await applied(writes, await claim(writes), "a", "b");
      await passTime(-dayMs);
      versions.push(...(await append(writes, ["a", "3"])));
      await died(writes, "c");
      versions.push(...(await append(writes, ["c", "2"])));
      assert.deepEqual(
        versions,
        [...new Set(versions)].toSorted((a, b) => a - b),
      );
      assert.ok(versions.every(Number.isSafeInteger));
    },
  },
  {
    name: "versions rise for a second instance too",
    needs: ["severalInstances"],
    run: async ({ writes, another }) => {
      const [first] = await append(writes, ["a", "1"]);
      await applied(writes, await claim(writes), "a");
      const [second] = await append(await another(), ["a", "2"]);
      assert.ok((first ?? 0) < (second ?? 0));
    },
  },
  {
    name: "a write of a further key needs room, one of a pending key does not, and what had none leaves nothing",
    run: async ({ writes }) => {
      const send = (key: string, value: string) => ({ key, scope: "{}", value });
      const first = await writes.append({ queue, most: 2, writes: [send("a", "1"), send("b", "1"), send("c", "1")] });
      assert.deepEqual(
        first.versions.map((version) => version === null),
        [false, false, true],
      );
      assert.equal(first.pending, 2);
      const second = await writes.append({ queue, most: 2, writes: [send("c", "2"), send("a", "2")] });
      assert.deepEqual(
        second.versions.map((version) => version === null),
        [true, false],
      );
      assert.deepEqual(await claimable(writes), ["a=2", "b=1"]);
      assert.equal(await writes.pending(queue, "c"), null);
    },
  },
  {
    name: "queues keep apart what is written under one key",
    run: async ({ writes }) => {
      await append(writes, ["a", "1"]);
      const [version] = (
        await writes.append({ queue: "other", most: 1, writes: [{ key: "a", scope: "{}", value: "2" }] })
      ).versions;
      assert.equal((await writes.pending(queue, "a"))?.value, "1");
      assert.deepEqual(await writes.pending("other", "a"), { value: "2", version });
      assert.deepEqual(await claimable(writes), ["a=1"]);
      assert.equal((await writes.standing("other")).pending, 1);
      assert.equal((await writes.standing("none")).pending, 0);
    },
  },
  {
    name: "text comes back as it was: quotes, line breaks, and what is long",
    run: async ({ writes }) => {
      const odd = `'"\\\n\té😀${"x".repeat(100_000)}`;
      await append(writes, [`k${odd.slice(0, 5)}`, odd], ["A", "upper"], ["a ", "space"], ["a", "lower"]);
      const claimed = (await claim(writes)).writes;
      assert.deepEqual(
        claimed.map(({ key, value }) => [key, value]),
        [
          [`k${odd.slice(0, 5)}`, odd],
          ["A", "upper"],
          ["a ", "space"],
          ["a", "lower"],
        ],
      );
    },
  },
  {
    name: "the standing tells what waits since when, and when something is due",
    run: async ({ writes, passTime }) => {
      const empty = { pending: 0, dead: 0, oldest: null, newest: null, dueInMs: null };
      assert.deepEqual(await writes.standing(queue), empty);
      const [a] = await append(writes, ["a", "1"]);
      const [, again] = await append(writes, ["b", "1"], ["a", "2"]);
      const standing = await writes.standing(queue);
      assert.deepEqual([standing.pending, standing.oldest, standing.newest], [2, a, again]);
      assert.ok((standing.dueInMs ?? 1) <= 0);
      const owner = await claim(writes);
      const claimed = (await writes.standing(queue)).dueInMs ?? 0;
      assert.ok(claimed > 4_000 && claimed <= 5_000, `due in ${claimed}`);
      await writes.settle(owner, [
        { key: "a", is: "applied" },
        { key: "b", is: "failed", pauseMs: 60_000, counts: true, error: "E" },
      ]);
      const paused = (await writes.standing(queue)).dueInMs ?? 0;
      assert.ok(paused > 59_000 && paused <= 60_000, `due in ${paused}`);
      await passTime(60_000);
      assert.ok(((await writes.standing(queue)).dueInMs ?? 1) <= 0);
    },
  },
  {
    name: "dead writes are listed oldest first, are no longer pending, and nobody claims them",
    run: async ({ writes, passTime }) => {
      const versions = [];
      for (const key of ["b", "a"]) {
        versions.push(await died(writes, key));
        await passTime(1_000);
      }
      const dead = await writes.dead(queue, 10);
      assert.deepEqual(
        dead.map(({ key, scope, version, attempts, error }) => [key, scope, version, attempts, error]),
        [
          ["b", "scope b", versions[0], 1, "TypeError"],
          ["a", "scope a", versions[1], 1, "TypeError"],
        ],
      );
      assert.ok((dead[0]?.at ?? 0) < (dead[1]?.at ?? 0));
      assert.equal((await writes.dead(queue, 1)).length, 1);
      assert.equal(await writes.pending(queue, "a"), null);
      assert.deepEqual(await claimable(writes), []);
      const { pending, dead: count } = await writes.standing(queue);
      assert.deepEqual([pending, count], [0, 2]);
    },
  },
  {
    name: "a dead write that is sent once more is pending as it was; a discarded one is gone",
    run: async ({ writes }) => {
      const [a, b] = [await died(writes, "a"), await died(writes, "b")];
      assert.equal(await writes.requeue(queue, a), true);
      assert.equal(await writes.requeue(queue, a), false);
      assert.deepEqual(await writes.pending(queue, "a"), { value: "poison", version: a });
      const [again] = (await claim(writes)).writes;
      assert.deepEqual([again?.version, again?.attempts, again?.failures, again?.failingMs], [a, 0, 0, 0]);
      assert.equal(await writes.discard(queue, a), false);
      assert.equal(await writes.discard("other", b), false);
      assert.equal(await writes.discard(queue, b), true);
      assert.deepEqual(await writes.dead(queue, 10), []);
    },
  },
  {
    name: "a newer write of a key takes its dead one's place: the dead one is never sent after it",
    run: async ({ writes }) => {
      const dead = await died(writes, "a");
      const [newer] = await append(writes, ["a", "2"]);
      assert.deepEqual(await writes.dead(queue, 10), []);
      assert.equal(await writes.requeue(queue, dead), false);
      assert.equal(await writes.discard(queue, dead), false);
      const [only] = (await claim(writes)).writes;
      assert.deepEqual([only?.value, only?.version, only?.attempts, only?.failures], ["2", newer, 0, 0]);
      assert.equal((await writes.standing(queue)).oldest, newer);
    },
  },
  {
    name: "the sweep deletes what has been dead for long, a few at a time, and nothing that is pending",
    run: async ({ writes, passTime }) => {
      for (const index of range(3)) await died(writes, `old ${index}`);
      await append(writes, ["pending", "1"]);
      await passTime(dayMs);
      await died(writes, "young");
      assert.equal(await writes.sweep(queue, dayMs, 2), 2);
      assert.equal(await writes.sweep(queue, dayMs, 2), 1);
      assert.equal(await writes.sweep(queue, dayMs, 2), 0);
      const [left] = await writes.dead(queue, 10);
      assert.equal(left?.key, "young");
      assert.equal((await writes.pending(queue, "pending"))?.value, "1");
    },
  },
];
