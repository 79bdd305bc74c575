/** What the types of caches accept and infer; compiled as `accepted.ts` is. */
import { expectTypeOf } from "expect-type";
import {
  type AsideCache,
  type Cache,
  type Cacheable,
  type Loader,
  loaded,
  notModified,
  outcomeOf,
  type Schema,
  unchecked,
  type WritableCache,
  type WriteBehindCache,
} from "../../src/index.ts";
import { bookSeat, common, everyone, first, reprise } from "./accepted.ts";

// ── a cached read: inference ──

// Any order of properties; an annotated loader gives its own types.
const anyOrder = reprise.cache.readThrough({
  load: async ({ workshop, page }: { workshop: string; page: number }, { signal }) => [workshop, page, signal.aborted],
  changedBy: () => [outcomeOf(bookSeat, ({ workshop }) => ({ workshop }))],
  scope: ["page", "workshop"],
  sameForEvery: everyone,
  ...common,
});
expectTypeOf(anyOrder).toEqualTypeOf<Cache<{ workshop: string; page: number }, (string | number | boolean)[]>>();

// Interfaces, literal unions, optional members, a loader that is not asynchronous.
interface Sorted {
  readonly by: "price" | "date";
  readonly page?: number;
}
const sorted = reprise.cache.readThrough({
  ...common,
  scope: ["by", "page"],
  sameForEvery: everyone,
  load: (scope: Sorted) => ({ by: scope.by }),
});
expectTypeOf(sorted).toEqualTypeOf<Cache<Sorted, { by: "price" | "date" }>>();

// Branded identifiers.
type WorkshopId = string & { readonly brand: "workshop" };
const branded = reprise.cache.readThrough({
  ...common,
  scope: ["id"],
  sameForEvery: everyone,
  load: async ({ id }: { id: WorkshopId }) => ({ id }),
});
expectTypeOf(branded).toEqualTypeOf<Cache<{ id: WorkshopId }, { id: WorkshopId }>>();

// Dimensions in the scope, personal data, a computed duration.
const seconds: number = Number("60");
const profile = reprise.cache.readThrough({
  ...common,
  holds: "personal",
  freshFor: `${seconds}s`,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  load: async ({ user }) => ({ name: user }),
});
expectTypeOf(profile).toEqualTypeOf<Cache<{ readonly user: string }, { name: string }>>();

// A value that may be missing.
const found = reprise.cache.readThrough({
  ...common,
  scope: ["slug", "locale"],
  sameForEvery: ["tenant", "user", "role"],
  load: async ({ slug, locale }) => (slug === "" ? undefined : { html: slug + locale }),
});
expectTypeOf(found.get).returns.resolves.toEqualTypeOf<{ html: string } | undefined>();

const search = reprise.cache.cacheAside({
  ...common,
  scope: ["words"],
  sameForEvery: everyone,
  value: unchecked<readonly string[]>(),
});
const looked = await search.lookup({ words: "pottery" });
if (looked.hit) expectTypeOf(looked.value).toEqualTypeOf<readonly string[]>();
else expectTypeOf(looked.store).returns.resolves.toEqualTypeOf<boolean>();
await search.get({ words: "pottery" }, async ({ words }) => [words]);

// A loader handed to `get` is typed by the declared value: literals stay what they are, what it leaves out is optional.
const choices = reprise.cache.cacheAside({
  ...common,
  scope: ["id"],
  sameForEvery: everyone,
  value: unchecked<{ kind: "course" | "talk"; tags: string[]; at?: Date } | undefined>(),
});
await choices.get({ id: "a" }, async () => ({ kind: "talk", tags: [] }));
await choices.get({ id: "a" }, ({ id }) => loaded({ kind: "talk", tags: [id] }, { tags: [id] }));
await choices.get({ id: "a" }, async () => undefined);
expectTypeOf(choices).toEqualTypeOf<
  AsideCache<{ readonly id: string }, { kind: "course" | "talk"; tags: string[]; at?: Date } | undefined>
>();
// A value may hold promises.
reprise.cache.readThrough({
  ...common,
  scope: ["id"],
  sameForEvery: everyone,
  load: async ({ id }) => ({ id, later: Promise.resolve({ id }) }),
});

// Helpers of the user's own, generic in the value, around a cache-aside cache.
export function searchTable<V>(name: string, value: Schema<unknown, Cacheable<V>>): AsideCache<{ id: string }, V> {
  return reprise.cache.cacheAside({ ...common, name, scope: ["id"], sameForEvery: everyone, value });
}
export async function readOrLoad<V>(cache: AsideCache<{ id: string }, V>, load: Loader<{ id: string }, V>): Promise<V> {
  await cache.put({ id: "a" }, await cache.get({ id: "a" }, load));
  return cache.get({ id: "a" }, load);
}

// A helper of the user's own, generic in the value.
export function lookupTable<V>(name: string, find: Loader<string, V>): Cache<{ id: string }, V> {
  return reprise.cache.readThrough({
    ...common,
    name,
    scope: ["id"],
    sameForEvery: everyone,
    load: ({ id }: { id: string }, context) => find(id, context),
  });
}
expectTypeOf(lookupTable("a", async () => 1)).toEqualTypeOf<Cache<{ id: string }, number>>();

// What a source says of a value leaves the value's type as it is; so do Maps, dates and bytes.
const revalidated = reprise.cache.readThrough({
  ...common,
  scope: ["id"],
  sameForEvery: everyone,
  load: async ({ id }, { etag }) =>
    etag === undefined ? loaded({ id, at: new Date() }, { etag: "v1", tags: [id], freshFor: "5m" }) : notModified(),
  loadMany: async (scopes, { signal }) =>
    scopes.map(({ id }) => {
      if (signal.aborted) return new Error("too late");
      if (id === "") return undefined;
      return id === "a" ? { id, at: new Date() } : loaded({ id, at: new Date() }, { tags: ["t"] });
    }),
  staleFor: "1h",
  absentFor: "10s",
  deadline: { soft: "100ms", hard: "5s" },
  early: 2,
  protect: "high",
  clone: true,
});
expectTypeOf(revalidated).toEqualTypeOf<Cache<{ readonly id: string }, { id: string; at: Date }>>();
await revalidated.put({ id: "a" }, loaded({ id: "a", at: new Date() }, { tags: ["t"] }));
const collections = reprise.cache.readThrough({
  ...common,
  scope: ["id"],
  sameForEvery: everyone,
  load: async () => ({ seats: new Map([["a", { left: 3 }]]), names: new Set<string>(), bytes: new Uint8Array() }),
});
expectTypeOf(collections.get).returns.resolves.toEqualTypeOf<{
  seats: Map<string, { left: number }>;
  names: Set<string>;
  bytes: Uint8Array<ArrayBuffer>;
}>();

// ── caches that write ──

const written = reprise.cache.writeThrough({
  ...common,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  holds: "personal",
  load: async ({ user }) => ({ name: user }),
  write: async ({ user }, { name }, { signal }) => {
    signal.throwIfAborted();
    void [user, name];
  },
});
expectTypeOf(written).toEqualTypeOf<WritableCache<{ readonly user: string }, { name: string }>>();
await written.write({ user: "u" }, { name: "n" });

const views = reprise.cache.writeBehind({
  ...common,
  scope: ["page"],
  sameForEvery: everyone,
  load: async ({ page }) => page.length,
  writeMany: async (writes) => {
    for (const { scope, value, version } of writes) {
      expectTypeOf(scope).toEqualTypeOf<{ readonly page: string }>();
      expectTypeOf([value, version]).toEqualTypeOf<number[]>();
    }
  },
  ifLost: "never",
});
expectTypeOf(views).toEqualTypeOf<WriteBehindCache<{ readonly page: string }, number>>();
expectTypeOf((await views.dead())[0]?.scope).toEqualTypeOf<{ readonly page: string } | undefined>();

// Without a ledger there is no journal; what a crash may lose is then accepted.
const counted = first.cache.writeBehind({
  name: "views",
  scope: ["page"],
  freshFor: "5m",
  load: async ({ page }) => page.length,
  writeMany: async () => {},
  ifLost: { accept: "5s" },
});
await counted.write({ page: "home" }, 1);
