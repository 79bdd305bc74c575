import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { decodeAnswer, encodeAnswer } from "../../src/operation/record.ts";

interface Golden {
  readonly name: string;
  readonly kept: string;
}
const golden = JSON.parse(
  readFileSync(new URL("../golden/record/v1.json", import.meta.url), "utf8"),
) as readonly Golden[];

const shared = { seat: 14 };
const values: Readonly<Record<string, unknown>> = {
  plain: { reference: "b1", seat: 14, status: "booked", note: "ü\u2028<" },
  numbers: [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 7n],
  nothing: { none: undefined, nil: null, holes: Object.assign(new Array(3), { 1: "a" }) },
  "an object without a prototype": Object.assign(Object.create(null), { a: 1 }),
  collections: {
    map: new Map<unknown, unknown>([[{ a: 1 }, new Set(["b"])]]),
    dates: [new Date(5), new Date(Number.NaN)],
  },
  bytes: {
    bytes: Uint8Array.of(1, 2),
    part: Uint16Array.of(1, 2, 3).subarray(1),
    view: new DataView(new ArrayBuffer(2)),
  },
  others: [/a\d/g, new URL("http://a/?b=1"), new URLSearchParams("b=1"), Object("boxed")],
  "one object twice": [shared, shared],
  buffers: { photo: Buffer.from("hello"), empty: Buffer.alloc(0), all: new Map([["a", [Buffer.of(0, 255)]]]) },
};

const keep = (value: unknown) => encodeAnswer({ is: "value", value }, "the answer of 'pay'");
const comesBack = (value: unknown): unknown => {
  const answer = decodeAnswer(keep(value));
  return answer.is === "value" ? answer.value : undefined;
};

describe("a record", () => {
  test.each(golden)("of version 1 is read as it was kept: $name", ({ name, kept }) => {
    expect(decodeAnswer(kept)).toStrictEqual({ is: "value", value: values[name] });
  });

  test.each(golden)("is still written as version 1: $name", ({ name, kept }) => {
    expect(keep(values[name])).toBe(kept);
  });

  test("covers every kind of value", () => {
    expect(golden.map(({ name }) => name)).toEqual(Object.keys(values));
  });
});

test("a Buffer comes back as a Buffer, also as a member, a key and the same one twice", () => {
  const photo = Buffer.from("hello");
  const back = comesBack({ photo, again: photo, by: new Map([[photo, 1]]) }) as {
    photo: Buffer;
    again: Buffer;
    by: Map<Buffer, number>;
  };
  expect(back.photo.toString("hex")).toBe("68656c6c6f");
  expect(back.again).toBe(back.photo);
  expect(back.by.get(back.photo)).toBe(1);
});

test("of a Buffer that is a view of a pool its own bytes alone are kept", () => {
  const pool = Buffer.from("secret hello secret");
  const kept = keep(pool.subarray(7, 12));
  expect(kept).toContain(Buffer.from("hello").toString("base64"));
  expect(kept).not.toContain(pool.toString("base64").slice(0, 8));
  expect(comesBack(pool.subarray(7, 12))).toStrictEqual(Buffer.from("hello"));
});

class RowList extends Array<unknown> {
  readonly count = 1;
}
class Ledger extends Map {}
class Seats extends Set {}
class Instant extends Date {}
class Bytes extends Uint8Array {}
class SaysMap {
  readonly [Symbol.toStringTag] = "Map";
}
class SaysBytes {
  readonly [Symbol.toStringTag] = "Uint8Array";
}
const nested = (wrap: (inner: unknown) => unknown) => {
  let value: unknown = 1;
  for (let depth = 0; depth < 5_000; depth += 1) value = wrap(value);
  return value;
};

describe("what would come back as something else is refused, with its place and its kind:", () => {
  const instance = "an instance of a class";
  const members = "a built-in object with named members";
  const byASymbol = "a member named by a symbol";
  test.each<[string, unknown, string]>([
    ["an extended Array", RowList.from([{ a: 1 }]), instance],
    ["an extended Map", new Ledger(), instance],
    ["an extended Set", new Seats(), instance],
    ["an extended Date", new Instant(0), instance],
    ["an extended Uint8Array", new Bytes(2), instance],
    ["a match", "abc".match(/b/), "an array with named members"],
    ["an array with a member that looks like an index", Object.assign([1], { "01": 1 }), "an array with named members"],
    [
      "an array with a member named by a symbol",
      Object.assign([1], { [Symbol("a")]: 1 }),
      "an array with named members",
    ],
    ["a map with a member", Object.assign(new Map(), { a: 1 }), members],
    ["a set with a member", Object.assign(new Set(), { a: 1 }), members],
    ["a date with a member", Object.assign(new Date(0), { a: 1 }), members],
    ["bytes with a member", Object.assign(new Uint8Array(2), { a: 1 }), members],
    ["a Buffer with a member", Object.assign(Buffer.alloc(2), { a: 1 }), members],
    ["an object that says it is a Date", { [Symbol.toStringTag]: "Date" }, byASymbol],
    ["an object that says it is an Array", { [Symbol.toStringTag]: "Array" }, byASymbol],
    ["an instance that says it is a Map", new SaysMap(), instance],
    ["an instance that says it is bytes", new SaysBytes(), instance],
  ])("%s", (_, value, kind) => {
    expect(() => keep({ rows: [value] })).toThrowError(
      expect.objectContaining({
        code: "REPRISE_NOT_STORABLE",
        details: { what: "the answer of 'pay'", path: ".value.rows[0]", kind },
      }),
    );
  });

  test.each([
    ["objects", nested((inner) => ({ inner }))],
    ["arrays", nested((inner) => [inner])],
  ])("%s nested too deep, whose place is not known", (_, value) => {
    expect(() => keep(value)).toThrowError(
      expect.objectContaining({
        code: "REPRISE_NOT_STORABLE",
        details: { what: "the answer of 'pay'", path: "(itself)", kind: "nesting too deep" },
      }),
    );
  });
});

test("what extends an array can be kept as soon as it is spread", () => {
  expect(comesBack([...RowList.from([{ a: 1 }])])).toStrictEqual([{ a: 1 }]);
  expect(comesBack({ ..."abc".match(/b/) })).toMatchObject({ 0: "b", index: 1 });
});

test("arrays, maps, dates and bytes of another realm are kept", () => {
  const foreign: unknown = runInNewContext("({ all: [new Map([[1, new Set([2])]]), new Date(5), new Uint8Array(2)] })");
  expect(comesBack(foreign)).toStrictEqual({ all: [new Map([[1, new Set([2])]]), new Date(5), new Uint8Array(2)] });
});

test("members that are not enumerable are left out, as in a spread", () => {
  const rows = Object.defineProperty([1], "columns", { value: ["a"] });
  expect(comesBack(rows)).toStrictEqual([1]);
});
