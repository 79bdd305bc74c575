import { expect, test } from "vitest";
import { freezeDeep } from "../../src/cache/guard/freeze.ts";

test("plain objects and arrays are frozen at any depth, and the value is the same", () => {
  const value = { rows: [{ seats: [1, 2] }], bare: Object.assign(Object.create(null), { list: [] as number[] }) };
  expect(freezeDeep(value)).toBe(value);
  expect(() => value.rows[0]?.seats.push(3)).toThrow(TypeError);
  expect(() => {
    value.rows = [];
  }).toThrow(TypeError);
  expect(() => value.bare.list.push(1)).toThrow(TypeError);
});

test("cycles end, and a value deeper than the stack is frozen to its end", () => {
  const cycle: Record<string, unknown> = { list: [] };
  (cycle["list"] as unknown[]).push(cycle);
  expect(Object.isFrozen(freezeDeep(cycle)["list"])).toBe(true);
  const end = { end: true };
  let deep: object = end;
  for (let n = 0; n < 100_000; n += 1) deep = { deep };
  freezeDeep(deep);
  expect(Object.isFrozen(end)).toBe(true);
});

test("what is frozen already is not entered", () => {
  const inner = { n: 1 };
  freezeDeep({ outer: Object.freeze({ inner }) });
  expect(Object.isFrozen(inner)).toBe(false);
});

test("maps, sets, dates, bytes and instances stay as they are", () => {
  class Seat {
    readonly held: number[] = [];
  }
  const value = {
    map: new Map([["a", {}]]),
    set: new Set([1]),
    date: new Date(0),
    bytes: new Uint8Array(2),
    buffer: Buffer.alloc(1),
    seat: new Seat(),
    call: () => 1,
  };
  freezeDeep(value);
  value.map.set("b", {});
  value.date.setTime(1);
  value.bytes[0] = 1;
  value.buffer[0] = 1;
  value.seat.held.push(1);
  for (const held of Object.values(value)) expect(Object.isFrozen(held)).toBe(false);
});

test("it never throws and calls no getter: primitives, bytes at the root, refusing proxies", () => {
  let called = false;
  const refuse = () => {
    throw new Error("no");
  };
  const after = { n: 1 };
  const value = {
    proxy: new Proxy({}, { preventExtensions: refuse, ownKeys: refuse, isExtensible: refuse }),
    hidden: new Proxy({}, { getPrototypeOf: refuse }),
    get lazy() {
      called = true;
      return refuse();
    },
    after,
  };
  freezeDeep(value);
  expect(called).toBe(false);
  expect(Object.isFrozen(after)).toBe(true);
  for (const root of [undefined, null, 1, "a", Symbol("a"), new Uint8Array(1), refuse]) {
    expect(freezeDeep(root)).toBe(root);
  }
});
