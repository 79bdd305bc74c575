import type { Choice } from "../admin/choices.ts";
import type { RunRow } from "../admin/rows.ts";
import type { Decided } from "../decisions/decided.ts";
import type { InsideMemory } from "../observe/inside.ts";
import type { Live } from "../observe/metrics.ts";
import type { IncidentResult } from "./incident.ts";

/** What the page's own script is told, as JSON. Values, bodies and keys in full are never part of it. */

export interface LiveMessage extends Live {
  /** By write-behind cache: writes acknowledged by this process that have not reached the source. */
  readonly pendingWrites: Readonly<Record<string, number>>;
  readonly incident: IncidentRunning | null;
}

export interface IncidentRunning {
  readonly name: string;
  readonly line: string;
  /** 0 to 1. */
  readonly share: number;
  readonly since: number;
}

export interface IncidentsAnswer {
  readonly v: 1;
  readonly running: IncidentRunning | null;
  /** Whether a start that comes the way this request came would be taken. */
  readonly startable: boolean;
  readonly incidents: readonly IncidentAnswer[];
}

export interface IncidentAnswer {
  readonly name: string;
  readonly title: string;
  readonly story: string;
  readonly takesSeconds: number;
  readonly last: IncidentResult | null;
  /** Why the last start came to nothing; `null`: it did not. */
  readonly failed: string | null;
}

export interface RunsAnswer {
  readonly v: 1;
  readonly at: number;
  /** `false`: there is no ledger, so there are no runs to tell of. */
  readonly ledger: boolean;
  /** Newest first. */
  readonly runs: readonly RunRow[];
  /** Whether the limit cut some off. */
  readonly more: boolean;
}

export interface RunAnswer {
  readonly v: 1;
  readonly at: number;
  readonly run: RunRow;
  readonly timeline: Timeline;
  /** What a person may decide about it as it stands. */
  readonly choices: readonly Choice[];
}

/** Whether a person can decide through this page, apart from the token. */
export interface AdministrationAnswer {
  readonly v: 1;
  /** `nowhere`: it has no token. `elsewhere`: not from where this request came. */
  readonly decides: "here" | "elsewhere" | "nowhere";
  readonly why: string | null;
}

export interface Timeline {
  /** Left to right: the caller, one for each attempt, the ledger, what is outside. */
  readonly lanes: readonly Lane[];
  readonly rows: readonly TimelineRow[];
}

export interface Lane {
  readonly kind: "caller" | "attempt" | "ledger" | "outside";
  readonly name: string;
  /** Of an attempt; `null` where several share the lane. */
  readonly token: number | null;
}

export interface TimelineRow {
  /** On the ledger's clock; `null`: what has not happened yet, or at a time that nobody recorded. */
  readonly at: number | null;
  readonly kind: "event" | "silence" | "now";
  /** The arrows of the row, in order. */
  readonly steps: readonly TimelineStep[];
  /** Plain text; `**` around what weighs. */
  readonly what: string;
  /** What happens on a rerun if everything stopped right after this. */
  readonly ifStopped: string;
  readonly bad: boolean;
}

export interface TimelineStep {
  /** Indexes of lanes. */
  readonly from: number;
  readonly to: number;
  /** Durable in the ledger when it arrives; else it goes outside and may be lost. */
  readonly durable: boolean;
}

export interface DecisionsAnswer {
  readonly v: 1;
  readonly service: string;
  readonly at: number;
  readonly decisions: readonly Decided[];
  /** Of the process that answers; its bound and its policy are declared for all caches together. */
  readonly memory: InsideMemory;
  /** Only those that there is something to say about. */
  readonly questions: readonly Question[];
}

/** `evidence`: something measured or tested it. `declared`: it stands in the code, nothing has shown it yet. */
export type QuestionState = "evidence" | "declared" | "default" | "undecided" | "contradicted";

export interface Question {
  /** 1 to 10 for caches, A to E for operations. */
  readonly number: string;
  readonly name: string;
  readonly question: string;
  readonly state: QuestionState;
  /** One sentence with a number; `**` around what weighs. */
  readonly answer: string;
  readonly detail: string;
  readonly owners: string;
  /** Where the answer comes from. */
  readonly source: string;
}

export interface Refusal {
  readonly v: 1;
  readonly error: { readonly code: string; readonly message: string };
}
