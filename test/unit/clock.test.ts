import { describe, expect, test } from "vitest";
import { pause } from "../../src/base/promise.ts";
import { manualClock } from "../../src/testing/clock.ts";

describe("the manual clock", () => {
  test("stands still until it is advanced, and then moves both times", async () => {
    const clock = manualClock({ now: 1_000 });
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0]);
    await clock.advance(250);
    expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250]);
  });

  test("runs due timers in order, each at its own instant, and leaves later ones waiting", async () => {
    const clock = manualClock({ now: 0 });
    const seen: string[] = [];
    clock.timer(30, () => seen.push(`c at ${clock.now()}`));
    clock.timer(10, () => seen.push(`a at ${clock.now()}`));
    clock.timer(10, () => seen.push(`b at ${clock.now()}`));
    clock.timer(31, () => seen.push("never"));
    await clock.advance(30);
    expect(seen).toEqual(["a at 10", "b at 10", "c at 30"]);
    expect(clock.pending()).toBe(1);
  });

  test("lets what a timer set going run on, so a chain of pauses passes in one step", async () => {
    const clock = manualClock({ now: 0 });
    const chain = (async () => {
      for (let i = 0; i < 3; i++) await pause(clock, 10);
      return clock.now();
    })();
    await clock.advance(100);
    expect(await chain).toBe(30);
    expect(clock.now()).toBe(100);
  });

  test("a cancelled timer never runs", async () => {
    const clock = manualClock();
    let ran = false;
    const cancel = clock.timer(10, () => {
      ran = true;
    });
    cancel();
    await clock.advance(20);
    expect(ran).toBe(false);
  });

  test("a jump moves the stored time and no deadline", async () => {
    const clock = manualClock({ now: 5_000 });
    let ran = false;
    clock.timer(10, () => {
      ran = true;
    });
    clock.jump(-3_000);
    expect([clock.now(), clock.monotonic(), ran]).toEqual([2_000, 0, false]);
  });
});
