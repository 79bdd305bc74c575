import type { Answer } from "./replay.ts";
import { story } from "./story.ts";

/** One side's replay, second by second of the story. */
export interface Measured {
  readonly seconds: readonly number[];
  readonly arrivals: readonly number[];
  /** When issued, answered or not. */
  readonly queries: readonly number[];
  /** Of those who came in this second; `null`: nobody came. */
  readonly p50: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
  readonly errors: readonly number[];
  readonly outage: readonly boolean[];
  readonly figures: Figures;
}
export interface Figures {
  /** The mean over the two lives before the announcement. */
  readonly normalQueriesPerSecond: number;
  /** The mean over the busiest five seconds after it. */
  readonly peakQueriesPerSecond: number;
  /** Of all who came after the announcement. */
  readonly p99Ms: number;
  readonly errors: number;
  readonly outageSeconds: number;
}

/** The answers of one replay, and when its queries were issued, in seconds of the story. */
export function measure(answers: readonly Answer[], queriesAt: readonly number[], until: number): Measured {
  const seconds = Array.from({ length: until - story.from }, (_, at) => story.from + at);
  const bySecond = seconds.map((): Answer[] => []);
  for (const answer of answers) bySecond[Math.floor(answer.at) - story.from]?.push(answer);
  const queries = seconds.map(() => 0);
  for (const at of queriesAt) {
    const index = Math.floor(at) - story.from;
    if (index >= 0 && index < queries.length) queries[index] = (queries[index] ?? 0) + 1;
  }
  const times = bySecond.map((those) => those.map(({ ms }) => ms).sort((a, b) => a - b));
  const errors = bySecond.map((those) => those.filter(({ ok }) => !ok).length);
  const outage = bySecond.map((those) => those.filter(isBad).length * 20 > those.length);

  const lives = 2 * story.lifeSeconds;
  const before = queriesAt.filter((at) => at >= story.announcement - lives && at < story.announcement);
  const after = answers.filter(({ at }) => at >= story.announcement).map(({ ms }) => ms);
  return {
    seconds,
    arrivals: bySecond.map((those) => those.length),
    queries,
    p50: times.map((those) => share(those, 0.5)),
    p99: times.map((those) => share(those, 0.99)),
    errors,
    outage,
    figures: {
      normalQueriesPerSecond: rounded(before.length / lives),
      peakQueriesPerSecond: rounded(busiestFive(queriesAt.filter((at) => at >= story.announcement)) / 5),
      p99Ms: Math.round(
        share(
          after.sort((a, b) => a - b),
          0.99,
        ) ?? 0,
      ),
      errors: errors.reduce((sum, count) => sum + count, 0),
      outageSeconds: outage.filter(Boolean).length,
    },
  };
}

function isBad({ ok, ms }: Answer): boolean {
  return !ok || ms > story.slowMs;
}

/** The most queries in any five seconds, wherever they begin. */
function busiestFive(at: readonly number[]): number {
  const ordered = [...at].sort((a, b) => a - b);
  let first = 0;
  let most = 0;
  for (const [last, end] of ordered.entries()) {
    while ((ordered[first] ?? end) <= end - 5) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

function share(ordered: readonly number[], part: number): number | null {
  return ordered[Math.max(0, Math.ceil(ordered.length * part) - 1)] ?? null;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
