import { setTimeout as pause } from "node:timers/promises";
import { inspect } from "node:util";
import type { Feature, Library, Subject } from "./subject.ts";

/**
 * The traps that concern one process, each as a scenario that any library can be put through. Every value is an object
 * with the data that the source had when it was read.
 */
export interface Scenario {
  /** Of the trap; several scenarios may belong to one. */
  readonly number: number;
  readonly title: string;
  readonly needs: readonly Feature[];
  /** `undefined`: it holds. Else what was seen. */
  readonly run: (library: Library) => Promise<string | undefined>;
}

const hour = 3_600_000;
const old = { data: "old" };
const fresh = { data: "new" };

export const scenarios: readonly Scenario[] = [
  {
    number: 1,
    title: "a delete during a load is not undone by it",
    needs: ["delete"],
    run: (library) => race(library, {}, async (subject) => subject.purge?.("key")),
  },
  {
    number: 1,
    title: "a set during a load is not overwritten by it",
    needs: ["set"],
    run: (library) => race(library, {}, async (subject) => subject.put?.("key", fresh)),
  },
  {
    number: 2,
    title: "a purge by tag during a load is not undone by it",
    needs: ["tags"],
    run: (library) => race(library, { tags: ["tag"] }, async (subject) => subject.purgeTag?.("tag")),
  },
  {
    number: 4,
    title: "what was purged by tag is never served stale",
    needs: ["tags", "stale"],
    run: async (library) => {
      const source = createSource();
      const subject = library.open({ load: source.load, freshMs: hour, staleMs: hour, tags: ["tag"] });
      await subject.get("key");
      source.set(fresh);
      await subject.purgeTag?.("tag");
      source.fail(true);
      const failing = await dataOf(subject);
      if (failing === "old") return "the old value, while the source fails";
      source.fail(false);
      // past what a failure is remembered
      await pause(1_100);
      const data = await dataOf(subject);
      return data === "new" ? undefined : `${data}, after the purge`;
    },
  },
  {
    number: 5,
    title: "time to be stale is added to time to be fresh",
    needs: ["stale-time"],
    run: async (library) => {
      const source = createSource();
      const subject = library.open({ load: source.load, freshMs: 10_000, staleMs: 50 });
      await subject.get("key");
      await pause(150);
      await subject.get("key");
      return source.loads() === 1 ? undefined : "a fresh entry was gone after 150 ms of 10 s";
    },
  },
  {
    number: 8,
    title: "100 callers of a failing source are one load",
    needs: [],
    run: async (library) => {
      const source = createSource();
      source.fail(true, 10);
      const subject = library.open({ load: source.load, freshMs: hour });
      await Promise.allSettled(Array.from({ length: 100 }, () => subject.get("key")));
      const burst = source.loads();
      await Promise.allSettled(Array.from({ length: 60 }, (_, after) => pause(after).then(() => subject.get("key"))));
      if (burst > 1) return `${burst} loads for 100 callers`;
      return source.most() > 1 ? `${source.most()} loads of a key at once` : undefined;
    },
  },
  {
    number: 9,
    title: "a failing load rejects",
    needs: [],
    run: async (library) => {
      const source = createSource();
      source.fail(true);
      const subject = library.open({ load: source.load, freshMs: hour });
      const given = await subject.get("key").then(
        (value) => `resolved with ${String(value)}`,
        () => undefined,
      );
      return given;
    },
  },
  {
    number: 12,
    title: "background work that fails does not end the process",
    needs: [],
    run: async (library) => {
      for (const failing of [true, "undefined"] as const) {
        const source = createSource();
        const subject = library.open({
          load: source.load,
          freshMs: 30,
          ...(library.features.includes("stale") ? { staleMs: 10_000 } : {}),
        });
        await subject.get("key");
        await pause(library.name === "async-cache-dedupe" ? 1_100 : 60);
        source.fail(failing, 5);
        await Promise.allSettled([subject.get("key"), subject.get("key")]);
        await pause(60);
        await subject.provoke?.();
        await pause(20);
      }
      return undefined;
    },
  },
  {
    number: 13,
    title: "memory is bounded where no bound was named",
    needs: ["own-memory"],
    run: async (library) => {
      let loads = 0;
      const load = async () => ({ data: ++loads });
      const subject = library.open({ load, freshMs: hour, unbounded: true });
      const entries = 30_000;
      for (let index = 0; index < entries; index += 1) await subject.get(`key-${index}`);
      for (let index = 0; index < entries; index += 1) await subject.get(`key-${index}`);
      const kept = 2 * entries - loads;
      return kept < entries / 2 ? undefined : `${kept} of ${entries} entries were kept`;
    },
  },
  {
    number: 13,
    title: "a caller's array of tags stays as it is",
    needs: ["tags"],
    run: async (library) => {
      const tags = ["tag"];
      const subject = library.open({ load: createSource().load, freshMs: hour, tags });
      for (const key of ["one", "two", "three"]) await subject.get(key);
      return tags.length === 1 ? undefined : `it has ${tags.length} tags after three reads`;
    },
  },
  {
    number: 14,
    title: "a timeout does not begin a second load beside the first",
    needs: ["timeout"],
    run: async (library) => {
      const source = createSource();
      source.delay(400);
      const subject = library.open({ load: source.load, freshMs: hour, hardMs: 50 });
      await subject.get("key").catch(() => {});
      await Promise.allSettled([subject.get("key"), pause(100).then(() => subject.get("key"))]);
      await pause(100);
      return source.most() === 1 ? undefined : `${source.most()} loads of a key at once`;
    },
  },
  {
    number: 15,
    title: "what a caller does to its value, no other caller sees",
    needs: [],
    run: async (library) => {
      const subject = library.open({ load: async () => ({ data: "as loaded" }), freshMs: hour, mutates: true });
      for (let round = 0; round < 2; round += 1) {
        const value = (await subject.get("key")) as { data: string };
        value.data = "changed by a caller";
      }
      const data = await dataOf(subject);
      return data === "as loaded" ? undefined : data;
    },
  },
  {
    number: 16,
    title: "events and logs carry no values",
    needs: ["events"],
    run: async (library) => {
      const told: string[] = [];
      const listen = (...given: readonly unknown[]) => {
        told.push(inspect(given, { depth: 8 }));
      };
      const subject = library.open({ load: async () => ({ data: "a secret value" }), freshMs: hour, listen });
      await subject.get("key");
      await subject.get("key");
      await subject.put?.("key", { data: "a secret value" });
      await subject.get("key");
      await subject.purge?.("key");
      await pause(20);
      const telling = told.filter((text) => text.includes("a secret value")).length;
      return telling === 0 ? undefined : `${telling} of ${told.length} events and lines`;
    },
  },
];

/** A load reads the old data; the data changes and the cache is told; the load ends. The next read must be new. */
async function race(
  library: Library,
  wanted: { readonly tags?: string[] },
  change: (subject: Subject) => Promise<unknown>,
): Promise<string | undefined> {
  const source = createSource();
  const held = source.hold();
  const subject = library.open({ load: source.load, freshMs: hour, ...wanted });
  const reading = subject.get("key").catch(() => {});
  await held.begun;
  source.set(fresh);
  // a change that waited for the load would be safe too
  const changed = change(subject);
  await Promise.race([changed, pause(100)]);
  // loads take milliseconds: what compares times of day must not be saved by their being the same
  await pause(10);
  held.release();
  await Promise.all([changed, reading]);
  await pause(20);
  const data = await dataOf(subject);
  return data === "new" ? undefined : data;
}

async function dataOf(subject: Subject): Promise<string> {
  try {
    const value = (await subject.get("key")) as typeof old | undefined;
    return value?.data ?? "nothing";
  } catch {
    return "an error";
  }
}

function createSource() {
  let value: typeof old | undefined = old;
  let failing: boolean | "undefined" = false;
  let delayMs = 0;
  let gate: Promise<void> | undefined;
  let begun = () => {};
  let loads = 0;
  let running = 0;
  let most = 0;
  const load = async (): Promise<unknown> => {
    loads += 1;
    running += 1;
    most = Math.max(most, running);
    try {
      const read = value;
      const held = gate;
      gate = undefined;
      begun();
      await held;
      if (delayMs > 0) await pause(delayMs);
      if (failing === true) throw new Error("the source is away");
      return failing === "undefined" ? undefined : { ...read };
    } finally {
      running -= 1;
    }
  };
  return {
    load,
    set: (next: typeof old) => {
      value = next;
    },
    fail: (how: boolean | "undefined", afterMs = 0) => {
      failing = how;
      delayMs = afterMs;
    },
    delay: (milliseconds: number) => {
      delayMs = milliseconds;
    },
    /** The next load stops after it has read. */
    hold: () => {
      let release = () => {};
      gate = new Promise((resolve) => {
        release = resolve;
      });
      const started = new Promise<void>((resolve) => {
        begun = resolve;
      });
      return { begun: started, release: () => release() };
    },
    loads: () => loads,
    most: () => most,
  };
}
