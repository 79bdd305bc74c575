import { processorTime } from "../processor-time.ts";
import { interleave, median, ratios } from "../rounds.ts";

/** Somebody who does the same piece of work in a way of their own. */
export interface Contestant {
  readonly name: string;
  readonly once: () => Promise<unknown>;
  /** Nanoseconds of a processor that its process has spent. Left out: this process's. */
  readonly spent?: (() => Promise<number>) | undefined;
}

export interface Course {
  /** How many do the work at once. */
  readonly clients: number;
  readonly rounds: number;
  readonly sliceMs: number;
}

/** What a contestant did in one slice. */
interface Lap {
  readonly perSecond: number;
  /** Of a processor, for one piece of work. */
  readonly cpuMicros: number;
}

/** Laps of all contestants, round by round; the figure of two is the median of what they were to each other in a round. */
export interface Results {
  readonly perSecond: (name: string) => number;
  readonly ofRate: (name: string, other: string) => number;
  readonly ofCpu: (name: string, other: string) => number;
}

/** Until the engine has compiled what runs often, it is the engine that is timed: so often, or so long on a slow machine. */
const warm = { times: 20_000, ms: 15_000 };

/** Short slices in turn, in another order each round: what disturbs the machine disturbs all of them. */
export async function contest(contestants: readonly Contestant[], course: Course): Promise<Results> {
  for (const contestant of contestants) {
    await repeat(contestant, course, (done, ms) => done >= warm.times || ms >= warm.ms);
  }
  const timed = contestants.map((contestant) => ({ name: contestant.name, run: () => lap(contestant, course) }));
  const laps = await interleave(timed, course.rounds);
  const of = (name: string, what: (lap: Lap) => number) => (laps.get(name) ?? []).map(what);
  const rate = ({ perSecond }: Lap) => perSecond;
  const cpu = ({ cpuMicros }: Lap) => cpuMicros;
  return {
    perSecond: (name) => median(of(name, rate)),
    ofRate: (name, other) => median(ratios(of(name, rate), of(other, rate))),
    ofCpu: (name, other) => median(ratios(of(name, cpu), of(other, cpu))),
  };
}

async function lap(contestant: Contestant, course: Course): Promise<Lap> {
  const { spent = own } = contestant;
  const spentBefore = await spent();
  const { done, ms } = await repeat(contestant, course, (_, passed) => passed >= course.sliceMs);
  return { perSecond: (done * 1_000) / ms, cpuMicros: ((await spent()) - spentBefore) / 1_000 / done };
}

async function repeat(
  { once }: Contestant,
  { clients }: Course,
  isOver: (done: number, ms: number) => boolean,
): Promise<{ readonly done: number; readonly ms: number }> {
  const began = performance.now();
  let done = 0;
  const client = async () => {
    while (!isOver(done, performance.now() - began)) {
      await once();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { done, ms: performance.now() - began };
}

const own = async () => processorTime();
