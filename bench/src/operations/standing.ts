import type { Figure } from "../figure.ts";
import type { Results } from "./contest.ts";
import type { Traffic } from "./wire.ts";

/** What a part of the group found, or why it could not look. */
export interface Found {
  readonly figures: readonly Figure[];
  /** Why figures are left out: a server that is not there. */
  readonly skipped?: string | undefined;
}

export type Part = (rounds: number) => Promise<Found>;

export function rate(name: string, perSecond: number): Figure {
  return { name: `${name}.perSecond`, value: perSecond, unit: "1/s", better: "higher" };
}

export function ratio(name: string, value: number, goal?: number): Figure {
  return { name, value, unit: "ratio", better: "higher", goal };
}

/**
 * How one contestant stands to another: what it does in the same time, and, where less is better, what it takes of a
 * processor for the same work. Names: `atomic.postgres.ofHandWritten`, `atomic.postgres.cpu.ofHandWritten`.
 */
export function standing(
  results: Results,
  name: string,
  { of, goal }: { readonly of: readonly [one: string, other: string]; readonly goal?: number | undefined },
): readonly Figure[] {
  const [one, other] = of;
  const toOther = `of${other.charAt(0).toUpperCase()}${other.slice(1)}`;
  return [
    ratio(`${name}.${toOther}`, results.ofRate(one, other), goal),
    { name: `${name}.cpu.${toOther}`, value: results.ofCpu(one, other), unit: "ratio", better: "lower" },
  ];
}

export function traffic(name: string, { statements, trips }: Traffic): readonly Figure[] {
  return [
    { name: `${name}.statements`, value: statements, unit: "statements", better: "lower" },
    { name: `${name}.trips`, value: trips, unit: "trips", better: "lower" },
  ];
}

/** `figures` of a server that is there, else why not. */
export async function whereIs(
  server: string,
  connect: () => Promise<unknown>,
  measure: () => Promise<readonly Figure[]>,
): Promise<Found> {
  try {
    await connect();
  } catch (error) {
    return {
      figures: [],
      skipped: `no ${server}: ${error instanceof Error && error.message !== "" ? error.message : String(error)}`,
    };
  }
  return { figures: await measure() };
}
