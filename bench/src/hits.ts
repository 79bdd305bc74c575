import { type Child, openChild } from "./child-process.ts";
import type { Figure } from "./figure.ts";
import type { Spread } from "./hit-loop.ts";
import { rivals } from "./rivals.ts";
import { interleave, median, ratios } from "./rounds.ts";

const others = Object.keys(rivals);

const contenders: Readonly<Record<Spread, readonly string[]>> = {
  hot: ["reprise", "floor", "map", ...others],
  zipf: ["reprise", "reprise-lru", "floor", "map", ...others],
  // a rival takes one key: the fastest stands for what composing it costs
  two: ["reprise", "floor", "lru-cache"],
};

/** Short, and many of them: neighbours of the machine's memory come and go within seconds, and a round ought to meet the same ones. */
const roundMs = 30;
const rounds = 25;

export interface HitPlan {
  readonly quick: boolean;
  readonly progress: (said: string) => void;
}

/**
 * A hit: the value is in memory and fresh. The floor is what any asynchronous cache costs at least, an async function
 * around `Map.get`; a bare `Map.get` without a promise is printed as the limit. Each contender has processes of its own,
 * which take turns; a process's luck (where its memory lies) is evened out by several, one after the other.
 */
export async function measureHits(plan: HitPlan): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const spread of ["hot", "zipf", "two"] as const) {
    const times = await measureSpread(spread, contenders[spread], spread === "zipf" ? 4 : 2, plan);
    figures.push(...figuresOf(spread, times));
  }
  return figures;
}

type Times = ReadonlyMap<string, readonly number[]>;

/** What sampling the working set costs, as a share of the zipf hit's time. */
export async function measureWorkingSetCost(plan: HitPlan): Promise<readonly Figure[]> {
  const times = await measureSpread("zipf", ["reprise", "reprise-unwatched"], 4, plan);
  const [watched = [], unwatched = []] = [times.get("reprise"), times.get("reprise-unwatched")];
  const value = 1 - median(ratios(unwatched, watched));
  return [{ name: "workingset.cost", value, unit: "of a hit", better: "lower" }];
}

async function measureSpread(
  spread: Spread,
  names: readonly string[],
  processes: number,
  { quick, progress }: HitPlan,
): Promise<Times> {
  const all = new Map<string, number[]>(names.map((name) => [name, []]));
  const generations = quick ? 1 : processes;
  const milliseconds = roundMs / (quick ? 2 : 1);
  for (let generation = 1; generation <= generations; generation += 1) {
    progress(`hit.${spread}: processes ${generation} of ${generations}`);
    const opened: (readonly [string, Child])[] = [];
    try {
      for (const pair of pairs(names)) {
        await Promise.all(
          pair.map(async (name) => {
            opened.push([name, await openChild("hits", [spread, name], ["--expose-gc"])]);
          }),
        );
      }
      const runs = opened.map(([name, child]) => ({
        name,
        run: async () => Number(await child.ask({ milliseconds })),
      }));
      const times = await interleave(runs, quick ? 5 : rounds);
      for (const [name, samples] of times) all.get(name)?.push(...samples);
    } finally {
      await Promise.all(opened.map(([, child]) => child.end()));
    }
  }
  return all;
}

/** Two get ready at a time, one for each processor. */
const pairs = (names: readonly string[]): readonly (readonly string[])[] =>
  names.filter((_, place) => place % 2 === 0).map((name, pair) => [name, ...names.slice(2 * pair + 1, 2 * pair + 2)]);

function figuresOf(spread: Spread, times: Times): readonly Figure[] {
  const samples = (name: string) => times.get(name) ?? [];
  const time = (name: string) => median(samples(name));
  const speed = (name: string, of: string) => median(ratios(samples(of), samples(name)));
  const present = others.filter((name) => times.has(name));
  const [best = ""] = [...present].sort((one, other) => time(one) - time(other));
  const prefix = `hit.${spread}`;
  const ofFloor = (name: string): Figure => ({
    name: name === "reprise" ? `${prefix}.ofFloor` : `${prefix}.${name}.ofFloor`,
    value: speed(name, "floor"),
    unit: "times",
    better: "higher",
  });
  const nanoseconds = (name: string): Figure => ({
    name: name === "reprise" ? `${prefix}.time` : `${prefix}.${name}.time`,
    value: time(name),
    unit: "ns",
    better: "lower",
  });
  return [
    nanoseconds("reprise"),
    ...[...times.keys()].filter((name) => name === "floor" || name === "map").map(nanoseconds),
    ofFloor("reprise"),
    { name: `${prefix}.ofBest`, value: speed("reprise", best), unit: "times", better: "higher" },
    ...[...times.keys()].filter((name) => name === "reprise-lru").map(ofFloor),
    ...present.map(ofFloor),
  ];
}
