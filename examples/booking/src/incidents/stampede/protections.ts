import type { Pace } from "../../reprise.ts";
import { jobsAtRest, production } from "../../reprise.ts";
import { story } from "./story.ts";

/** What stands between visitors and the database. A replay has all of it, or all but one, or nothing. */
export type Protection = "refresh" | "flight" | "stale" | "jitter";

export interface SideDeclaration {
  readonly name: string;
  readonly label: string;
  /** Reads through the cache of most tutorials. */
  readonly plain: boolean;
  readonly without: readonly Protection[];
}

export const without: SideDeclaration = { name: "without", label: "Without", plain: true, without: [] };
export const withAll: SideDeclaration = { name: "with", label: "With Reprise", plain: false, without: [] };
export const takenAway: readonly SideDeclaration[] = [
  { name: "no-refresh", label: "Refresh of the hottest, every 45 s", plain: false, without: ["refresh"] },
  { name: "no-flight", label: "One flight per key", plain: false, without: ["flight"] },
  { name: "no-stale", label: "Stale while refreshing", plain: false, without: ["stale"] },
  { name: "no-jitter", label: "Jittered expiry", plain: false, without: ["jitter"] },
  { name: "nothing", label: "All four", plain: false, without: ["refresh", "flight", "stale", "jitter"] },
];

/**
 * The declaration's times, `scale` times faster, less what is taken away. Without the soft deadline and the bound on who
 * waits: they decide who waits for the database, and the sides are to differ in how much they ask of it.
 */
export function paceOf(without: readonly Protection[], scale: number): Pace {
  const has = (protection: Protection) => !without.includes(protection);
  return {
    freshFor: `${(story.lifeSeconds * 1_000) / scale}ms`,
    staleFor: has("stale") ? `${(story.staleSeconds * 1_000) / scale}ms` : undefined,
    refresh: has("refresh")
      ? { hottest: story.hottest, every: `${(story.refreshSeconds * 1_000) / scale}ms` }
      : undefined,
    jitter: has("jitter") ? production.jitter : 0,
    lease: production.lease,
    jobs: jobsAtRest,
    releases: production.releases,
  };
}
