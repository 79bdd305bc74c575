import { type Clock, systemClock } from "../../src/base/clock.ts";

/** Stored time moves when told to; waiting for a lock takes real time. */
export function movableClock(): { readonly clock: Clock; readonly passTime: (ms: number) => Promise<void> } {
  let passed = 0;
  return {
    clock: { ...systemClock, now: () => systemClock.now() + passed },
    passTime: async (ms) => {
      passed += ms;
    },
  };
}
