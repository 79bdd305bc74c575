import fc from "fast-check";
import { expect, test } from "vitest";
import { createWriteBehind, type WriteBehind } from "../../src/cache/write/queue.ts";
import { newestWriteJournal } from "../../src/contract/newest-writes.ts";
import type { WriteJournal } from "../../src/contract/write-journal.ts";
import { manualClock } from "../../src/testing/clock.ts";
import type { Sent } from "./write-behind-stand.ts";

/** What the source does with a call; `loses`: takes it and rejects; `blocks`: until it is aborted or let go. */
const sourceFaults = ["fails", "loses", "takes half", "blocks"] as const;
type SourceFault = (typeof sourceFaults)[number];
type JournalFault = "fails" | "loses";

type Step =
  | { readonly do: "write"; readonly queue: number; readonly key: number }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "read"; readonly queue: number; readonly key: number }
  | { readonly do: "let go"; readonly arrives: boolean }
  /** From now on this process cannot reach the journal, or can again. */
  | { readonly do: "cut"; readonly queue: number }
  | { readonly do: "join"; readonly queue: number }
  | { readonly do: "crash"; readonly queue: number };

const keys = 4;
const queues = 2;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("write"), queue: fc.nat(queues - 1), key: fc.nat(keys - 1) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("advance"), ms: fc.constantFrom(0, 50, 100, 500, 2_000, 6_000) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("read"), queue: fc.nat(queues - 1), key: fc.nat(keys - 1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("let go"), arrives: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("cut", "join"), queue: fc.nat(queues - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crash"), queue: fc.nat(queues - 1) }) },
) as fc.Arbitrary<Step>;

/** Which call of all, counted from 0, meets what. */
const faults = <F>(most: number, kinds: readonly F[]) =>
  fc.uniqueArray(fc.tuple(fc.nat(most), fc.constantFrom(...kinds)), { maxLength: 25, selector: ([at]) => at });

interface Process {
  readonly queue: WriteBehind;
  isAlive: boolean;
  isCut: boolean;
}

function createWorld(
  hardMs: number,
  sourcePlan: ReadonlyMap<number, SourceFault>,
  journalPlan: ReadonlyMap<number, JournalFault>,
) {
  const clock = manualClock();
  const store = newestWriteJournal(
    () => clock.now(),
    async (_, work) => work(),
  );
  /** For each key: what arrived, in order. */
  const arrived = new Map<string, { readonly n: number; readonly version: number }[]>();
  /** For each key the newest acknowledged write. */
  const acknowledged = new Map<string, number>();
  const wrong: string[] = [];
  const blocked = new Set<(arrives: boolean) => void>();
  let isHealed = false;
  let [sends, journalCalls, issued, seed] = [0, 0, 0, 1];

  const take = (writes: readonly Sent[]) => {
    for (const { scope, value, version } of writes) {
      const { id } = scope as { readonly id: string };
      const before = arrived.get(id) ?? [];
      const last = before.at(-1);
      const n = value as number;
      if (last !== undefined && version < last.version) wrong.push(`${id}: ${n} after ${last.n}`);
      arrived.set(id, [...before, { n, version }]);
    }
  };

  const sourceOf = (alive: () => boolean) => async (writes: readonly Sent[], context: { signal: AbortSignal }) => {
    if (!alive()) throw new Error("killed");
    if (new Set(writes.map(({ scope }) => (scope as { id: string }).id)).size < writes.length) {
      wrong.push("a key twice in one call");
    }
    const fault = isHealed ? undefined : sourcePlan.get(sends++);
    if (fault === "fails") throw new Error("away");
    if (fault === "takes half") take(writes.slice(0, Math.ceil(writes.length / 2)));
    if (fault === "blocks") {
      const { signal } = context;
      const arrives = await new Promise<boolean>((resolve) => {
        blocked.add(resolve);
        signal.addEventListener("abort", () => resolve(false));
      });
      if (!arrives || !alive()) throw new Error("gone");
    }
    if (fault !== "takes half") take(writes);
    if (fault === "loses" || fault === "takes half") throw new Error("lost");
  };

  const journalOf = (process: Process): WriteJournal => {
    const through = async (call: () => Promise<unknown>) => {
      if (!process.isAlive) throw new Error("killed");
      if (process.isCut && !isHealed) throw new Error("cut off");
      const fault = isHealed ? undefined : journalPlan.get(journalCalls++);
      if (fault === "fails") throw new Error("busy");
      const answer = await call();
      if (fault === "loses") throw new Error("answer lost");
      return answer;
    };
    const methods = Object.entries(store).map(([method, call]) => [
      method,
      (...args: never[]) => through(() => (call as (...args: never[]) => Promise<unknown>)(...args)),
    ]);
    return Object.fromEntries(methods) as WriteJournal;
  };

  const begin = (): Process => {
    const process: Process = {
      isAlive: true,
      isCut: false,
      queue: createWriteBehind({
        ...{ cache: "views", acceptLoss: undefined, clock: () => clock, hardMs },
        journal: async () => journalOf(process),
        writeMany: sourceOf(() => process.isAlive),
        random: () => {
          seed = (seed * 16_807) % 2_147_483_647;
          return seed / 2_147_483_647;
        },
      }),
    };
    process.queue.start();
    return process;
  };
  const killed: Process[] = [];
  const processes = Array.from({ length: queues }, begin);
  const running: Promise<unknown>[] = [];

  /** A read as the pattern makes it: the journal, else the source. It must not hide what was acknowledged before it. */
  const read = async ({ queue }: Process, id: string): Promise<void> => {
    const least = acknowledged.get(id) ?? 0;
    const pending = await queue.pending(id);
    const n = pending === undefined ? (arrived.get(id)?.at(-1)?.n ?? 0) : (pending.value as number);
    if (n < least) wrong.push(`${id}: read ${n}, acknowledged ${least}`);
  };

  return {
    clock,
    store,
    arrived,
    acknowledged,
    wrong,
    perform: async (one: Step) => {
      if (one.do === "advance") return clock.advance(one.ms);
      if (one.do === "let go") {
        for (const letGo of blocked) letGo(one.arrives);
        return blocked.clear();
      }
      const process = processes[one.queue] as Process;
      if (one.do === "cut" || one.do === "join") {
        process.isCut = one.do === "cut";
        return;
      }
      if (one.do === "crash") {
        process.isAlive = false;
        killed.push(process);
        processes[one.queue] = begin();
        return;
      }
      const id = `k${one.key}`;
      if (one.do === "read") {
        running.push(read(process, id).catch(() => {}));
        return;
      }
      issued += 1;
      const n = issued;
      const written = process.queue.write(id, { id }, n).then(
        () => {
          // nobody heard a killed one
          if (process.isAlive) acknowledged.set(id, Math.max(acknowledged.get(id) ?? 0, n));
        },
        () => {},
      );
      running.push(written);
      // one after another, so that a greater number is a later write
      await clock.advance(0);
      await written;
    },
    settle: async () => {
      isHealed = true;
      for (const letGo of blocked) letGo(true);
      for (let i = 0; i < 100 && (await store.standing("views")).pending > 0; i += 1) await clock.advance(5_000);
      await Promise.all(running);
      return store.standing("views");
    },
    close: async () => {
      const closing = Promise.all([...processes, ...killed].map(({ queue }) => queue.close({ drainMs: 10 })));
      await clock.advance(10_000);
      await closing;
    },
  };
}

test("everything acknowledged arrives, the newest last, whatever fails, blocks, loses its answer or is killed", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 60 }),
      fc.constantFrom(1_000, 30_000),
      faults(40, sourceFaults),
      faults(150, ["fails", "loses"] as const),
      async (steps, hardMs, sourcePlan, journalPlan) => {
        const world = createWorld(hardMs, new Map(sourcePlan), new Map(journalPlan));
        for (const one of steps) await world.perform(one);
        expect(await world.settle()).toMatchObject({ pending: 0, dead: 0 });
        expect(world.wrong).toEqual([]);
        for (const [id, n] of world.acknowledged) {
          expect(world.arrived.get(id)?.at(-1)?.n ?? 0, `the newest of ${id}`).toBeGreaterThanOrEqual(n);
        }
        await world.close();
        expect(world.clock.pending()).toBe(0);
      },
    ),
    { numRuns: Number(process.env["WRITE_BEHIND_RUNS"] ?? 150) },
  );
}, 120_000);
