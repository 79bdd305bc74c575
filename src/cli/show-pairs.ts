import pc from "picocolors";
import type { Found, Pair } from "../admin/pairing.ts";

const whole = (count: number) => count.toLocaleString("en-US");
const instant = (at: number) => new Date(at).toISOString().slice(0, 19).replace("T", " ");

/** `40 s`, `12 min`, `3 h`: near enough to tell two clicks from two days. */
export function inWords(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
}

export function count(of: number, one: string, many = `${one}s`): string {
  return `${whole(of)} ${of === 1 ? one : many}`;
}

/** What was found, in two lines; none of it is a value. */
export function foundLines({ pairs, largest, from, until, shortestMs, longestMs }: Found): readonly string[] {
  if (from === null || until === null || shortestMs === null || longestMs === null) {
    return [`  ${pc.green("no success happened twice")}`];
  }
  const apart =
    inWords(shortestMs) === inWords(longestMs)
      ? `${inWords(shortestMs)} apart`
      : `${inWords(shortestMs)} to ${inWords(longestMs)} apart`;
  const group = largest > 2 ? `; the largest group has ${whole(largest)}` : "";
  return [
    `  ${pc.red(`${count(pairs, "success", "successes")} happened twice`)}, ${apart}${group}`,
    from === until ? `  at ${instant(until)} UTC` : `  from ${instant(from)} to ${instant(until)} UTC`,
  ];
}

export function pairLines(listed: readonly Pair[], printable: (key: string) => string): readonly string[] {
  return listed.map(
    ({ first, second, at, apartMs }) =>
      `    ${instant(at)}  ${printable(first)}  ${printable(second)}  ${inWords(apartMs)} apart`,
  );
}
