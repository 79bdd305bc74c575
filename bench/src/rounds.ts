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

export interface Timed<T = number> {
  readonly name: string;
  /** What one turn took: nanoseconds for a piece of work, unless it says more. */
  readonly run: () => Promise<T>;
}

/** What each contender took, round by round. A first round, not counted, warms up. */
export async function interleave<T>(
  contenders: readonly Timed<T>[],
  rounds: number,
): Promise<ReadonlyMap<string, readonly T[]>> {
  const samples = new Map<string, T[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    // In another order each round, so that none always follows the same one's garbage.
    for (const contender of shuffled(contenders)) {
      const took = await contender.run();
      if (round > 0) samples.get(contender.name)?.push(took);
    }
  }
  return samples;
}

function shuffled<T>(values: readonly T[]): readonly T[] {
  const mixed = [...values];
  for (let left = mixed.length - 1; left > 0; left -= 1) {
    const other = Math.floor(Math.random() * (left + 1));
    [mixed[left], mixed[other]] = [mixed[other] as T, mixed[left] as T];
  }
  return mixed;
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
