/**
 * Fills a cache of 64 MB with values of the kind that its argument names, and tells, as a line of JSON, by how much the
 * heap grew and what memory says it holds; without an argument, which kinds there are. Run with --expose-gc.
 */
import { createCaches } from "../../src/cache/caches.ts";
import { manualClock } from "../../src/testing/clock.ts";

const megabyte = 1024 * 1024;
const bound = 64 * megabyte;

const kinds: Readonly<Record<string, (n: number) => unknown>> = {
  "small rows": (n) => ({ id: n, name: `seat ${n}`, price: n + 0.25, free: n % 2 === 0 }),
  "parsed documents": (n) =>
    JSON.parse(
      `{"id":${n},"tags":["t${n}","u${n}"],"rows":[${Array.from({ length: 20 }, (_, i) => `{"i":${i},"text":"row ${i} of ${n}"}`).join()}]}`,
    ),
  texts: (n) => Buffer.from(`${n}`.padStart(2_000, "x")).toString("latin1"),
  numbers: (n) => n,
};

const used = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

async function fill(kind: string) {
  const make = kinds[kind];
  if (make === undefined) return { kinds: Object.keys(kinds) };
  const clock = manualClock();
  const caches = createCaches({ clock: () => clock, bound: { unit: "bytes", most: bound }, eviction: "lru" });
  const cache = caches.cacheAside({ name: "filled", scope: ["id"], freshFor: "1h" });
  const put = (n: number) => cache.put({ id: n % 2 === 0 ? n : `entry-number-${n}` }, make(n));
  // what is compiled and kept once is not the cache's
  for (let n = 0; n < 1_000; n += 1) await put(n);
  const before = used();
  const held = caches.memory.bytes() ?? 0;
  for (let n = 1_000; (caches.list()[0]?.counters.evicted ?? 0) < 2_000; n += 1) await put(n);
  return { grown: used() - before + held, told: caches.memory.bytes(), entries: caches.memory.entries() };
}

process.stdout.write(JSON.stringify(await fill(process.argv[2] ?? "")));
