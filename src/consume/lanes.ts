import type { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";

/** One that begins only when those before it in its lane have ended. */
export interface InLane {
  readonly lane: string;
  /** What its copies are known by. `null`: its broker hands it out in its place, and that is not kept here. */
  readonly mark: string | null;
  readonly isRepeated: boolean;
  /** A lost one is handed out again when its lock has ended at the broker, which takes no longer than this. */
  readonly lockMs: number;
}

/** Where a message stands in its lane. */
export interface Place {
  /**
   * Resolves when it may begin; or, where nothing may any more, when all before it are given back, as it is to be. `null`: it
   * may at once.
   */
  readonly reached: Promise<void> | null;
  /** It has ended; or it is given back, or has lost its lock, and comes again. */
  readonly leave: (hasEnded: boolean) => void;
}

interface Kept {
  readonly message: InLane;
  readonly ending: Abortable;
  readonly lane: Kept[];
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
  readonly #toCome: Kept[] = [];
  /** Of the last receiver that began. */
  #ending: Abortable | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  enter(message: InLane, ending: Abortable): Place {
    const lane = this.#lanes.get(message.lane) ?? [];
    this.#lanes.set(message.lane, lane);
    const kept: Kept = { message, ending, lane, is: "waiting", begin: () => {} };
    const at = message.isRepeated ? placeOf(kept) : -1;
    const former = lane[at];
    if (former?.is === "to come") {
      former.is = "gone";
      lane[at] = kept;
      // one that is still here has lost its lock, and those behind it have not begun
    } else lane.splice(former === undefined ? lane.length : at + 1, 0, kept);
    advance(lane);
    return {
      reached:
        kept.is === "begun"
          ? null
          : new Promise((resolve) => {
              kept.begin = resolve;
            }),
      leave: (hasEnded) => this.#leave(kept, hasEnded),
    };
  }

  /**
   * A receiver is there for those to come. One that it is not handed was done by another process, and is not waited for.
   * @param ending nothing that it hands out begins any more
   */
  began(ending: Abortable): void {
    this.#ending = ending;
    ending.onAbort(() => {
      for (const lane of this.#lanes.values()) advance(lane);
    });
    for (const kept of this.#toCome.splice(0)) this.#waitFor(kept);
  }

  #waitFor(kept: Kept): void {
    this.#clock.timer(kept.message.lockMs, () => {
      if (kept.is !== "to come") return;
      if (this.#ending?.reason === undefined) this.#remove(kept);
      // nobody is there to be handed it
      else this.#toCome.push(kept);
    });
  }

  #leave(kept: Kept, hasEnded: boolean): void {
    const { message, lane, ending } = kept;
    const next = lane[lane.indexOf(kept) + 1];
    if (hasEnded || message.mark === null || (next !== undefined && isCopy(next, kept))) {
      this.#remove(kept);
      return;
    }
    kept.is = "to come";
    if (this.#ending === ending || this.#ending?.reason !== undefined) this.#toCome.push(kept);
    // it ends late, over a receiver that is gone
    else this.#waitFor(kept);
    advance(lane);
  }

  #remove(kept: Kept): void {
    const { message, lane } = kept;
    kept.is = "gone";
    lane.splice(lane.indexOf(kept), 1);
    if (lane.length === 0) this.#lanes.delete(message.lane);
    else advance(lane);
  }
}

function isCopy({ message: { mark } }: Kept, { message }: Kept): boolean {
  return mark !== null && mark === message.mark;
}

/** Of its own delivery before, or -1: another message may hold the same, so first one that is to come. */
function placeOf(kept: Kept): number {
  const { lane } = kept;
  const toCome = lane.findIndex((one) => one.is === "to come" && isCopy(one, kept));
  return toCome >= 0 ? toCome : lane.findIndex((one) => isCopy(one, kept));
}

/** Lets the first one begin that is here, unless one before it is still to come. */
function advance(lane: readonly Kept[]): void {
  const at = lane.findIndex(({ is }) => is !== "to come");
  const first = lane[at];
  if (first?.is !== "waiting" || (at > 0 && first.ending.reason === undefined)) return;
  first.is = "begun";
  first.begin();
}
