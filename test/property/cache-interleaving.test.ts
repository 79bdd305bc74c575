import fc from "fast-check";
import { expect, test } from "vitest";
import { createCaches } from "../../src/cache/caches.ts";
import type { Scope } from "../../src/cache/key.ts";
import type { Entry } from "../../src/cache/surface.ts";
import { manualClock } from "../../src/testing/clock.ts";

/** What a load read: the source's version, and when. */
interface Reading {
  readonly version: number;
  readonly at: number;
}

interface Load {
  readonly id: string;
  /** How many changes of its key were acknowledged before it began. */
  readonly epoch: number;
  readonly reading: Reading;
  readonly signal: AbortSignal;
  readonly resolve: (reading: Reading) => void;
  readonly reject: (error: Error) => void;
}

const freshMs = 60_000;
const hardMs = 90_000;

const ids = ["a", "b"] as const;
// most of it on one key: races need two to meet
const id = fc.constantFrom("a", "a", "a", "b");
const place = fc.nat({ max: 2 });
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("get" as const), id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("getMany" as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("lookup" as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("store" as const), place }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("write" as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("purge" as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("expire" as const), id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("commit" as const), id: fc.option(id, { nil: undefined }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("put" as const), id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("evict" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("answer" as const), place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const), place }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.constantFrom(1, 500, 20_000, 60_000) }),
  },
);

test("C1, C4, C5, C6 hold for every interleaving of reads, changes, evictions and answers", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        pattern: fc.constantFrom("read-through" as const, "cache-aside" as const),
        staleMs: fc.constantFrom(0, 30_000),
        maxEntries: fc.constantFrom(1, 2, 10),
        commands: fc.array(command, { minLength: 10, maxLength: 60 }),
      }),
      async ({ pattern, staleMs, maxEntries, commands }) => {
        const clock = manualClock();
        const caches = createCaches({ clock: () => clock, maxEntries });
        let version = 0;
        const source = new Map<string, number>();
        /** Nothing older is served after its acknowledgement; `purged` binds stale answers too. */
        const changed = new Map<string, number>();
        const purged = new Map<string, number>();
        const epochs = new Map<string, number>();
        const expiredAt = new Map<string, number>();
        const loads: Load[] = [];
        const stores: { readonly reading: Reading; readonly store: (reading: Reading) => Promise<boolean> }[] = [];
        const reads: Promise<unknown>[] = [];
        const at = (map: ReadonlyMap<string, number>, key: string) => map.get(key) ?? 0;

        const check = (running: readonly Load[]) => {
          for (const key of ids) {
            const ofKey = running.filter((load) => load.id === key);
            expect(ofKey.length, "C5: loads of a key at once").toBeLessThanOrEqual(2);
            const current = ofKey.filter((load) => load.epoch === at(epochs, key));
            expect(current.length, "C5: loads that nothing outdated").toBeLessThanOrEqual(1);
          }
        };
        const running = () => loads.filter((load) => !load.signal.aborted);

        const load = (scope: Scope, { signal }: { readonly signal: AbortSignal }) =>
          new Promise<unknown>((resolve, reject) => {
            const key = String(scope["id"]);
            const reading = { version: at(source, key), at: clock.monotonic() };
            loads.push({ id: key, epoch: at(epochs, key), reading, signal, resolve, reject });
            check(running());
          });

        const changedBy = () => [
          {
            kind: "outcome" as const,
            operation: "book",
            verb: "purge" as const,
            scopesOf: (input: string | undefined) => [input === undefined ? {} : { id: input }],
          },
        ];
        const declaration = {
          name: "model",
          scope: ["id"],
          freshFor: `${freshMs}ms`,
          staleFor: staleMs === 0 ? undefined : (`${staleMs}ms` as const),
          deadline: { hard: `${hardMs}ms` },
          changedBy,
        } as const;
        const through = pattern === "read-through" ? caches.readThrough({ ...declaration, load }) : undefined;
        const aside = pattern === "cache-aside" ? caches.cacheAside(declaration) : undefined;
        const cache = through ?? aside;
        if (cache === undefined) return;
        const filler = caches.cacheAside({ name: "filler", scope: ["id"], freshFor: "1h" });
        const get = (scope: Scope) => through?.get(scope) ?? aside?.get(scope, load) ?? Promise.reject(new Error());

        /** An answer from memory: not outlived, and not older than what was acknowledged before the call. */
        const checkEntry = (key: string, entry: Entry<unknown>) => {
          const reading = entry.value as Reading;
          const floor = entry.state === "fresh" ? changed : purged;
          expect(reading.version, `C1: ${entry.state} answer`).toBeGreaterThanOrEqual(at(floor, key));
          const window = freshMs + (entry.state === "fresh" ? 0 : staleMs);
          expect(clock.monotonic() - reading.at, "C6: age").toBeLessThan(window);
          if (reading.version < at(changed, key)) {
            expect(clock.monotonic() - at(expiredAt, key), "the stale window after expire").toBeLessThan(staleMs);
          }
        };

        const read = async (key: string) => {
          const before = await cache.peek({ id: key });
          if (before !== undefined) checkEntry(key, before);
          const floor = at(before?.state === "stale" ? purged : changed, key);
          const checked = get({ id: key }).then(
            (value) => expect((value as Reading).version, "C1: answer").toBeGreaterThanOrEqual(floor),
            (error: unknown) => {
              if ((error as { code?: string }).code !== "REPRISE_LOAD_TIMEOUT") {
                expect((error as Error).message).toBe("the source is away");
              }
            },
          );
          checked.catch(() => {});
          reads.push(checked);
        };
        const acknowledge = (key: string, floors: readonly Map<string, number>[]) => {
          epochs.set(key, at(epochs, key) + 1);
          for (const floor of floors) floor.set(key, at(source, key));
        };

        for (const step of commands) {
          switch (step.do) {
            case "get":
              await read(step.id);
              break;
            case "getMany":
              await Promise.all([read(step.id), read("a")]);
              break;
            case "lookup": {
              if (aside === undefined) break;
              const reading = { version: at(source, step.id), at: clock.monotonic() };
              const found = await aside.lookup({ id: step.id });
              if (found.hit) checkEntry(step.id, found);
              else stores.push({ reading, store: found.store });
              break;
            }
            case "store": {
              const [one] = stores.splice(step.place, 1);
              if (one !== undefined) await one.store(one.reading);
              break;
            }
            case "write":
              version += 1;
              source.set(step.id, version);
              break;
            case "purge":
              await cache.purge({ id: step.id });
              acknowledge(step.id, [changed, purged]);
              break;
            case "expire":
              await cache.expire({ id: step.id });
              if (at(source, step.id) > at(changed, step.id)) expiredAt.set(step.id, clock.monotonic());
              acknowledge(step.id, [changed]);
              break;
            case "commit":
              caches.changed("book", step.id);
              for (const key of step.id === undefined ? ids : [step.id]) {
                acknowledge(key, [changed, purged]);
              }
              break;
            case "put":
              version += 1;
              source.set(step.id, version);
              await cache.put({ id: step.id }, { version, at: clock.monotonic() });
              acknowledge(step.id, [changed, purged]);
              break;
            case "evict":
              await filler.put({ id: "filler" }, 0);
              break;
            case "answer": {
              const [one] = loads.splice(step.place, 1);
              one?.resolve(one.reading);
              break;
            }
            case "fail": {
              const [one] = loads.splice(step.place, 1);
              one?.reject(new Error("the source is away"));
              break;
            }
            default:
              await clock.advance(step.ms);
          }
          // an answer is heard before the next step
          await clock.advance(0);
          check(running());
          expect(caches.memory().entries).toBeLessThanOrEqual(maxEntries);
        }

        while (loads.length > 0) {
          for (const one of loads.splice(0)) one.resolve(one.reading);
          await clock.advance(0);
        }
        await Promise.all(reads);
        for (const key of ids) {
          const left = await cache.peek({ id: key });
          if (left !== undefined) checkEntry(key, left);
        }
      },
    ),
    { numRuns: 400 },
  );
}, 60_000);
