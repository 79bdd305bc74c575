import type { Answer } from "./replay.ts";
import { story } from "./story.ts";

/** One side's replay, second by second of the story, from the two lives before the announcement on. */
export interface Measured {
  readonly seconds: readonly number[];
  readonly arrivals: readonly number[];
  /** When issued, answered or not. */
  readonly queries: readonly number[];
  /** Of those who came in this second; `null`: nobody came. */
  readonly p50: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
  readonly errors: readonly number[];
  /** The stretch to be shaded; how many seconds were bad in all is among the figures. */
  readonly outage: Span | undefined;
  readonly figures: Figures;
}
/** In seconds of the story, `to` excluded. */
export interface Span {
  readonly from: number;
  readonly to: number;
}
/** Beside what is normal, all is counted from the announcement on. */
export interface Figures {
  /** The mean over the two lives before the announcement. */
  readonly normalQueriesPerSecond: number;
  /** The mean over the busiest five seconds. */
  readonly peakQueriesPerSecond: number;
  readonly p99Ms: number;
  readonly errors: number;
  readonly outageSeconds: number;
}

/** The answers of one replay, and when its queries were issued, in seconds of the story. */
export function measure(answers: readonly Answer[], queriesAt: readonly number[], until: number): Measured {
  const { measuredFrom, announcement } = story;
  const seconds = Array.from({ length: until - measuredFrom }, (_, at) => measuredFrom + at);
  const bySecond = seconds.map((): Answer[] => []);
  for (const answer of answers) bySecond[Math.floor(answer.at) - measuredFrom]?.push(answer);
  const queries = seconds.map(() => 0);
  for (const at of queriesAt) {
    const index = Math.floor(at) - measuredFrom;
    if (index >= 0 && index < queries.length) queries[index] = (queries[index] ?? 0) + 1;
  }
  const times = bySecond.map((those) => those.map(({ ms }) => ms).sort((a, b) => a - b));
  const errors = bySecond.map((those) => those.filter(({ ok }) => !ok).length);
  const bad = seconds.filter((second, at) => second >= announcement && isOutage(bySecond[at] ?? []));

  const before = queriesAt.filter((at) => at >= measuredFrom && at < announcement);
  const after = answers.filter(({ at }) => at >= announcement);
  const slowest = after.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    seconds,
    arrivals: bySecond.map((those) => those.length),
    queries,
    p50: times.map((those) => share(those, 0.5)),
    p99: times.map((those) => share(those, 0.99)),
    errors,
    outage: spanOf(bad),
    figures: {
      normalQueriesPerSecond: rounded(before.length / (announcement - measuredFrom)),
      peakQueriesPerSecond: rounded(busiestFive(queriesAt.filter((at) => at >= announcement)) / 5),
      p99Ms: Math.round(share(slowest, 0.99) ?? 0),
      errors: after.filter(({ ok }) => !ok).length,
      outageSeconds: bad.length,
    },
  };
}

/** More than 1 in 20 of those who came in a second failed or took too long. */
function isOutage(those: readonly Answer[]): boolean {
  return those.filter(({ ok, ms }) => !ok || ms > story.slowMs).length * 20 > those.length;
}

/** From the first bad second to the last where most of those between are bad too; else the longest run of them. */
export function spanOf(bad: readonly number[]): Span | undefined {
  const first = bad[0];
  const last = bad.at(-1);
  if (first === undefined || last === undefined) return undefined;
  if (bad.length * 2 > last + 1 - first) return { from: first, to: last + 1 };
  let longest: Span = { from: first, to: first };
  let from = first;
  for (const [at, second] of bad.entries()) {
    if (at > 0 && second !== (bad[at - 1] ?? 0) + 1) from = second;
    if (second + 1 - from > longest.to - longest.from) longest = { from, to: second + 1 };
  }
  return longest;
}

/** The most queries in any five seconds, wherever they begin. */
export function busiestFive(at: readonly number[]): number {
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
