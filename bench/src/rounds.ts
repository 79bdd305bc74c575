/** Compares contenders in interleaved rounds: what disturbs the machine disturbs all of them. */

export interface Contender {
  readonly name: string;
  /** Does the work `count` times, one after the other. */
  readonly run: (count: number) => Promise<void>;
}

export interface Plan {
  readonly rounds: number;
  /** How often each contender does its work in a round. */
  readonly count: number;
}

/** The median round of each contender, in nanoseconds for one piece of work. A first round, not counted, warms up. */
export async function compare(contenders: readonly Contender[], plan: Plan): Promise<ReadonlyMap<string, number>> {
  const timed = contenders.map(({ name, run }) => ({
    name,
    run: async () => {
      const began = process.hrtime.bigint();
      await run(plan.count);
      return Number(process.hrtime.bigint() - began) / plan.count;
    },
  }));
  const samples = await interleave(timed, plan.rounds);
  return new Map([...samples].map(([name, values]) => [name, median(values)]));
}

export interface Timed {
  readonly name: string;
  /** How long one piece of work took. */
  readonly run: () => Promise<number>;
}

/** What each contender took, round by round. A first round, not counted, warms up. */
export async function interleave(
  contenders: readonly Timed[],
  rounds: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      // Another one begins each round, so that none always follows the same one's garbage.
      const contender = contenders[(round + turn) % contenders.length];
      if (contender === undefined) continue;
      const took = await contender.run();
      if (round > 0) samples.get(contender.name)?.push(took);
    }
  }
  return samples;
}

/** Round by round: the machine was the same for both. */
export const ratios = (above: readonly number[], below: readonly number[]): readonly number[] =>
  above.map((value, round) => value / (below[round] ?? Number.NaN));

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
