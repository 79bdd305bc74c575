import { expect, test } from "vitest";
import { hashOfNumber } from "../../src/base/hash.ts";
import { createLfu } from "../../src/cache/memory/eviction/lfu.ts";

/** A memory of that many entries, each of the weight, under `lfu`. */
function createMemory(entries: number, weight = 1) {
  const policy = createLfu({ maxWeight: entries * weight });
  const places = new Map<number, number>();
  const keys: number[] = [];
  let free = 0;
  return {
    policy,
    has: (key: number) => places.has(key),
    size: () => places.size,
    /** Whether it was a hit. */
    read: (key: number) => {
      const found = places.get(key);
      if (found !== undefined) {
        policy.touch(found);
        return true;
      }
      const place = free;
      places.set(key, place);
      keys[place] = key;
      policy.add(place, hashOfNumber(key, 7), weight);
      if (policy.weight() <= entries * weight) {
        free += 1;
      } else {
        free = policy.evict();
        places.delete(keys[free] as number);
      }
      return false;
    },
  };
}

/** Numbers from 0 to 1, the same in each run. */
function createRandom(seed: number) {
  let turn = 0;
  return () => {
    turn += 1;
    return hashOfNumber(turn, seed) / 2 ** 32;
  };
}

const hot = Array.from({ length: 100 }, (_, key) => key);

for (const [unit, weight] of [
  ["entries", 1],
  ["bytes", 700],
] as const) {
  test(`a pass over keys that are read once leaves what is read often, bounded in ${unit}`, () => {
    const memory = createMemory(200, weight);
    for (let round = 0; round < 20; round += 1) for (const key of hot) memory.read(key);
    for (let key = 1_000; key < 11_000; key += 1) memory.read(key);

    expect(hot.filter(memory.has).length).toBeGreaterThanOrEqual(90);
    expect(memory.size()).toBe(200);
  });

  test(`the window grows where keys are read again soon and then never, bounded in ${unit}`, () => {
    const memory = createMemory(200, weight);
    const random = createRandom(1);
    const before = memory.policy.windowShare();
    for (let step = 0; step < 20_000; step += 1) {
      memory.read(step);
      memory.read(Math.max(0, step - Math.floor(random() * 150)));
    }

    expect(memory.policy.windowShare()).toBeGreaterThan(2 * before);
  });

  test(`the window shrinks again where some keys are read more often than others, bounded in ${unit}`, () => {
    const memory = createMemory(200, weight);
    const random = createRandom(2);
    for (let step = 0; step < 20_000; step += 1) {
      memory.read(1_000_000 + step);
      memory.read(1_000_000 + Math.max(0, step - Math.floor(random() * 150)));
    }
    const grown = memory.policy.windowShare();
    for (let step = 0; step < 200_000; step += 1) memory.read(Math.floor(2_000 * random() ** 3));

    expect(memory.policy.windowShare()).toBeLessThan(grown / 2);
  });
}

test("what was read often long ago gives way to what is read often now", () => {
  const memory = createMemory(100);
  for (let round = 0; round < 100; round += 1) for (const key of hot) memory.read(key);
  for (let round = 0; round < 300; round += 1) for (const key of hot) memory.read(key + 1_000);

  expect(hot.filter((key) => memory.has(key + 1_000)).length).toBeGreaterThanOrEqual(90);
});

test("a slot larger than the window finds room, and the slot added last is never the one that leaves", () => {
  const policy = createLfu({ maxWeight: 100 });
  for (let place = 0; place < 100; place += 1) policy.add(place, hashOfNumber(place, 1), 1);
  policy.add(100, hashOfNumber(100, 1), 60);
  const left: number[] = [];
  while (policy.weight() > 100) left.push(policy.evict());

  expect(left).toHaveLength(60);
  expect(left).not.toContain(100);
});

test("a read of a slot that left counts for nobody who takes its place", () => {
  const policy = createLfu({ maxWeight: 10 });
  policy.add(0, hashOfNumber(0, 1), 1);
  policy.touch(0);
  policy.remove(0);
  policy.add(0, hashOfNumber(1, 1), 4);
  policy.touch(0);
  policy.add(1, hashOfNumber(2, 1), 3);

  expect(policy.weight()).toBe(7);
  expect([policy.evict(), policy.evict(), policy.evict()].sort()).toEqual([-1, 0, 1]);
});
