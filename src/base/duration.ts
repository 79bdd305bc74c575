import { RepriseError } from "./errors.ts";

/** `"60s"`, `"1.5h"`; from configuration: `` `${seconds}s` ``. Zero and less are refused at start. */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Milliseconds of a duration. `where` names the declaration's property for the error.
 * @throws REPRISE_BAD_DURATION
 */
export function milliseconds(duration: Duration, where: string): number {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration);
  const value = parts === null ? 0 : Number(parts[1]) * unitMs[parts[2] as keyof typeof unitMs];
  if (!(value > 0 && Number.isFinite(value))) {
    throw new RepriseError("REPRISE_BAD_DURATION", { where, given: String(duration) });
  }
  return value;
}
