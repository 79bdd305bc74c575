import fc from "fast-check";
import { expect, test } from "vitest";
import { createKeys, encodeKey } from "../../src/cache/key.ts";
import { createScopeIndex } from "../../src/cache/memory/scope-index.ts";
import type { Parts } from "../../src/cache/memory/slots.ts";

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
  const keys = createKeys("any", names);
  const scope = fc.record(Object.fromEntries(names.map((name) => [name, scalar])));

  test(`two scopes of ${names.length} parts have one key if, and only if, all parts are the same`, () => {
    fc.assert(
      fc.property(scope, scope, (one, other) => {
        const same = names.every((name) => one[name] === other[name]);
        expect(encodeKey(keys.check(one)) === encodeKey(keys.check(other))).toBe(same);
        expect(encodeKey(keys.check({ ...one, stranger: 1 }))).toBe(encodeKey(keys.check(one)));
      }),
      { numRuns: 2_000 },
    );
  });

  test(`a scope of ${names.length} parts leads to what was kept for it, and to nothing else`, () => {
    // few values, so that scopes share their first parts
    const few = fc.record(
      Object.fromEntries(names.map((name) => [name, fc.constantFrom("x", "y", 1, "1", undefined)])),
    );
    const step = fc.record({ scope: few, keep: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const index = createScopeIndex<{ readonly parts: Parts }>(names, ({ parts }) => parts);
        const model = new Map<string, { readonly parts: Parts }>();
        for (const { scope: given, keep } of steps) {
          const parts = keys.check(given);
          if (keep) {
            const kept = { parts };
            index.set(parts, kept);
            model.set(encodeKey(parts), kept);
          } else {
            index.delete(parts);
            model.delete(encodeKey(parts));
          }
          expect(index.size()).toBe(model.size);
          expect(new Set(index.values())).toEqual(new Set(model.values()));
          for (const seen of steps) {
            const expected = model.get(encodeKey(keys.check(seen.scope)));
            expect(index.find(seen.scope)).toBe(expected);
            expect(index.get(keys.check(seen.scope))).toBe(expected);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
}
