import { workshopCount, workshopIds } from "../../database/schema.ts";
import { createRandom, createZipf, pauseBetweenArrivals } from "../../random.ts";

/**
 * The story of the stampede, in its own time: seconds from the moment at which all availability keys expire together. They
 * were set together a life earlier, as by a job that warms a cache or an import that touches every workshop. Four seconds
 * after they expired a well-known instructor announces a batch of workshops.
 */
export const story = {
  /** The caches are empty, and fill as visitors read; nothing is measured yet. */
  from: -180,
  /** Two lives before the announcement: what is normal is measured from here. */
  measuredFrom: -116,
  /** All keys, a life before 0. */
  setTogether: -60,
  announcement: 4,
  to: 248,
  /** Of every cached availability. */
  lifeSeconds: 60,
  staleSeconds: 300,
  refreshSeconds: 45,
  hottest: 170,
  /** A day like any other: five visits a second, each looking at two of the 200 workshops. */
  ordinaryPerSecond: 10,
  popularity: 0.9,
  /** Those who see the announcement at once: 360, most of them within ten seconds. */
  rushPerSecond: 60,
  rushSeconds: 6,
  /** Those whom it reaches as it is passed on. */
  sharedPerSecond: 26,
  sharedSeconds: 190,
  /** The batch: so many workshops, from this place in popularity on. */
  batch: 12,
  batchFrom: 45,
  connections: 4,
  /** What the availability query holds a connection for. */
  queryMs: 750,
  /** Whoever has waited so long for a connection gets an error. */
  connectionWaitMs: 2_000,
  /** The platform answers a request by then, with an error if need be, but no query is given up. */
  requestMs: 2_500,
  /** Visitors wait no longer. */
  patienceMs: 10_000,
  /** An answer that takes longer is none, for the count of an outage. */
  slowMs: 5_000,
} as const;

export const batch: readonly string[] = workshopIds.slice(story.batchFrom, story.batchFrom + story.batch);

/** How much faster than the story its replay runs. One factor for everything that has a time. */
export const fullScale = 15;

export interface Arrival {
  /** Seconds of the story. */
  readonly at: number;
  readonly workshop: string;
}

/** The same visitors for the same seed: they come when they come, whatever the platform answers. */
export function drawArrivals(seed: number, until: number): readonly Arrival[] {
  const random = createRandom(seed);
  const arrivals: Arrival[] = [];
  // thinning: draw at the highest rate there is, and keep each arrival with the share that its moment has
  const highest = story.ordinaryPerSecond + story.rushPerSecond + story.sharedPerSecond;
  for (
    let at = story.from + pauseBetweenArrivals(random, highest);
    at < until;
    at += pauseBetweenArrivals(random, highest)
  ) {
    const rate = visitorsPerSecond(at);
    const drawn = random() * highest;
    if (drawn < rate)
      arrivals.push({ at, workshop: drawn < story.ordinaryPerSecond ? ordinary(random) : announced(random) });
  }
  return arrivals;
}

function visitorsPerSecond(at: number): number {
  const since = at - story.announcement;
  if (since < 0) return story.ordinaryPerSecond;
  const rush = story.rushPerSecond * Math.exp(-since / story.rushSeconds);
  const shared = story.sharedPerSecond * Math.exp(-since / story.sharedSeconds);
  return story.ordinaryPerSecond + rush + shared;
}

const drawWorkshop = createZipf(workshopCount, story.popularity);

function ordinary(random: () => number): string {
  return workshopIds[drawWorkshop(random)] ?? "w-001";
}

function announced(random: () => number): string {
  return batch[Math.floor(random() * batch.length)] ?? "w-001";
}
