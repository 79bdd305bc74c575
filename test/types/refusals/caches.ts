/** Cached reads that the compiler refuses; `declared.ts` tells how to read this file. */
import { createReprise, loaded, type NeverCached, outcomeOf, type Schema, unchecked } from "../../../src/index.ts";
import { book, common, everyone, first, reprise } from "./declared.ts";

// ── the scope and the dimensions ──

reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  // refused at `sameForEvery`: 'locale' is neither in scope nor in sameForEvery: can two answers differ by it?
  sameForEvery: ["tenant", "user", "role"],
  load: async ({ workshop }) => workshop,
});
reprise.cache.readThrough({
  ...common,
  scope: ["workshop", "tenant"],
  // refused at `sameForEvery`: 'tenant' is in scope, so the answer is not the same for every tenant
  sameForEvery: everyone,
  load: async ({ workshop }) => workshop,
});
reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  // refused at `sameForEvery`: Type '"flag"' is not assignable to type '"tenant" | "user" | "role" | "locale"'
  sameForEvery: [...everyone, "flag"],
  load: async ({ workshop }) => workshop,
});
reprise.cache.readThrough({
  ...common,
  // refused at `scope`: 'day' is a parameter of load and must be in scope
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop, day }: { workshop: string; day: string }) => workshop + day,
});
reprise.cache.readThrough({
  ...common,
  // refused at `scope`: 'page' is in scope, but load does not take it
  scope: ["workshop", "page"],
  sameForEvery: everyone,
  load: async ({ workshop }: { workshop: string }) => workshop,
});
reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  // refused at `day`: Property 'day' does not exist
  load: async ({ workshop, day }) => `${workshop}${day}`,
});
reprise.cache.cacheAside({
  ...common,
  scope: ["words"],
  // refused at `sameForEvery`: 'role' is neither in scope nor in sameForEvery: can two answers differ by it?
  sameForEvery: ["tenant", "user", "locale"],
  value: unchecked<readonly string[]>(),
});

declare const computed: string[];
reprise.cache.readThrough({
  ...common,
  // refused at `scope`: scope lists the names themselves: a string[] says nothing
  scope: computed,
  sameForEvery: everyone,
  load: async () => 1,
});

// ── what a cache may hold ──

reprise.cache.readThrough({
  ...common,
  // refused at `holds`: 'financial' data is never cached: read it from the source
  holds: "financial",
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => workshop,
});
reprise.cache.readThrough({
  ...common,
  // refused at `holds`: personal data needs a personal dimension in scope: 'user'
  holds: "personal",
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => workshop,
});
first.cache.readThrough({
  // refused at `holds`: personal data needs a personal dimension: declare one in createReprise
  holds: "personal",
  name: "a",
  scope: ["id"],
  freshFor: "1s",
  load: async ({ id }) => id,
});
reprise.cache.readThrough({
  ...common,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  // refused at `({ user`: Type 'NeverCached<string>' is not assignable to type '"declared NeverCached"'
  load: async ({ user }) => ({ user, paying: [{ card: "4…" as NeverCached<string> }] }),
});

reprise.cache.readThrough({
  ...common,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  // refused at `loaded`: Type 'NeverCached<string>' is not assignable to type '"declared NeverCached"'
  load: async ({ user }) => loaded({ user, paying: [{ card: "4…" as NeverCached<string> }] }, { freshFor: "1s" }),
});
declare const cardOf: { readonly [name: string]: readonly [NeverCached<string>, number] };
reprise.cache.writeThrough({
  ...common,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  // refused at `({ user`: Type 'NeverCached<string>' is not assignable to type '"declared NeverCached"'
  load: async ({ user }) => ({ user, cardOf }),
  write: async () => {},
});
reprise.cache.readThrough({
  ...common,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  // refused at `({ user`: Type 'NeverCached<string>' is not assignable to type '"declared NeverCached"'
  load: async ({ user }) => ({ user, cards: new Map([["visa", { number: "4…" as NeverCached<string> }]]) }),
});
reprise.cache.readThrough({
  ...common,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  // refused at `cards`: Type 'NeverCached<string>' is not assignable to type '"declared NeverCached"'
  load: ({ user }) => ({ user, cards: new Set(["4…" as NeverCached<string>]) }),
});
reprise.cache.readThrough({
  ...common,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  // refused at `({ user`: Type 'NeverCached<string>' is not assignable to type '"declared NeverCached"'
  load: async ({ user }) => ({ user, card: Promise.resolve({ number: "4…" as NeverCached<string> }) }),
});
reprise.cache.cacheAside({
  ...common,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  // refused at `value`: Type 'NeverCached<string>' is not assignable to type '"declared NeverCached"'
  value: unchecked<{ readonly paying: readonly { readonly card: NeverCached<string> }[] }>(),
});
declare const checked: Schema<unknown, Map<string, NeverCached<string>>>;
reprise.cache.cacheAside({
  ...common,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  // refused at `value`: Type 'NeverCached<string>' is not assignable to type '"declared NeverCached"'
  value: checked,
});
const paid = reprise.cache.cacheAside({
  ...common,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  value: unchecked<{ readonly card: string }>(),
});
// refused at `({ card`: Type 'NeverCached<string>' is not assignable to type '"declared NeverCached"'
void paid.get({ user: "u" }, async () => ({ card: "4…" as NeverCached<string> }));
reprise.cache.writeThrough({
  ...common,
  // refused at `holds`: 'financial' data is never cached: read it from the source
  holds: "financial",
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => workshop,
  write: async () => {},
});
reprise.cache.writeBehind({
  ...common,
  // refused at `holds`: personal data needs a personal dimension in scope: 'user'
  holds: "personal",
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => workshop,
  writeMany: async () => {},
  ifLost: "never",
});
reprise.cache.cacheAside({
  ...common,
  // refused at `holds`: 'secret' data is never cached: read it from the source
  holds: "secret",
  scope: ["words"],
  sameForEvery: everyone,
  value: unchecked<number>(),
});

// ── durations ──

reprise.cache.readThrough({
  ...common,
  // refused at `freshFor`: Type '"60"' is not assignable to type
  freshFor: "60",
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => workshop,
});
reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  // refused at `every`: Type '"45 sec"' is not assignable to type
  refresh: { hottest: 10, every: "45 sec" },
  load: async ({ workshop }) => workshop,
});

reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  // refused at `absentFor`: Type '"5"' is not assignable to type
  absentFor: "5",
  load: async ({ workshop }) => workshop,
});
reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  // refused at `soft`: Type '"soon"' is not assignable to type
  deadline: { soft: "soon" },
  load: async ({ workshop }) => workshop,
});
// refused at `freshFor`: Type '"soon"' is not assignable to type
loaded("value", { freshFor: "soon" });
// refused at `tags`: Type 'string' is not assignable to type 'readonly string[]'
loaded("value", { tags: "brand" });

// ── choices of a few words ──

declare const waits: { readonly most: number; readonly then: "wait" };

reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  // refused at `protect`: Type '"low"' is not assignable to type '"high"'
  protect: "low",
  load: async ({ workshop }) => workshop,
});
reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  // refused at `early`: Type '"always"' is not assignable to type 'number | "never"
  early: "always",
  load: async ({ workshop }) => workshop,
});
reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  // refused at `queue`: Type '"wait"' is not assignable to type '"stale" | "reject"'
  queue: waits,
  load: async ({ workshop }) => workshop,
});
reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  // refused at `queue`: Property 'then' is missing
  queue: { most: 1_000 },
  load: async ({ workshop }) => workshop,
});

// ── many at once ──

reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => ({ title: workshop }),
  // refused at `loadMany`: Type 'number' is not assignable to type
  loadMany: async (scopes) => scopes.map(({ workshop }) => ({ title: workshop.length })),
});
reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => workshop,
  // refused at `page`: Property 'page' does not exist
  loadMany: async (scopes) => scopes.map(({ page }) => page),
});
reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => workshop,
  // refused at `etag`: Property 'etag' does not exist
  loadMany: async (scopes, { etag }) => scopes.map(() => etag ?? ""),
});

// ── writes ──

first.cache.writeBehind({
  name: "a",
  scope: ["id"],
  freshFor: "1s",
  load: async ({ id }) => id,
  writeMany: async () => {},
  // refused at `ifLost`: "a journal needs a ledger: give createReprise one"
  ifLost: "never",
});
reprise.cache.writeBehind({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => workshop,
  writeMany: async () => {},
  // refused at `ifLost`: Type '"sometimes"' is not assignable to type '"never" | { readonly accept:
  ifLost: "sometimes",
});
reprise.cache.writeBehind({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => workshop,
  writeMany: async () => {},
  // refused at `accept`: Type '"little"' is not assignable to type
  ifLost: { accept: "little" },
});
reprise.cache.writeBehind({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => ({ title: workshop }),
  // refused at `seats`: Property 'seats' does not exist on type '{ title: string; }'
  writeMany: async (writes) => writes.forEach(({ value: { seats } }) => void seats),
  ifLost: "never",
});
const written = reprise.cache.writeThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => ({ title: workshop }),
  // refused at `page`: Property 'page' does not exist
  write: async ({ page }) => page,
});
// refused at `title`: Type 'number' is not assignable to type 'string'
void written.write({ workshop: "w1" }, { title: 1 });
// refused at `workshp`: but 'workshp' does not exist in type
void written.write({ workshp: "w1" }, { title: "t" });
// refused at `loaded`: Argument of type 'Loaded<
void written.put({ workshop: "w1" }, loaded({ title: 1 }, { freshFor: "1s" }));

// ── changes and calls ──

reprise.cache.readThrough({
  ...common,
  scope: ["page"],
  sameForEvery: everyone,
  load: async ({ page }: { page: number }) => page,
  // refused at `changedBy`: Type 'string' is not assignable to type 'number'
  changedBy: () => [outcomeOf(book, (booked) => ({ page: booked.reference }))],
});
reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => workshop,
  // refused at `changedBy`: Type '"wrkshop"' is not assignable to type '"workshop"'
  changedBy: () => [outcomeOf(book, (booked) => ({ wrkshop: booked.reference }))],
});
const availability = reprise.cache.readThrough({
  ...common,
  scope: ["workshop"],
  sameForEvery: everyone,
  load: async ({ workshop }) => ({ title: workshop }),
});
// refused at `workshp`: but 'workshp' does not exist in type
void availability.get({ workshp: "w1" });
// refused at `title`: Type 'number' is not assignable to type 'string'
void availability.put({ workshop: "w1" }, { title: 1 });
const search = reprise.cache.cacheAside({
  ...common,
  scope: ["words"],
  sameForEvery: everyone,
  value: unchecked<readonly string[]>(),
});
// refused at `1`: Type 'number' is not assignable to type 'readonly string[] | NotModified | Loaded<readonly string[]>'
void search.get({ words: "clay" }, async () => 1);
// refused at `write`: Property 'write' does not exist
void availability.write({ workshop: "w1" }, { title: "t" });
// refused at `store`: Property 'store' does not exist
void (await search.lookup({ words: "clay" })).store([]);

// refused at `user`: Type '"person"' is not assignable to type '"shared" | "personal"'
createReprise({ service: "a", dimensions: { user: "person" } });
