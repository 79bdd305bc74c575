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
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= plan.rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      // Another one begins each round, so that none always follows the same one's garbage.
      const contender = contenders[(round + turn) % contenders.length];
      if (contender === undefined) continue;
      const began = process.hrtime.bigint();
      await contender.run(plan.count);
      const each = Number(process.hrtime.bigint() - began) / plan.count;
      if (round > 0) samples.get(contender.name)?.push(each);
    }
  }
  return new Map([...samples].map(([name, values]) => [name, median(values)]));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
