import { type Clock, systemClock } from "../base/clock.ts";

/**
 * The monotonic clock as a hit reads it. Of the system's clock, while reads come faster than one a millisecond, the reading
 * is kept for at most one turn of the event loop and 32 reads: a clock call costs as much as the rest of a hit. So a hit
 * may see an instant as late as that turn has been running; libuv's own timers do the same. Loads, permissions and
 * changes read the clock itself.
 */
export function createNow(clock: () => Clock): () => number {
  return () => {
    const given = clock();
    return given === systemClock ? recent() : given.monotonic();
  };
}

const keptReads = 31;
let reading = 0;
let left = 0;
let armed = false;

function recent(): number {
  if (left > 0) {
    left -= 1;
    return reading;
  }
  return readNow();
}

function readNow(): number {
  const exact = performance.now();
  if (!armed && exact - reading < 1) {
    armed = true;
    // not unreferenced: the loop would sleep before it ran, and whoever woke it would read an instant from before its sleep
    setImmediate(endTurn);
  }
  if (armed) left = keptReads;
  reading = exact;
  return exact;
}

function endTurn(): void {
  armed = false;
  left = 0;
}
