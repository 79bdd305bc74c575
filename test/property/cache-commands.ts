import fc from "fast-check";

/** What may happen to the caches of the model, and how they are declared. */

const patterns = ["read-through", "cache-aside", "write-through"] as const;

/** Instants are near each other, so that lives, deadlines, back-offs and sweeps meet. */
export const times = { freshMs: 3_000, absentMs: 1_500, staleMs: 2_000, softMs: 300, hardMs: 4_000 } as const;

const declaration = fc.record({
  pattern: fc.constantFrom(...patterns),
  names: fc.constantFrom<readonly ["id"] | readonly ["tenant", "id"]>(["id"], ["tenant", "id"]),
  isStale: fc.constantFrom(true, true, false),
  isSoft: fc.boolean(),
  queue: fc.constantFrom(undefined, undefined, undefined, 1, 3),
  early: fc.constantFrom<"never" | number>("never", 10, 10),
  isProtected: fc.boolean(),
  isCapped: fc.boolean(),
  isRefreshed: fc.constantFrom(false, false, true),
  /** Its loaders say what they know of their values. */
  tells: fc.constantFrom(true, true, false),
  hasAbsent: fc.boolean(),
  inBatches: fc.boolean(),
  /** Its loaders and writers reject when their signal aborts. */
  heeds: fc.boolean(),
});
export type Declared = typeof declaration extends fc.Arbitrary<infer T> ? T : never;

export const setup = fc.record({
  eviction: fc.constantFrom("lru" as const, "lfu" as const, "nearest-expiry" as const),
  maxEntries: fc.constantFrom(1, 2, 10, 10),
  loadsAtOnce: fc.constantFrom(1, 2, 4),
  keeps: fc.constantFrom(true, true, true, true, true, false),
  isSampled: fc.boolean(),
  /** What jitter and early refreshes are drawn from, in turn. */
  draws: fc.array(fc.constantFrom(0, 0.1, 0.5, 0.9, 0.999), { minLength: 1, maxLength: 5 }),
  caches: fc.tuple(declaration, declaration),
});
export type Setup = typeof setup extends fc.Arbitrary<infer T> ? T : never;

// most of it on one key of one cache: races need two to meet
const of = fc.constantFrom(0, 0, 0, 1);
const key = fc.constantFrom(0, 0, 0, 0, 1, 2);
const place = fc.nat({ max: 3 });
const verb = fc.constantFrom("purge" as const, "expire" as const);

const one = <const Name extends string, Rest extends Record<string, unknown>>(
  weight: number,
  name: Name,
  rest: { readonly [K in keyof Rest]: fc.Arbitrary<Rest[K]> },
) => ({ weight, arbitrary: fc.record({ do: fc.constant(name), ...rest }) as fc.Arbitrary<{ do: Name } & Rest> });

interface Mix {
  /** Changes of one key, beside what reads and passes. */
  readonly unrest: number;
  /** Changes of many keys. */
  readonly grouped: number;
  readonly reads: number;
}
const mixed = ({ unrest, grouped, reads }: Mix) =>
  fc.oneof(
    one(reads, "get", { of, key, isAbortable: fc.constantFrom(false, false, true) }),
    one(8, "entry", { of, key }),
    one(12, "many", { of, keys: fc.array(key, { minLength: 1, maxLength: 4 }), isSettled: fc.boolean() }),
    one(4, "peek", { of, key }),
    one(12, "lookup", { of, key }),
    one(12, "store", { place }),
    one(12, "modify", { of, key }),
    one(3 * unrest, "change", { of, key, verb }),
    one(grouped, "commit", { of, key, verb, named: fc.nat({ max: 3 }) }),
    one(grouped, "tag", { of, tag: fc.constantFrom("t", "u"), verb }),
    one(2 * unrest, "put", { of, key, isTold: fc.boolean() }),
    one(4 * unrest, "write", { of, key }),
    one(3 * unrest, "land", { place }),
    one(4 * unrest, "arrive", { place }),
    one(unrest, "refuse", { place }),
    one(64, "answer", { place }),
    one(8, "fail", { place, mask: fc.nat({ max: 15 }) }),
    one(4, "abort", { place }),
    one(40, "advance", { ms: fc.constantFrom(1, 100, 100, 300, 300, 300, 1_000, 1_000, 1_500, 4_000) }),
  );
const restless = mixed({ unrest: 4, grouped: 8, reads: 64 });
const calm = mixed({ unrest: 1, grouped: 2, reads: 64 });
const grouped = mixed({ unrest: 1, grouped: 40, reads: 24 });
export type Step =
  | (typeof calm extends fc.Arbitrary<infer T> ? T : never)
  | { readonly do: "close"; readonly ms: number };

const many = (each: typeof calm) =>
  fc.array(fc.record({ step: each, isApart: fc.constantFrom(true, true, true, false) }), {
    minLength: 1,
    maxLength: 220,
    size: "max",
  });

/** Whether everything settles before the next step, or both happen in one tick. */
export const steps = fc
  .tuple(
    fc.oneof(many(restless), many(calm), many(grouped)),
    fc.oneof(
      { weight: 5, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.record({ at: fc.nat({ max: 200 }), ms: fc.constantFrom(100, 10_000) }) },
    ),
  )
  .map(([all, close]): readonly { readonly step: Step; readonly isApart: boolean }[] =>
    close === null
      ? all
      : [...all.slice(0, close.at), { step: { do: "close", ms: close.ms }, isApart: true }, ...all.slice(close.at)],
  );
