import fc from "fast-check";
import { expect, test } from "vitest";
import { createKeys } from "../../src/cache/key.ts";

const scalar = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", ":", "1:a", "n1;", "u", "t", "0", "1", "true", "\u0000"),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -3, max: 3 }),
  fc.bigInt({ min: -3n, max: 3n }),
  fc.boolean(),
  fc.constant(undefined),
);

for (const names of [["a"], ["a", "b"], ["a", "b", "c"]]) {
  test(`two scopes of ${names.length} parts have one key if, and only if, all parts are the same`, () => {
    const keys = createKeys("any", names);
    const scope = fc.record(Object.fromEntries(names.map((name) => [name, scalar])));
    fc.assert(
      fc.property(scope, scope, (one, other) => {
        const same = names.every((name) => one[name] === other[name]);
        const map = new Map([[keys.check(one), "found"]]);
        expect(map.has(keys.find(other))).toBe(same);
        expect(map.get(keys.find({ ...one, stranger: 1 }))).toBe("found");
      }),
      { numRuns: 2_000 },
    );
  });
}
