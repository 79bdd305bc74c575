import assert from "node:assert/strict";
import type { LeaseScenario } from "./lease-adapter.ts";
import { acquiredOf, heldOf, isHeld, leaseMs, request, taken, takenOver } from "./lease-kit.ts";

/** Names that a collation, a trim or an escape would take for one another. */
const names = [
  "a",
  "A",
  "a ",
  " a",
  "e",
  "é",
  "e\u0301",
  "ß",
  "ss",
  "a%",
  "a_",
  "a/b",
  "a\\b",
  "a'b\"c`",
  "😀",
  "x".repeat(255),
  `${"x".repeat(254)}y`,
  "é".repeat(255),
];

/** Who has a lease, since when, and until when. */
export const holdingScenarios: readonly LeaseScenario[] = [
  {
    name: "a free lease is acquired, and nobody else gets it until it is released",
    run: async ({ leases }) => {
      const grip = await taken(leases);
      heldOf(await leases.acquire(request("a", "second")));
      assert.equal(await leases.release(grip), true);
      await taken(leases, "a", "second");
      assert.equal(await isHeld(leases), true);
    },
  },
  {
    name: "who is not let in is told who has it, and for how long",
    needs: ["tells"],
    run: async ({ leases }) => {
      await taken(leases, "a", "the first é😀");
      const { holder, forMs } = heldOf(await leases.acquire(request("a", "second")));
      assert.equal(holder, "the first é😀");
      assert.ok(forMs !== null && forMs > leaseMs - 10_000 && forMs <= leaseMs, `for ${forMs}`);
    },
  },
  {
    name: "the token grows with each acquisition: after a release, and after a lease that was over",
    run: async (stage) => {
      const { leases } = stage;
      const tokens: number[] = [];
      for (const end of ["release", "expire", "release", "expire"]) {
        const grip = await taken(leases);
        tokens.push(grip.token);
        if (end === "release") await leases.release(grip);
        else await stage.endLease("a");
      }
      assert.deepEqual(
        tokens,
        [...new Set(tokens)].toSorted((a, b) => a - b),
      );
      assert.ok(tokens.every((token) => Number.isSafeInteger(token) && token > 0));
    },
  },
  {
    name: "whose answer was lost asks again with the same attempt, and is told the same token",
    run: async ({ leases }) => {
      const asked = request("a");
      const first = acquiredOf(await leases.acquire(asked));
      assert.deepEqual(await leases.acquire(asked), first);
      assert.equal(await isHeld(leases), true);
      assert.equal(await leases.renew({ name: "a", attempt: asked.attempt, token: first.token }, leaseMs), true);
    },
  },
  {
    name: "a repeated acquisition counts from the repetition",
    needs: ["movesTime"],
    run: async ({ leases, passTime }) => {
      const asked = request("a");
      const first = acquiredOf(await leases.acquire(asked));
      for (let round = 0; round < 2; round++) {
        await passTime(leaseMs - 5_000);
        assert.deepEqual(await leases.acquire(asked), first);
      }
      await passTime(leaseMs - 5_000);
      assert.equal(await isHeld(leases), true);
    },
  },
  {
    name: "an attempt keeps its token while nobody else has the lease: after it was over, and after it was released",
    run: async (stage) => {
      const { leases } = stage;
      const asked = request("a");
      const first = acquiredOf(await leases.acquire(asked));
      const grip = { name: "a", attempt: asked.attempt, token: first.token };
      await stage.endLease("a");
      assert.deepEqual(await leases.acquire(asked), first);
      assert.equal(await isHeld(leases), true);
      assert.equal(await leases.release(grip), true);
      assert.deepEqual(await leases.acquire(asked), first);
      assert.equal(await isHeld(leases), true);
      assert.equal(await leases.renew(grip, leaseMs), true);
      assert.equal(await leases.release(grip), true);
      assert.ok((await taken(leases)).token > first.token);
    },
  },
  {
    name: "an attempt that asks again after another had the lease is let in as anybody, with a greater token",
    run: async (stage) => {
      const { leases } = stage;
      const asked = request("a", "first");
      const first = acquiredOf(await leases.acquire(asked));
      await stage.endLease("a");
      const owner = await taken(leases, "a", "owner");
      heldOf(await leases.acquire(asked));
      await leases.release(owner);
      const again = acquiredOf(await leases.acquire(asked));
      assert.ok(again.token > owner.token && owner.token > first.token);
      assert.equal(await leases.renew(owner, leaseMs), false);
    },
  },
  {
    name: "an attempt that was told `held` may ask again, and gets it once it is free",
    run: async ({ leases }) => {
      const grip = await taken(leases);
      const asked = request("a", "second");
      heldOf(await leases.acquire(asked));
      await leases.release(grip);
      assert.ok(acquiredOf(await leases.acquire(asked)).token > grip.token);
    },
  },
  {
    name: "a renewed lease counts from its renewal",
    needs: ["movesTime"],
    run: async ({ leases, passTime }) => {
      const grip = await taken(leases);
      for (let round = 0; round < 3; round++) {
        await passTime(leaseMs - 5_000);
        assert.equal(await leases.renew(grip, leaseMs), true);
      }
      await passTime(leaseMs - 5_000);
      assert.equal(await isHeld(leases), true);
      await passTime(5_001);
      assert.equal(await isHeld(leases), false);
    },
  },
  {
    name: "a renewal may shorten a lease",
    needs: ["movesTime"],
    run: async ({ leases, passTime }) => {
      const grip = await taken(leases);
      assert.equal(await leases.renew(grip, leaseMs / 2), true);
      await passTime(leaseMs / 2 + 1);
      assert.equal(await isHeld(leases), false);
    },
  },
  {
    name: "a lease that is over, which nobody took, is renewed, and holds again",
    run: async (stage) => {
      const grip = await taken(stage.leases);
      await stage.endLease("a");
      assert.equal(await stage.leases.renew(grip, leaseMs), true);
      assert.equal(await isHeld(stage.leases), true);
    },
  },
  {
    name: "a lease that another took is not renewed, also not after that one released it",
    run: async (stage) => {
      const { zombie, owner } = await takenOver(stage);
      assert.equal(await stage.leases.renew(zombie, leaseMs), false);
      await stage.leases.release(owner);
      assert.equal(await stage.leases.renew(zombie, leaseMs), false);
      await taken(stage.leases);
    },
  },
  {
    name: "a released lease is not renewed and not released again",
    run: async ({ leases }) => {
      const grip = await taken(leases);
      assert.equal(await leases.release(grip), true);
      assert.equal(await leases.renew(grip, leaseMs), false);
      assert.equal(await leases.release(grip), false);
      await taken(leases);
    },
  },
  {
    name: "what was overtaken changes nothing: neither its renewal nor its release ends the other's lease",
    run: async (stage) => {
      const { zombie, owner } = await takenOver(stage);
      assert.equal(await stage.leases.release(zombie), false);
      assert.equal(await stage.leases.renew(zombie, 1), false);
      assert.equal(await isHeld(stage.leases), true);
      assert.equal(await stage.leases.renew(owner, leaseMs), true);
      assert.equal(await stage.leases.release(owner), true);
    },
  },
  {
    name: "of a name that nobody ever had nothing is renewed, released or told",
    run: async ({ leases }) => {
      const grip = { name: "never", attempt: request("never").attempt, token: 1 };
      assert.equal(await leases.renew(grip, leaseMs), false);
      assert.equal(await leases.release(grip), false);
      assert.equal(await leases.look("never"), null);
    },
  },
  {
    name: "looking tells the token, and that nobody has a released lease",
    run: async ({ leases }) => {
      const grip = await taken(leases);
      const standing = await leases.look("a");
      assert.equal(standing?.token, grip.token);
      assert.ok(standing.forMs === null || standing.forMs > 0);
      await leases.release(grip);
      const after = await leases.look("a");
      assert.equal(after?.token, grip.token);
      assert.ok(after.forMs !== null && after.forMs <= 0, `for ${after.forMs}`);
    },
  },
  {
    name: "looking tells the last holder, for how long, and that nobody has a lease that is over",
    needs: ["tells"],
    run: async (stage) => {
      const { owner } = await takenOver(stage);
      const { forMs, ...standing } = (await stage.leases.look("a")) ?? { forMs: null };
      assert.deepEqual(standing, { token: owner.token, holder: "owner" });
      assert.ok(forMs !== null && forMs > leaseMs - 10_000 && forMs <= leaseMs, `for ${forMs}`);
      await stage.endLease("a");
      const after = await stage.leases.look("a");
      assert.equal(after?.holder, "owner");
      assert.ok(after.forMs !== null && after.forMs <= 0, `for ${after.forMs}`);
    },
  },
  {
    name: "names are compared as they are: case, spaces, accents and length tell them apart",
    run: async ({ leases }) => {
      const grips = [];
      for (const name of names) grips.push(await taken(leases, name));
      for (const grip of grips) {
        assert.equal(await leases.release(grip), true);
        assert.equal((await leases.look(grip.name))?.token, grip.token);
      }
    },
  },
  {
    name: "leases of other names neither hold nor end one another",
    run: async (stage) => {
      const [a, b] = [await taken(stage.leases, "a"), await taken(stage.leases, "b")];
      await stage.leases.release(a);
      assert.equal(await isHeld(stage.leases, "b"), true);
      assert.equal(await stage.leases.renew({ ...b, name: "a" }, leaseMs), false);
      assert.equal(await stage.leases.release({ ...b, name: "a" }), false);
      assert.equal(await stage.leases.renew(b, leaseMs), true);
    },
  },
];
