import type { Figure } from "../figure.ts";
import { interleave } from "../rounds.ts";

/** How many instances wake at the same tick. */
export const instances = 20;

/** An instance with a client of its own. */
export interface Contender {
  /** Of the tick's lease. */
  readonly hold: (work: () => Promise<void>) => Promise<{ readonly status: "done" | "held" }>;
  /** One round trip of the same client, which decides nothing. */
  readonly bare: () => Promise<unknown>;
}

/** What a round took: how many ran, and how long each of the others waited for its answer. */
interface Round {
  readonly ran: number;
  readonly tookMs: readonly number[];
}

/**
 * All at once, round by round: one has to run, and the others walk away. They share this process, so each also waits for
 * its turn of the one event loop; how long that is, the bare round trips tell, which are as many at once.
 */
export async function measureOverlap(
  name: string,
  contenders: readonly Contender[],
  { quick }: { readonly quick: boolean },
): Promise<readonly Figure[]> {
  const warmUp = 10;
  for (let round = 0; round < warmUp; round += 1) await contend(contenders);
  const rounds = await interleave<Round>(
    [
      { name: "lease", run: () => contend(contenders) },
      { name: "bare", run: () => ask(contenders) },
    ],
    quick ? 50 : 200,
  );
  const of = (way: string) => rounds.get(way) ?? [];
  const took = (way: string, share: number) =>
    quantile(
      of(way).flatMap(({ tookMs }) => tookMs),
      share,
    );
  const ms = (what: string, value: number, goal?: number): Figure => ({
    name: `${name}.${what}Ms`,
    ...{ value, unit: "ms", better: "lower", goal },
  });
  return [
    {
      name: `${name}.ran`,
      value: Math.max(...of("lease").map(({ ran }) => ran)),
      unit: "instances",
      better: "lower",
      goal: 1,
    },
    ms("walkAwayP99", took("lease", 0.99), 20),
    ms("walkAwayP50", took("lease", 0.5)),
    ms("bareP99", took("bare", 0.99)),
    ms("bareP50", took("bare", 0.5)),
  ];
}

/** Whoever runs goes on until all others have their answer, so that nobody comes after it. */
async function contend(contenders: readonly Contender[]): Promise<Round> {
  let [ran, answered] = [0, 0];
  let end = () => {};
  const allAnswered = new Promise<void>((resolve) => {
    end = resolve;
  });
  const answer = () => {
    answered += 1;
    if (answered === contenders.length) end();
  };
  const tookMs: number[] = [];
  await Promise.all(
    contenders.map(async ({ hold }) => {
      const began = performance.now();
      const { status } = await hold(() => {
        ran += 1;
        answer();
        return allAnswered;
      });
      if (status === "done") return;
      tookMs.push(performance.now() - began);
      answer();
    }),
  );
  // the greatest would hide it
  if (ran === 0) throw new Error("nobody ran");
  return { ran, tookMs };
}

async function ask(contenders: readonly Contender[]): Promise<Round> {
  const tookMs = await Promise.all(
    contenders.map(async ({ bare }) => {
      const began = performance.now();
      await bare();
      return performance.now() - began;
    }),
  );
  return { ran: contenders.length, tookMs };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
