import { expect, test } from "vitest";
import { loaded } from "../../src/index.ts";
import { cacheStand, settle } from "./cache-stand.ts";

/** A value that was written has tags that only its writer knows. */

const a = { id: "a" };

async function written(value: unknown) {
  const stand = cacheStand();
  const cache = stand.writeThrough();
  const write = cache.write(a, value);
  await settle();
  stand.written(0).arrive();
  await write;
  return { ...stand, cache };
}

test("one of which nobody said them changes with every tag", async () => {
  const purged = await written("new");
  expect(await purged.cache.peek(a)).toMatchObject({ value: "new", state: "fresh" });
  await purged.cache.purgeTag("brand");
  expect(await purged.cache.peek(a)).toBeUndefined();

  const expired = await written("new");
  await expired.cache.expireTag("brand");
  expect(await expired.cache.peek(a)).toBeUndefined();
});

test("one whose writer said them changes with those alone, and the source is given the bare value", async () => {
  const stand = await written(loaded("new", { tags: ["brand"] }));
  expect(stand.writes.map(({ value }) => value)).toEqual(["new"]);
  await stand.cache.purgeTag("other");
  expect(await stand.cache.peek(a)).toMatchObject({ value: "new" });
  expect((await stand.cache.explain(a)).entry?.tags).toEqual(["brand"]);
  await stand.cache.purgeTag("brand");
  expect(await stand.cache.peek(a)).toBeUndefined();
});

test("that nobody said them is no tag that is told", async () => {
  const { cache } = await written("new");
  expect((await cache.explain(a)).entry?.tags).toEqual([]);
});

test("a loaded value without tags changes with none", async () => {
  const stand = cacheStand();
  const cache = stand.readThrough();
  const read = cache.get(a);
  await settle();
  stand.held(0).answer();
  await read;
  await cache.purgeTag("brand");
  expect(await cache.peek(a)).toMatchObject({ value: "first" });
});

test("one that a load took from the journal is not stored when a tag changed meanwhile", async () => {
  const stand = cacheStand();
  const cache = stand.caches.writeBehind({
    ...{ name: "behind", scope: ["id"], freshFor: "60s", ifLost: { accept: "10s" } },
    load: stand.load,
    writeMany: async () => {},
  });
  await cache.write(a, "new");
  await cache.purge(a);
  const read = cache.get(a);
  await cache.purgeTag("brand");
  expect(await read).toBe("new");
  expect(await cache.peek(a)).toBeUndefined();
});
