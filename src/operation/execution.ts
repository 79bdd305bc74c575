import type { Name, WorkId } from "../base/names.ts";
import type { UnderWay } from "../base/under-way.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { OperationCounters } from "./counters.ts";
import type { Host } from "./host.ts";
import type { Looks } from "./looks.ts";
import type { Settlement } from "./record.ts";
import type { Settings } from "./settings.ts";
import type { Work } from "./work.ts";

/** One request to run one piece of work, in this process. */
export interface Execution {
  readonly host: Host;
  readonly settings: Settings;
  readonly counters: OperationCounters;
  readonly ledger: Ledger<unknown>;
  readonly work: Work;
  /** A transport's rendering, stored beside the outcome; `null` without one. */
  readonly render: (settlement: Settlement) => string | null;
  /** By a completer, not by a caller. */
  readonly resumed: boolean;
  readonly looks: Looks;
  /** The attempts under way in this process. */
  readonly owned: UnderWay<Owned>;
  /** Nobody is there any more then, by the monotonic clock; `null`: nobody says. */
  readonly endsAt: number | null;
}

/** A claim that this process won. */
export interface Owned {
  readonly id: WorkId;
  readonly name: Name;
  readonly cancel: () => void;
  /** Resolves when it has ended, however. */
  readonly ended: () => Promise<void>;
}
