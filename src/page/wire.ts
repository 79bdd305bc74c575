import type { Choice } from "../admin/choices.ts";
import type { ConsumerRow, LetterRow } from "../admin/consumer-rows.ts";
import type { LetterCounts } from "../admin/consumers.ts";
import type { JobChoice, JobVerb } from "../admin/job-choices.ts";
import type { LoadRow, LoadRunRow, WindowRow } from "../admin/load-rows.ts";
import type { RunRow, TwiceRow } from "../admin/rows.ts";
import type { ScheduleRow, TickRow } from "../admin/schedule-rows.ts";
import type { Decided } from "../decisions/decided.ts";
import type { LoadPreview, LoadReconciliation, LoadResult } from "../load/surface.ts";
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

export interface TwiceAnswer {
  readonly v: 1;
  readonly at: number;
  /** Newest first, among the newest works of each operation. */
  readonly twice: readonly TwiceRow[];
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

export type JobKind = "load" | "schedule" | "consumer";

export interface LoadsAnswer {
  readonly v: 1;
  readonly at: number;
  readonly loads: readonly LoadRow[];
}

export interface LoadAnswer {
  readonly v: 1;
  readonly at: number;
  readonly load: LoadRow;
  /** Newest first, not all. */
  readonly runs: readonly LoadRunRow[];
  /** The run that was asked for, else the newest; `null`: there is none. */
  readonly shown: { readonly run: LoadRunRow; readonly windows: readonly WindowRow[] } | null;
  readonly asked: AskedJob | null;
  readonly choices: readonly JobChoice[];
}

export interface SchedulesAnswer {
  readonly v: 1;
  readonly at: number;
  /** Each with its last ticks, not all. */
  readonly schedules: readonly ScheduleRow[];
}

export interface ScheduleAnswer {
  readonly v: 1;
  readonly at: number;
  readonly schedule: ScheduleRow;
  readonly next: readonly number[];
  /** `null`: it has no work list. */
  readonly records: RecordsAnswer | null;
  readonly asked: AskedJob | null;
  readonly choices: readonly JobChoice[];
}

/** The newest works of the operation that a schedule's records are run with. */
export interface RecordsAnswer {
  readonly operation: string;
  readonly runs: readonly {
    readonly run: RunRow;
    readonly effects: readonly { readonly effect: string; readonly pinned: boolean }[];
  }[];
}

export interface ConsumersAnswer {
  readonly v: 1;
  readonly at: number;
  readonly consumers: readonly ConsumerRow[];
}

export interface ConsumerAnswer {
  readonly v: 1;
  readonly at: number;
  readonly consumer: ConsumerRow;
  /** The last look at what is set aside; `null`: nobody has looked. */
  readonly look: LettersLook | null;
  readonly asked: AskedJob | null;
  readonly choices: readonly JobChoice[];
}

export interface LettersLook {
  readonly at: number;
  readonly letters: readonly LetterRow[];
  /** Whether there are others still. */
  readonly more: boolean;
  /** Why it was in vain; `null`: it was not. */
  readonly failed: string | null;
}

/** What a person had done last, through the process that answers. */
export interface AskedJob {
  readonly does: JobVerb;
  readonly at: number;
  /** `null`: it is under way. */
  readonly ended: { readonly at: number; readonly end: JobEnd } | null;
}

export type JobEnd =
  | { readonly is: "load-ran"; readonly result: LoadResult }
  | { readonly is: "load-previewed"; readonly preview: LoadPreview }
  | { readonly is: "load-compared"; readonly reconciliation: LoadReconciliation }
  | { readonly is: "tick-ran"; readonly tick: TickRow }
  | { readonly is: "tick-held"; readonly holder: string | null }
  /** `changed`: false where it was so already. */
  | { readonly is: "paused" | "resumed"; readonly changed: boolean }
  | { readonly is: "redriven" | "discarded"; readonly counts: LetterCounts }
  | { readonly is: "failed"; readonly why: string };

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
