import fc from "fast-check";
import { expect, test } from "vitest";
import { createPairing, type Pair, type Success } from "../../src/admin/pairing.ts";

function found(withinMs: number, successes: readonly Success[], mostListed = 1_000) {
  const pairing = createPairing(withinMs, mostListed);
  for (const success of successes) pairing.add(success);
  return pairing.found();
}

test("each success is paired with the one before it that meant the same, under another key and near enough", () => {
  const told = found(10, [
    { key: "a", same: "seat 7", at: 0 },
    { key: "b", same: "seat 8", at: 4 },
    { key: "c", same: "seat 7", at: 10 },
    { key: "d", same: "seat 7", at: 15 },
    { key: "d", same: "seat 7", at: 16 },
    { key: "e", same: "seat 8", at: 15 },
    { key: "f", same: "seat 7", at: 27 },
  ]);
  const pairs = [
    { first: "c", second: "d", at: 15, apartMs: 5 },
    { first: "a", second: "c", at: 10, apartMs: 10 },
  ];
  expect(told).toEqual({ pairs: 2, listed: pairs, largest: 3, from: 10, until: 15, shortestMs: 5, longestMs: 10 });
});

test("all are counted, and the last ones listed", () => {
  const successes = Array.from({ length: 100 }, (_, at) => ({ key: `k${at}`, same: "seat 7", at }));
  const { pairs, listed, largest } = found(10, successes, 2);
  expect([pairs, largest, listed.map(({ second }) => second)]).toEqual([99, 100, ["k99", "k98"]]);
});

test("what it forgets on the way changes no answer", () => {
  const success = fc.record({
    key: fc.constantFrom("a", "b", "c", "d", "e"),
    same: fc.constantFrom("x", "y", "z"),
    at: fc.integer({ min: 0, max: 60 }),
  });
  fc.assert(
    fc.property(fc.array(success, { maxLength: 40 }), (given) => {
      const successes = given.toSorted((a, b) => a.at - b.at);
      const expected: Pair[] = [];
      for (const [place, { key, same, at }] of successes.entries()) {
        const before = successes.slice(0, place).filter((other) => other.same === same);
        const last = before.at(-1);
        if (last === undefined || at - last.at > 10) continue;
        if (before.some((other) => other.key === key && at - other.at <= 10)) continue;
        expected.push({ first: last.key, second: key, at, apartMs: at - last.at });
      }
      expect(found(10, successes).listed).toEqual(expected.toReversed());
    }),
  );
});
