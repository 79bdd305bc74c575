import { createCaches } from "../../src/cache/caches.ts";
import type { CacheCounters } from "../../src/cache/counters.ts";
import type { CacheDeclaration } from "../../src/cache/declaration.ts";
import type { Scope } from "../../src/cache/key.ts";
import type { Memory } from "../../src/cache/memory/memory.ts";
import { manualClock } from "../../src/testing/clock.ts";
import { type Declared, type Setup, type Step, times } from "./cache-commands.ts";
import { createHistory, type Instant } from "./cache-history.ts";
import { createModel, type Model, must } from "./cache-model.ts";
import { createHeldSource, result } from "./cache-source.ts";

const scopesOf = {
  1: [{ id: "a" }, { id: "b" }, { id: "c" }],
  2: [
    { tenant: "s", id: "a" },
    { tenant: "s", id: "b" },
    { tenant: "t", id: "a" },
  ],
} as const;
const keyOf = (scope: Scope): string => JSON.stringify([scope["tenant"], scope["id"]]);

interface Commit {
  readonly name: string;
  readonly parts: Readonly<Record<string, string>>;
}

/** Half of all keys are in the sample: their hits take another way. */
const halfOfAll = { threshold: () => 2 ** 31, record: () => true };

/** Two caches of one instance that share its memory and a source, and what is known of them. */
export function createWorld(setup: Setup) {
  const clock = manualClock();
  let drawn = 0;
  const random = () => setup.draws[drawn++ % setup.draws.length] as number;
  const caches = createCaches({
    clock: () => clock,
    bound: { unit: "entries", most: setup.maxEntries },
    eviction: setup.eviction,
    keeps: setup.keeps,
    sources: { shared: { loadsAtOnce: setup.loadsAtOnce } },
    sampler: setup.isSampled ? halfOfAll : undefined,
    random,
  });
  const memory = caches.memory as Memory;
  let order = 0;
  let version = 1;
  let closed: Promise<void> | undefined;
  const now = (): Instant => ({ order, at: clock.monotonic() });
  const next = (): Instant => {
    order += 1;
    return now();
  };
  const nextVersion = () => {
    version += 1;
    return version;
  };

  const followed = new Set<Promise<unknown>>();
  const faults: unknown[] = [];
  const follow = (work: Promise<unknown>): void => {
    followed.add(work);
    work.then(
      () => followed.delete(work),
      (error: unknown) => {
        followed.delete(work);
        faults.push(error);
      },
    );
  };
  const checkFaults = (): void => {
    if (faults.length > 0) throw faults[0];
  };

  const create = (declared: Declared, name: string): Model => {
    const { isStale, hasAbsent, tells, heeds, early, queue, pattern } = declared;
    const history = createHistory({
      ...{ now, next, nextVersion },
      lives: { ...times, staleMs: isStale ? times.staleMs : 0 },
      about: (of) => ({
        tags: of % 3 === 0 ? [] : of % 3 === 1 ? ["t"] : ["t", "u"],
        isAbsent: hasAbsent && of % 4 === 3,
        freshMs: of % 5 === 0 ? 500 : of % 5 === 1 ? 6_000 : undefined,
      }),
    });
    const check = () => {
      model?.checkLoads();
      checkSource();
    };
    const source = createHeldSource({ history, next, keyOf, tells, heeds, check });
    const commits = (verb: "purge" | "expire") => ({
      kind: "outcome" as const,
      operation: verb,
      verb,
      scopesOf: (input: Commit) => (input.name === name ? [input.parts] : []),
    });
    const given: Omit<CacheDeclaration, "pattern"> = {
      name,
      scope: declared.names,
      freshFor: `${times.freshMs}ms`,
      absentFor: `${times.absentMs}ms`,
      staleFor: isStale ? `${times.staleMs}ms` : undefined,
      deadline: { hard: `${times.hardMs}ms`, soft: isStale && declared.isSoft ? `${times.softMs}ms` : undefined },
      // biome-ignore lint/suspicious/noThenProperty: a word, no function
      queue: queue === undefined ? undefined : { most: queue, then: isStale ? "stale" : "reject" },
      early,
      protect: declared.isProtected ? "high" : undefined,
      source: declared.isCapped ? "shared" : undefined,
      changedBy: () => [commits("purge"), commits("expire")],
    };
    const loads = {
      load: source.load as never,
      loadMany: declared.inBatches ? source.loadMany : undefined,
      refresh: declared.isRefreshed ? ({ hottest: 1, every: "1s" } as const) : undefined,
    };
    const writable =
      pattern === "write-through"
        ? caches.writeThrough({ ...given, ...loads, write: source.write as never })
        : undefined;
    const through = pattern === "read-through" ? caches.readThrough({ ...given, ...loads }) : writable;
    const aside = pattern === "cache-aside" ? caches.cacheAside(given) : undefined;
    const counters = caches.list().find((listed) => listed.name === name)?.counters as CacheCounters;
    const model = createModel({
      ...{ declared, keyOf, history, source, counters, follow, now, next },
      scopes: scopesOf[declared.names.length],
      caches: { through, writable, aside },
      isClosed: () => closed !== undefined,
    });
    return model;
  };

  const models: readonly Model[] = setup.caches.map((declared, place) => create(declared, `cache ${place}`));
  caches.start();

  const loads = () => models.flatMap(({ source }) => [...source.loads]).sort((a, b) => a.order - b.order);
  const writes = () => models.flatMap(({ source }) => [...source.writes]);
  const checkSource = (): void => {
    const calls = new Set<object>();
    for (const { declared, source } of models) {
      if (declared.isCapped) for (const { call } of source.loads) calls.add(call);
    }
    must(calls.size <= setup.loadsAtOnce, "C5: loads of a source at once");
  };
  const checkMemory = (): void => {
    must(memory.entries() <= setup.maxEntries, "memory is within its bound");
    const listed = caches.list().reduce((sum, { entries }) => sum + entries(), 0);
    must(listed === memory.entries(), "memory counts what its caches hold");
    for (const place of [...memory.slots.pending.keys(), ...memory.slots.attachments.keys()]) {
      must(memory.slots.parts[place] !== undefined, "nothing is left of a slot that left");
    }
  };

  const stores: (() => void)[] = [];
  const controllers: AbortController[] = [];
  const at = <T>(list: readonly T[], place: number): T | undefined => list[place % Math.max(1, list.length)];
  const take = <T>(list: T[], place: number): T | undefined => list.splice(place % Math.max(1, list.length), 1)[0];

  /** Steps of one cache, mostly of one key of it. */
  const runOne = (step: Extract<Step, { readonly of: number }>): void => {
    const model = models[step.of] as Model;
    const { history, cache } = model;
    const scope = model.scopes["key" in step ? step.key : 0] as Scope;
    const key = keyOf(scope);
    switch (step.do) {
      case "get": {
        const controller = step.isAbortable ? new AbortController() : undefined;
        if (controller !== undefined) controllers.push(controller);
        model.get(step.key, controller?.signal);
        break;
      }
      case "entry":
        model.getEntry(step.key);
        break;
      case "many":
        model.getMany(step.keys, step.isSettled);
        break;
      case "peek":
        model.peek(step.key);
        break;
      case "lookup":
        model.lookup(step.key, (store) => stores.push(store));
        break;
      case "modify":
        history.modify(key);
        break;
      case "change":
        follow(cache[step.verb](scope));
        history.change(step.verb, [key]);
        break;
      case "tag":
        follow(step.verb === "purge" ? cache.purgeTag(step.tag) : cache.expireTag(step.tag));
        history.changeTag(step.verb, step.tag);
        break;
      case "commit": {
        const named = model.declared.names.filter((_, bit) => (step.named >> bit) & 1);
        const parts = Object.fromEntries(named.map((name) => [name, scope[name] as string]));
        caches.changed(step.verb, { name: `cache ${step.of}`, parts });
        const meant = model.scopes.filter((one) => named.every((name) => one[name] === scope[name]));
        history.change(step.verb, meant.map(keyOf));
        break;
      }
      case "put": {
        history.modify(key);
        const reading = history.draft(key, "put", step.isTold);
        follow(cache.put(scope, result(reading, step.isTold)));
        reading.confirmed.push(history.change("purge", [key]));
        break;
      }
      default:
        model.write(step.key);
    }
  };
  const run = (step: Step): void => {
    if ("of" in step) runOne(step);
    else if (step.do === "store") take(stores, step.place)?.();
    else if (step.do === "land") at(writes(), step.place)?.land();
    else if (step.do === "arrive") at(writes(), step.place)?.arrive();
    else if (step.do === "refuse") at(writes(), step.place)?.refuse();
    else if (step.do === "answer") at(loads(), step.place)?.answer();
    else if (step.do === "fail") at(loads(), step.place)?.fail(step.mask);
    else if (step.do === "abort") take(controllers, step.place)?.abort(new Error("the caller went"));
    else if (step.do === "close") {
      closed = caches.close({ drainMs: step.ms });
      follow(closed);
    }
  };

  const check = (): void => {
    checkFaults();
    for (const model of models) model.checkLoads();
    checkSource();
    checkMemory();
  };
  /** Every loader and every writer returns. */
  const returnAll = async (): Promise<void> => {
    await clock.advance(0);
    for (let turns = 0; loads().length + writes().length > 0; turns += 1) {
      must(turns < 100, "loads come to an end");
      for (const one of loads()) one.answer();
      for (const one of writes()) one.arrive();
      await clock.advance(0);
    }
  };

  return {
    counters: () => caches.list().map(({ counters }) => counters),
    step: async (step: Step, isApart: boolean): Promise<void> => {
      run(step);
      if (step.do === "advance") await clock.advance(step.ms);
      else if (isApart || step.do === "arrive" || step.do === "refuse") await clock.advance(0);
      check();
      if (isApart) for (const model of models) model.checkQueue();
    },
    finish: async (): Promise<void> => {
      // no loader that hangs keeps a caller waiting
      await clock.advance(times.softMs + times.hardMs + 1);
      check();
      must(
        [...followed].every((work) => work === closed),
        "no caller waits for a loader that hangs",
      );
      await returnAll();
      check();
      if (closed === undefined) await quiet();
      const end = caches.close({ drainMs: 10 });
      follow(end);
      await clock.advance(10_020);
      await returnAll();
      check();
      must(followed.size === 0, "every promise has settled");
      must(clock.pending() === 0, "no timer is left");
      for (const model of models) model.checkCounters();
    },
  };

  /** C3: once each key has been loaded again, what memory gives is what was acknowledged. */
  async function quiet(): Promise<void> {
    // past every back-off
    await clock.advance(1_200);
    await returnAll();
    for (const model of models) {
      for (const place of model.scopes.keys()) {
        model.get(place);
        await returnAll();
        must(followed.size === 0, "a read of quiet times is answered");
        model.peek(place);
        model.getFresh(place);
        await returnAll();
        must(followed.size === 0, "a read of quiet times is answered");
      }
    }
    check();
  }
}
