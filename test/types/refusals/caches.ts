/** Cached reads that the compiler refuses; `declared.ts` tells how to read this file. */
import { createReprise, type NeverCached, outcomeOf, unchecked } from "../../../src/index.ts";
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
// refused at `1`: Type 'number' is not assignable to type 'readonly string[]'
void search.get({ words: "clay" }, async () => 1);
// refused at `store`: Property 'store' does not exist
void (await search.lookup({ words: "clay" })).store([]);

// refused at `user`: Type '"person"' is not assignable to type '"shared" | "personal"'
createReprise({ service: "a", dimensions: { user: "person" } });
