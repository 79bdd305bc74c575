import type { Name, WorkId } from "../base/names.ts";
import type { EffectRecord, Fingerprint, Progress, WorkAbout } from "./ledger.ts";

/** What people see of recorded work; read by the page, by programs and by the command line. */

export type RunState = "open" | "running" | "unknown" | "done";
export interface RecentQuery {
  readonly limit: number;
  readonly operation?: string | undefined;
  readonly state?: RunState | undefined;
}
export interface RunSummary extends WorkAbout {
  readonly id: WorkId;
  readonly state: RunState;
  /** Whether the kept outcome is a refusal; `null` before there is one. */
  readonly refused: boolean | null;
  readonly createdAt: number;
  /** When it was completed or parked. */
  readonly endedAt: number | null;
  readonly leaseUntil: number | null;
  readonly keepUntil: number;
  readonly token: number;
  readonly print: Fingerprint;
  /** Why it is parked, or its last error: classes and codes, never values. */
  readonly why: string | null;
  /** `null`: it never said. */
  readonly progress: Progress | null;
  readonly cancelled: boolean;
}
export interface TwiceQuery {
  readonly operation: string;
  readonly withinMs: number;
  /** Only works with this intent. */
  readonly intent?: Name | undefined;
  readonly limit: number;
}
/** Two works that succeeded with one intent. */
export interface Twice {
  readonly first: RunSummary;
  readonly second: RunSummary;
  readonly names: { readonly first: Name; readonly second: Name };
}
export interface SuccessesQuery {
  readonly operation: string;
  /** Where the page before ended, as it said; `null`: from the oldest on. */
  readonly after: string | null;
  /** How many works are looked at: those that succeeded are told. */
  readonly limit: number;
}
export interface SuccessesPage {
  readonly successes: readonly KeptSuccess[];
  /** For the ledger that said it; `null`: there is no further one. */
  readonly next: string | null;
}
export interface KeptSuccess {
  readonly run: RunSummary;
  readonly intent: Name | null;
}
export interface RunHistory {
  readonly run: RunSummary;
  readonly effects: readonly EffectRecord[];
  /** What ended or asked about each past attempt, oldest first. */
  readonly attempts: readonly AttemptRecord[];
}
export interface AttemptRecord {
  readonly at: number;
  readonly what:
    | "taken-over"
    | "released"
    | "parked"
    | "reopened"
    | "revoked"
    | "cancelled"
    | "settled"
    | "answered"
    | "forgotten";
  /** The instance; of a person's decision (`reopened` with a reason, and all from `revoked` on) who made it. */
  readonly owner: string;
  readonly token: number;
  readonly why: string | null;
}
