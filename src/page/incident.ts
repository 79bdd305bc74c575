/** What the page needs of an incident: the platform runs it, the page starts it and draws what came out. */

export interface Incident {
  /** In the address: `stampede`. */
  readonly name: string;
  readonly title: string;
  readonly story: string;
  readonly takesSeconds: number;
  /** One at a time. `share` runs from 0 to 1. Resolves with what came out, which `lastResult` then returns. */
  readonly start: (progress: (line: string, share: number) => void) => Promise<IncidentResult>;
  /** `undefined`: it has not been run yet. */
  readonly lastResult: () => Promise<IncidentResult | undefined>;
}

export interface IncidentResult {
  /** ISO 8601. */
  readonly at: string;
  /** A sentence: "Four minutes of outage, or none." */
  readonly headline: string;
  /** Without, then with. */
  readonly sides: readonly [IncidentSide, IncidentSide];
  /** The same replay with protections taken away, or what else was tried. Empty: no such table. */
  readonly rows: readonly { readonly taken: string; readonly figures: readonly (number | null)[] }[];
  readonly rowsTitle: string;
  /** What a row is: "Taken away". */
  readonly rowsOf: string;
  /** One for each figure of a row. */
  readonly rowHeads: readonly string[];
  /** How it was replayed. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  /** The command that repeats it. */
  readonly again: string;
}

export interface IncidentSide {
  readonly title: string;
  readonly note: string;
  /** The same labels in the same order on both sides. */
  readonly figures: readonly {
    readonly label: string;
    readonly value: string;
    readonly unit: string;
    readonly bad: boolean;
  }[];
  /** One below the other, over the same `x` (seconds of the story). */
  readonly panes: readonly {
    readonly title: string;
    readonly unit: string;
    readonly scale: "linear" | "log";
    readonly x: readonly number[];
    /** `null` is a gap and is drawn as one. */
    readonly lines: readonly {
      readonly name: string;
      readonly kind: "area" | "line" | "bars";
      readonly values: readonly (number | null)[];
    }[];
    readonly limit?: { readonly value: number; readonly label: string };
  }[];
  /** `at` in the unit of `x`. */
  readonly marks: readonly { readonly at: number; readonly label: string }[];
  /** `from` and `to` in the unit of `x`. */
  readonly outage?: { readonly from: number; readonly to: number; readonly seconds: number };
  /** Left out: no process was killed. */
  readonly kills?: {
    /** What a dot's height says, as a sentence ends: "how often the gateway charged that booking". */
    readonly height: string;
    /** What is counted by `count`, and by `beside`, and what `told` tells. */
    readonly heads: readonly [count: string, beside: string, told: string];
    /** One for each kill: where in the run it fell (`step`, or `step: detail`) and what it led to. */
    readonly events: readonly Kill[];
  };
}

export interface Kill {
  readonly point: string;
  readonly count: number;
  readonly beside: number;
  readonly told: string;
  readonly bad: boolean;
}
