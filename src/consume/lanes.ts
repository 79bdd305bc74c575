import type { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";

/** One that begins only when those before it in its lane have ended. */
export interface InLane {
  readonly lane: string;
  /** What its copies are known by. `null`: it is its receiver's until that closes, and its place is not kept. */
  readonly mark: string | null;
  readonly isRepeated: boolean;
  /** A lost one is handed out again when its lock has ended at the broker, which takes no longer than this. */
  readonly lockMs: number;
}

/** Where a message stands in its lane. */
export interface Place {
  readonly hasBegun: boolean;
  /** Resolves when it may begin; or, where nothing may any more, when all before it are given back, as it is to be. */
  readonly reached: () => Promise<void>;
  /** It has ended; or it is given back, or has lost its lock, and comes again. */
  readonly leave: (hasEnded: boolean) => void;
}

interface Kept {
  readonly message: InLane;
  readonly ending: Abortable;
  is: "waiting" | "begun" | "to come" | "gone";
  begin: () => void;
}

/**
 * The messages of each lane in the order in which this process received them first. One that comes again has its old place,
 * and those behind it wait for it: a broker may hand them out before.
 */
export class Lanes {
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Kept[]>();
  /** Those to come that no receiver was there for yet. */
  #toCome: Kept[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  enter(message: InLane, ending: Abortable): Place {
    const lane = this.#lanes.get(message.lane) ?? [];
    this.#lanes.set(message.lane, lane);
    const kept: Kept = { message, ending, is: "waiting", begin: () => {} };
    const at = message.isRepeated ? lane.findIndex((one) => isCopy(one, kept)) : -1;
    const before = lane[at];
    if (before?.is === "to come") {
      before.is = "gone";
      lane[at] = kept;
      // one that is still here has lost its lock, and those behind it have not begun
    } else lane.splice(before === undefined ? lane.length : at + 1, 0, kept);
    advance(lane);
    return {
      hasBegun: kept.is === "begun",
      reached: () =>
        new Promise((resolve) => {
          kept.begin = resolve;
          ending.onAbort(() => advance(lane));
        }),
      leave: (hasEnded) => this.#leave(lane, kept, hasEnded),
    };
  }

  /** A receiver is there for those to come. One that it is not handed is done by another process, and is not waited for. */
  began(): void {
    for (const kept of this.#toCome.splice(0)) {
      this.#clock.timer(kept.message.lockMs, () => {
        const lane = this.#lanes.get(kept.message.lane);
        if (lane !== undefined && kept.is === "to come") this.#remove(lane, kept);
      });
    }
  }

  #leave(lane: Kept[], kept: Kept, hasEnded: boolean): void {
    const isKept = !hasEnded && kept.message.mark !== null && !lane.some((one) => one !== kept && isCopy(one, kept));
    if (isKept) {
      kept.is = "to come";
      this.#toCome.push(kept);
      advance(lane);
    } else this.#remove(lane, kept);
  }

  #remove(lane: Kept[], kept: Kept): void {
    kept.is = "gone";
    lane.splice(lane.indexOf(kept), 1);
    if (lane.length === 0) this.#lanes.delete(kept.message.lane);
    else advance(lane);
  }
}

function isCopy({ message: { mark } }: Kept, { message }: Kept): boolean {
  return mark !== null && mark === message.mark;
}

/** Lets the first one that is here begin, unless one before it is still to come. */
function advance(lane: readonly Kept[]): void {
  const at = lane.findIndex(({ is }) => is !== "to come");
  const first = lane[at];
  if (first?.is !== "waiting" || (at > 0 && first.ending.reason === undefined)) return;
  first.is = "begun";
  first.begin();
}
