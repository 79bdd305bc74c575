import type { Explanation } from "../../src/cache/explain.ts";
import type { Curve } from "../../src/observe/working-set/curve.ts";

/** Invented answers of what is told of memory. */

export const scopes: Readonly<Record<string, readonly string[]>> = {
  "workshop.detail": ["workshop", "locale"],
  "instructor.profile": ["instructor"],
  "search.suggest": ["tenant", "words", "locale"],
  "page.views": ["page"],
};

/** Each cache bends elsewhere; `few`: it has just begun. */
export function fakeCurve(cache: string | undefined, few: boolean): Curve {
  const bend = cache === undefined ? 2_600 : 300 + 170 * (cache.length % 7);
  const floor = cache === "search.suggest" ? 0.16 : 0.012;
  const points = Array.from({ length: 120 }, (_, index) => {
    const entries = index === 0 ? 0 : Math.round(4 * 1.085 ** index);
    return {
      entries,
      bytes: entries * 2_600,
      missRatio: floor + (1 - floor) * Math.exp(-((entries / bend) ** 0.8)),
    };
  });
  return { points, reads: few ? 312 : 4_180_000, keys: few ? 40 : 61_000 };
}

/** A scope whose first part begins with `cold` is not in memory, with `old` stale, with `gone` rejected. */
export async function fakeExplain(scope: Readonly<Record<string, unknown>>): Promise<Explanation> {
  const first = String(Object.values(scope)[0] ?? "");
  if (first.startsWith("cold")) {
    return {
      would: "load",
      because: ["Memory holds no value.", "No load of it is under way."],
      entry: undefined,
      load: undefined,
    };
  }
  const stale = first.startsWith("old");
  const entry = {
    ...{ ageMs: stale ? 84_000 : 38_000, freshForMs: stale ? -24_000 : 22_000, staleForMs: stale ? 276_000 : 322_000 },
    ...{ earlyInMs: stale ? null : 19_400, reads: 412, tags: ["instructor:17"] },
  };
  if (first.startsWith("gone")) {
    return {
      would: "reject",
      because: [
        "The value in memory outlived its window 12 s ago.",
        "The last load failed; the source is asked again in 640 ms.",
      ],
      entry: { ...entry, state: "outlived", ageMs: 372_000, freshForMs: -312_000, staleForMs: -12_000 },
      load: undefined,
    };
  }
  if (stale) {
    return {
      would: "answer-stale",
      because: ["Memory holds a value that may be served stale for 5 min more.", "A load is under way already."],
      entry: { ...entry, state: "stale" },
      load: { state: "running", runningMs: 31, readers: 3 },
    };
  }
  return {
    would: "answer-fresh",
    because: ["Memory holds a value that is fresh for 22.0 s more."],
    entry: { ...entry, state: "fresh" },
    load: undefined,
  };
}
