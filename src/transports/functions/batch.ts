/** Runs the messages of a batch, some at once and those of a lane one after the other. */

export interface BatchOptions<T> {
  readonly atOnce: number;
  /** The same for messages whose order counts; `null`: it does not. */
  readonly laneOf: (one: T) => string | null;
  /** False: it failed, and those behind it in its lane are not begun. Must not reject. */
  readonly perform: (one: T) => Promise<boolean>;
  /** Is given those, one after the other. Must not reject. */
  readonly leave: (one: T) => unknown;
}

/** Those that failed or were not begun, by their place in the batch. */
export async function runBatch<T>(
  batch: readonly T[],
  { atOnce, laneOf, perform, leave }: BatchOptions<T>,
): Promise<ReadonlySet<number>> {
  const failed = new Set<number>();
  const lanes = lanesOf(batch, laneOf);
  const runLane = async (lane: readonly number[]) => {
    let isStopped = false;
    for (const place of lane) {
      const one = batch[place] as T;
      if (isStopped) await leave(one);
      else isStopped = !(await perform(one));
      if (isStopped) failed.add(place);
    }
  };
  // one queue for all: a slow lane keeps one worker, not every nth lane
  const waiting = lanes.values();
  const work = async () => {
    for (const lane of waiting) await runLane(lane);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, lanes.length) }, work));
  return failed;
}

function lanesOf<T>(batch: readonly T[], laneOf: (one: T) => string | null): readonly (readonly number[])[] {
  const named = new Map<string, number[]>();
  const lanes: number[][] = [];
  for (const [place, one] of batch.entries()) {
    const name = laneOf(one);
    const before = name === null ? undefined : named.get(name);
    if (before !== undefined) {
      before.push(place);
      continue;
    }
    const lane = [place];
    lanes.push(lane);
    if (name !== null) named.set(name, lane);
  }
  return lanes;
}
