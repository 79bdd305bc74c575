import assert from "node:assert/strict";
import { append, applied, claim, claimable, leaseMs, pastLeaseMs, queue } from "./write-journal-kit.ts";
import type { WriteScenario } from "./write-journal-suite.ts";

const failed = (key: string, counts = true, pauseMs = 60_000) =>
  ({ key, is: "failed", pauseMs, counts, error: "TypeError" }) as const;

/** Who may send what, and what an end changes. */
export const claimScenarios: readonly WriteScenario[] = [
  {
    name: "a claim takes what waits longest, no more than asked; a newer value keeps its key's place",
    run: async ({ writes }) => {
      await append(writes, ["a", "1"], ["b", "1"], ["c", "1"]);
      await append(writes, ["a", "2"]);
      const first = await claim(writes, 2);
      assert.deepEqual(
        first.writes.map(({ key, value, scope }) => [key, value, scope]),
        [
          ["a", "2", "scope a"],
          ["b", "1", "scope b"],
        ],
      );
      assert.deepEqual(await claimable(writes), ["c=1"]);
    },
  },
  {
    name: "what is claimed nobody else takes, not even when a newer value comes, until the claim has ended",
    run: async ({ writes }) => {
      await append(writes, ["a", "1"]);
      const owner = await claim(writes);
      const [newer] = await append(writes, ["a", "2"]);
      assert.deepEqual(await claimable(writes), []);
      assert.deepEqual(await writes.pending(queue, "a"), { value: "2", version: newer });
      assert.equal(await applied(writes, owner, "a"), 1);
      assert.deepEqual(await writes.pending(queue, "a"), { value: "2", version: newer });
      assert.equal((await writes.standing(queue)).oldest, newer);
      assert.deepEqual(await claimable(writes), ["a=2"]);
    },
  },
  {
    name: "whatever became of the older value, a newer one is due with a clean slate",
    run: async ({ writes, passTime }) => {
      const ends = [{ key: "a", is: "released" }, { key: "a", is: "dead", error: "E" }, failed("a")] as const;
      for (const end of ends) {
        await append(writes, ["a", "old"]);
        await writes.settle(await claim(writes), [failed("a")]);
        await passTime(60_000);
        const owner = await claim(writes);
        assert.equal(owner.writes.length, 1);
        await append(writes, ["a", `after ${end.is}`]);
        assert.equal(await writes.settle(owner, [end]), 1);
        await passTime(60_000);
        const next = await claim(writes);
        assert.deepEqual(
          next.writes.map(({ value, attempts, failingMs }) => [value, attempts, failingMs]),
          [[`after ${end.is}`, 0, 0]],
        );
        assert.deepEqual(await writes.dead(queue, 1), []);
        await applied(writes, next, "a");
      }
    },
  },
  {
    name: "a failed write waits for its pause, and its failures are counted as told",
    run: async ({ writes, passTime }) => {
      await append(writes, ["a", "1"]);
      await writes.settle(await claim(writes), [failed("a", false)]);
      assert.deepEqual(await claimable(writes), []);
      await passTime(50_000);
      assert.deepEqual(await claimable(writes), []);
      await passTime(10_000);
      await writes.settle(await claim(writes), [failed("a", true)]);
      await passTime(60_000);
      const [write] = (await claim(writes)).writes;
      assert.deepEqual([write?.attempts, write?.failures], [1, 2]);
      const failing = write?.failingMs ?? 0;
      assert.ok(failing >= 120_000 && failing < 180_000, `failing for ${failing}`);
    },
  },
  {
    name: "a newer value does not end the pause of its key, and its failures begin anew",
    run: async ({ writes, passTime }) => {
      await append(writes, ["a", "1"]);
      await writes.settle(await claim(writes), [failed("a")]);
      await append(writes, ["a", "2"]);
      assert.deepEqual(await claimable(writes), []);
      await passTime(60_000);
      const [write] = (await claim(writes)).writes;
      assert.deepEqual([write?.value, write?.attempts, write?.failures, write?.failingMs], ["2", 0, 1, 0]);
    },
  },
  {
    name: "a claim whose lease is over is taken over, and its end changes nothing",
    run: async ({ writes, passTime }) => {
      await append(writes, ["a", "1"], ["b", "1"]);
      const zombie = await claim(writes);
      await passTime(leaseMs - 1_000);
      assert.deepEqual(await claimable(writes), []);
      await passTime(1_001);
      const owner = await claim(writes);
      assert.equal(owner.writes.length, 2);
      for (const end of ["applied", "released"] as const) {
        assert.equal(await writes.settle(zombie, [{ key: "a", is: end }]), 0);
      }
      assert.equal(await writes.settle(zombie, [failed("a"), { key: "b", is: "dead", error: "E" }]), 0);
      assert.equal(await writes.renew(zombie, leaseMs), 0);
      assert.deepEqual(await claimable(writes), []);
      assert.equal(await applied(writes, owner, "a", "b"), 2);
      assert.equal((await writes.standing(queue)).pending, 0);
    },
  },
  {
    name: "a claim whose lease is over, which nobody took over, still ends its writes",
    run: async ({ writes, passTime }) => {
      await append(writes, ["a", "1"]);
      const owner = await claim(writes);
      await passTime(pastLeaseMs);
      assert.equal(await applied(writes, owner, "a"), 1);
      assert.equal(await writes.pending(queue, "a"), null);
    },
  },
  {
    name: "a renewed claim holds what it has not ended, and tells how many",
    run: async ({ writes, passTime }) => {
      await append(writes, ["a", "1"], ["b", "1"], ["c", "1"]);
      const owner = await claim(writes);
      await applied(writes, owner, "a");
      await passTime(leaseMs - 1_000);
      assert.equal(await writes.renew(owner, leaseMs), 2);
      await passTime(leaseMs - 1_000);
      assert.deepEqual(await claimable(writes), []);
      await applied(writes, owner, "b", "c");
      assert.equal(await writes.renew(owner, leaseMs), 0);
    },
  },
  {
    name: "an end told twice changes nothing the second time, not even of a newer write",
    run: async ({ writes }) => {
      await append(writes, ["a", "1"]);
      const owner = await claim(writes);
      await append(writes, ["a", "2"]);
      assert.equal(await applied(writes, owner, "a"), 1);
      assert.equal(await applied(writes, owner, "a"), 0);
      assert.equal((await writes.pending(queue, "a"))?.value, "2");
      assert.equal(await applied(writes, owner, "none"), 0);
    },
  },
];
