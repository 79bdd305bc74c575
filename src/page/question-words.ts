import type { Answer, Decided } from "../decisions/decided.ts";
import type { Metrics } from "../observe/metrics.ts";
import { type Questioned, questionTexts } from "./question-texts.ts";

/** How questions are put, and what their answers count. */

export function asked(number: Questioned) {
  return { number, ...questionTexts[number] };
}

export function valueIn(answer: Answer | undefined): string | undefined {
  return answer === undefined || answer.is === "undecided" ? undefined : answer.value;
}

export function totalOf(counted: readonly { readonly total: Readonly<Record<string, number>> }[], key: string): number {
  return counted.reduce((sum, { total }) => sum + (total[key] ?? 0), 0);
}

export function ownersOf(decided: readonly Decided[]): string {
  const owners = new Set(decided.map(({ owner }) => owner ?? "nobody"));
  return [...owners].sort().join(", ");
}

export const whole = (value: number) => Math.round(value).toLocaleString("en-US");

export function windowOf({ from, until }: Metrics): string {
  const minutes = Math.max(1, Math.round((until - from) / 60_000));
  if (minutes < 120) return `last ${minutes} min`;
  return minutes < 2_880 ? `last ${Math.round(minutes / 60)} h` : `last ${Math.round(minutes / 1_440)} d`;
}

export function percent(share: number): string {
  const value = share * 100;
  // what is not quite everything is never rounded up to it
  const digits = value >= 99 && value < 100 ? 100 : 10;
  return `${Math.floor(value * digits) / digits}%`;
}

export const counted =
  (one: string, many: string) =>
  (count: number): string =>
    `${whole(count)} ${Math.round(count) === 1 ? one : many}`;

/** In the units of a declaration: `64 MB` is `"64mb"`. */
export function bytes(count: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"] as const;
  const place = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  const value = count / 1_024 ** place;
  return `${value >= 10 || place === 0 ? whole(value) : Math.round(value * 10) / 10} ${units[place]}`;
}
