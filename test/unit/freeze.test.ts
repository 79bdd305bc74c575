import assert from "node:assert/strict";
import { inspect } from "node:util";
import { parse, stringify } from "devalue";
import { expect, test } from "vitest";
import { freezeDeep } from "../../src/cache/guard/freeze.ts";
import { sizeOf } from "../../src/cache/memory/size.ts";

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

const shared = () => ({
  byId: new Map<unknown, unknown>([[{ key: 1 }, { left: [3] }]]),
  tags: new Set<unknown>(["a", { tag: 1 }]),
  at: new Date(0),
});

test("a map, a set and a date throw where they would be changed, and say how to go on", () => {
  const { byId, tags, at } = freezeDeep(shared());
  const [key] = byId.keys();
  const changes = [
    () => byId.set("b", 1),
    () => byId.delete(key),
    () => byId.clear(),
    () => tags.add("b"),
    () => tags.delete("a"),
    () => tags.clear(),
    () => at.setTime(1),
    () => at.setFullYear(2000),
    () => at.setUTCMilliseconds(1),
  ];
  for (const change of changes) expect(change).toThrow(TypeError);
  expect(() => byId.set("secret", "secret")).toThrow(
    "set would change a Map that all readers of a cache share. Change a copy (structuredClone), or declare 'clone: true'.",
  );
  expect({ byId, tags, at }).toEqual(shared());
});

test("what a map and a set hold is frozen, keys too", () => {
  const inner = new Map([["c", { n: 1 }]]);
  const { byId, tags } = freezeDeep({ ...shared(), deep: new Set([inner]) });
  for (const held of [...byId.keys(), ...byId.values(), ...tags, ...inner.values()]) {
    expect(Object.isFrozen(held)).toBe(true);
  }
  expect(() => inner.set("d", { n: 2 })).toThrow(TypeError);
  const cycle = new Map<string, unknown>();
  cycle.set("self", cycle);
  expect(Object.isFrozen(freezeDeep(cycle))).toBe(true);
});

test("a read-only value is compared, copied, stored, printed and iterated as any other, and its copy can be changed", () => {
  const value = freezeDeep(shared());
  expect(value).toStrictEqual(shared());
  assert.deepStrictEqual(value, shared());
  expect(inspect(value)).toBe(inspect(shared()));
  expect(JSON.stringify(value)).toBe(JSON.stringify(shared()));
  expect(stringify(value)).toBe(stringify(shared()));
  expect(parse(stringify(value))).toEqual(shared());
  expect(sizeOf(value)).toBe(sizeOf(shared()));
  expect([[...value.byId], [...value.tags], value.at.getTime()]).toEqual([[...shared().byId], [...shared().tags], 0]);
  const copy = structuredClone(value);
  copy.byId.set("b", 1);
  copy.tags.add("b");
  copy.at.setTime(1);
  expect([copy.byId.size, copy.tags.size, copy.at.getTime()]).toEqual([2, 3, 1]);
  expect(value).toEqual(shared());
});

test("bytes and instances of classes stay as they are, also of classes that are derived from a map", () => {
  class Seat {
    readonly held: number[] = [];
  }
  class Index extends Map<string, number> {}
  const value = {
    bytes: new Uint8Array(2),
    buffer: Buffer.alloc(1),
    seat: new Seat(),
    index: new Index(),
    call: () => 1,
  };
  freezeDeep(value);
  value.bytes[0] = 1;
  value.buffer[0] = 1;
  value.seat.held.push(1);
  value.index.set("a", 1);
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
