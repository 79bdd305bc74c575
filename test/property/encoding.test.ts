import fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprint } from "../../src/base/fingerprint.ts";
import { nameOf } from "../../src/base/names.ts";
import { encodeScalars, type Scalar } from "../../src/base/scalar.ts";
import { restore, store } from "../../src/base/storable.ts";

/** Strings of any UTF-16 code units: quotes, separators, nulls, lone surrogates. */
const anyString = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("", '"', "\\", "\u0000", ",", '","', "\ud800", "\\ud800", "null", "1", "true", '["1"]'),
);
const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  anyString,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.bigInt(),
  fc.boolean(),
);
const tuple = fc.array(fc.option(scalar, { nil: undefined }), { maxLength: 4 });

const same = (a: readonly unknown[], b: readonly unknown[]) =>
  a.length === b.length && a.every((part, index) => part === b[index]);

test("different scopes and identities never meet, whatever their strings contain", () => {
  fc.assert(
    fc.property(tuple, tuple, (a, b) => {
      expect(encodeScalars(a, "a") === encodeScalars(b, "b")).toBe(same(a, b));
    }),
    { numRuns: 5_000 },
  );
});

test("a part cannot move into its neighbour", () => {
  fc.assert(
    fc.property(anyString, anyString, anyString, (a, b, c) => {
      fc.pre(b !== "");
      expect(encodeScalars([a + b, c], "a")).not.toBe(encodeScalars([a, b + c], "b"));
    }),
    { numRuns: 2_000 },
  );
});

test("each kind is encoded apart", () => {
  const kinds: readonly (Scalar | undefined)[] = [
    1,
    "1",
    1n,
    true,
    "true",
    undefined,
    "null",
    "undefined",
    '["1"]',
    "",
  ];
  expect(new Set(kinds.map((kind) => encodeScalars([kind], "kind"))).size).toBe(kinds.length);
});

test("names of work and names of keys never meet, also of equal parts", () => {
  fc.assert(
    fc.property(fc.array(scalar, { maxLength: 3 }), fc.array(scalar, { maxLength: 3 }), (a, b) => {
      expect(nameOf("work", a)).not.toBe(nameOf("key", b));
      expect(nameOf("work", a) === nameOf("work", b)).toBe(same(a, b));
    }),
  );
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, null, {}, [], Symbol("s"), () => 1])(
  "what is no scalar is refused: %s",
  (value) => {
    expect(() => encodeScalars([value], "a scope")).toThrowError(
      expect.objectContaining({ code: "REPRISE_BAD_SCALAR" }),
    );
  },
);

/** A member called __proto__ is refused, see below. */
const json = fc
  .jsonValue()
  .filter((value) => !JSON.stringify(value).includes("__proto__"))
  .map((value) => structuredClone(value));

/** The same members in another order, all the way down. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, part]) => [name, reversed(part)]),
  );
}

test("a fingerprint does not depend on the order of members", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(fingerprint(reversed(value), "input")).toEqual(fingerprint(value, "input"));
    }),
  );
});

test("different inputs have different fingerprints", () => {
  const plain = (value: unknown) => JSON.stringify(reversed(reversed(value)), sortMembers);
  fc.assert(
    fc.property(json, json, (a, b) => {
      expect(fingerprint(a, "a").hash === fingerprint(b, "b").hash).toBe(plain(a) === plain(b));
    }),
  );
});

function sortMembers(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

test("what JSON has no word for meets nothing else, also not what looks like its mark", () => {
  const inputs = [
    new Date(5),
    5,
    5n,
    "5",
    Number.NaN,
    "NaN",
    null,
    undefined,
    [undefined],
    [null],
    new Uint8Array([5]),
    new Map([["a", 5]]),
    { a: 5 },
    new Set([5]),
    [5],
    { $: "bigint", is: "5" },
    { $: "undefined" },
    { $: "object", is: { $: "bigint", is: "5" } },
    {},
  ];
  expect(new Set(inputs.map((input) => fingerprint(input, "input").hash)).size).toBe(inputs.length);
});

test("a member that is undefined is no member", () => {
  expect(fingerprint({ a: 1, b: undefined }, "input")).toEqual(fingerprint({ a: 1 }, "input"));
});

test.each([
  ["a member called __proto__", JSON.parse('{"__proto__":5}')],
  ["nesting deeper than 100", JSON.parse(`${"[".repeat(120)}1${"]".repeat(120)}`)],
  ["a function", () => 1],
  ["a class", new (class Seat {})()],
  ["a lone surrogate", "\ud800"],
])("%s has no fingerprint, and the error names the place and not the value", (_, value) => {
  expect(() => fingerprint({ outer: { inner: value } }, "the input of 'x'")).toThrowError(
    expect.objectContaining({ code: "REPRISE_NOT_STORABLE" }),
  );
});

test("the fingerprint of version 1 never changes", () => {
  // RFC 8785, section 3.2.2: the canonical form of this input is prescribed to the byte
  const input = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  );
  expect(fingerprint(input, "input")).toEqual({
    version: 1,
    hash: "2d5e01a318d0f0879ab568c4be289c8b1f64ef8921a53c6277d5e069978baacb",
  });
  expect(fingerprint({ at: new Date(0), big: 1n, bytes: new Uint8Array([1]) }, "input").hash).toBe(
    "a4f0e16447106c3de9532716701316df92fdba680b1c67ca983905a0c5e04dc7",
  );
});

test("what is stored comes back as it was", () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: false,
    key: fc.string().filter((name) => name !== "__proto__"),
  });
  const buffer = fc.uint8Array().map((bytes) => Buffer.from(bytes));
  const inside = fc
    .tuple(anything, buffer)
    .map(([value, bytes]) => ({ value, bytes, by: new Map([[bytes, [bytes]]]) }));
  fc.assert(
    fc.property(fc.oneof(anything, buffer, inside), (value) => {
      expect(restore(store({ value }, "it"))).toEqual({ value });
    }),
  );
});

test.each([
  ["a member called __proto__", new Map([["", JSON.parse('{"__proto__":null}')]])],
  ["a member named by a symbol", { [Symbol("seat")]: 1 }],
  ["an instance of a class", new (class Seat {})()],
  ["a function", () => 1],
  ["a symbol", Symbol("seat")],
])("%s cannot be stored, and the error says so", (kind, value) => {
  expect(() => store({ value }, "it")).toThrowError(
    expect.objectContaining({
      code: "REPRISE_NOT_STORABLE",
      details: expect.objectContaining({ kind }),
    }),
  );
});
