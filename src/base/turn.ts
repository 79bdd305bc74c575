/** For so long calls may follow each other before timers, sockets and signals have their turn. */
const longestMs = 10;

let beganAt = 0;
let turning: Promise<void> | undefined;

/**
 * What a call into a synchronous store awaits first: such calls, one after the other, never wait for anything, and would keep
 * heartbeats, deadlines and other requests waiting for as long. `undefined`: there was a turn just now.
 */
export function giveTurn(): Promise<void> | undefined {
  const now = performance.now();
  if (turning === undefined) {
    beganAt = now;
    turning = new Promise((resolve) => {
      setImmediate(() => {
        turning = undefined;
        resolve();
      });
    });
    return undefined;
  }
  return now - beganAt < longestMs ? undefined : turning;
}
