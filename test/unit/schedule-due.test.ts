import { describe, expect, test } from "vitest";
import { defaults } from "../../src/base/defaults.ts";
import { isRepriseError } from "../../src/base/errors.ts";
import { type Cadence, cadenceOfCron, cadenceOfEvery } from "../../src/schedule/cadence.ts";
import { begin, end, nextAt, overlap, pause, type Rules, resume } from "../../src/schedule/due.ts";
import { type ScheduleState, unseen } from "../../src/schedule/state.ts";

const day = 86_400_000;
const hour = 3_600_000;
const zones = [
  ...["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago", "UTC"],
];
const policies: Readonly<Record<string, Pick<Rules, "catchesUp" | "withinMs" | "atMost">>> = {
  skip: { catchesUp: "newest", withinMs: defaults.schedule.graceMs, atMost: 1 },
  latest: { catchesUp: "newest", withinMs: 6 * hour, atMost: 1 },
  every: { catchesUp: "every", withinMs: 30 * day, atMost: 24 },
};
const cron = (at: string, timeZone = "UTC") => cadenceOfCron(at, timeZone, "schedule 's'", 1_000);
const iso = (instants: readonly number[]) => instants.map((instant) => new Date(instant).toISOString().slice(0, 16));
const following = (cadence: Cadence, from: string, count: number) => {
  const ticks: number[] = [];
  for (let at = cadence.next(Date.parse(from)); at !== null && ticks.length < count; at = cadence.next(at)) {
    ticks.push(at);
  }
  return iso(ticks);
};

/** The same instants, looked up: croner takes a tenth of a millisecond for each. */
function remembered(cadence: Cadence, from: number, until: number): Cadence & { readonly ticks: readonly number[] } {
  const ticks: number[] = [];
  for (let at = cadence.next(from); at !== null && at <= until; at = cadence.next(at)) ticks.push(at);
  const after = (instant: number) => {
    let [low, high] = [0, ticks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ticks[middle] ?? 0) <= instant) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    ticks,
    next: (instant) => ticks[after(instant)] ?? null,
    newest: (instant) => ticks[after(instant) - 1] ?? null,
    count: (a, b) => after(b) - after(a),
  };
}

describe("a cadence", () => {
  test("runs a time that the spring gap skips at its end, and one that comes twice in autumn once", () => {
    expect(following(cron("30 2 * * *", "Europe/Berlin"), "2026-03-28T12:00Z", 2)).toEqual([
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
    expect(following(cron("30 2 * * *", "Europe/Berlin"), "2026-10-24T12:00Z", 2)).toEqual([
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test("does not drop the skipped time where the expression lists several hours", () => {
    expect(following(cron("30 2,14 * * *", "Europe/Berlin"), "2026-03-29T00:00Z", 2)).toEqual([
      "2026-03-29T01:00",
      "2026-03-29T12:30",
    ]);
  });

  test("with a wildcard goes through both of the double hours, also where they are half ones", () => {
    expect(following(cron("*/30 * * * *", "Europe/Berlin"), "2026-10-24T23:59Z", 4)).toEqual([
      ...["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"],
    ]);
    expect(following(cron("*/15 * * * *", "Australia/Lord_Howe"), "2026-04-04T14:59Z", 3)).toEqual([
      ...["2026-04-04T15:00", "2026-04-04T15:15", "2026-04-04T15:30"],
    ]);
  });

  test.each(zones)("finds the newest tick that `next` finds too, all year in %s", (zone) => {
    for (const at of ["30 2,14 * * *", "15 1 * * *"]) {
      const cadence = cron(at, zone);
      let before = cadence.next(Date.UTC(2026, 0, 1)) ?? 0;
      for (let tick = cadence.next(before); tick !== null && tick < Date.UTC(2027, 0, 1); tick = cadence.next(tick)) {
        expect(cadence.newest(tick - 1)).toBe(before);
        expect(cadence.newest(tick)).toBe(tick);
        before = tick;
      }
    }
  });

  test("of `every` is aligned to the epoch", () => {
    expect(following(cadenceOfEvery("5m", "s"), "2026-01-01T00:02Z", 2)).toEqual([
      "2026-01-01T00:05",
      "2026-01-01T00:10",
    ]);
    expect(cadenceOfEvery("5m", "s").count(0, hour)).toBe(12);
  });

  test.each([
    ["0 0 30 2 *", "UTC", /names no date/],
    ["0 0 * * *", "Mars/Olympus", /is no time zone/],
    ["61 * * * *", "UTC", /is no cron expression/],
    ["every day", "UTC", /is no cron expression/],
    ["2030-01-01T00:00:00", "UTC", /is no cron expression/],
  ])("refuses '%s' in %s", (at, zone, why) => {
    let thrown: unknown;
    try {
      cron(at, zone);
    } catch (error) {
      thrown = error;
    }
    expect(isRepriseError(thrown, "REPRISE_BAD_DECLARATION") && thrown.message).toMatch(why);
  });
});

/** One run after the other on a virtual clock, with outages in which nobody is there. What ran, and every end. */
function simulate(rules: Rules, from: number, until: number, outages: readonly (readonly [number, number])[]) {
  let state: ScheduleState = { ...unseen, since: from, handledUntil: from };
  const runs = new Map<number, number>();
  const ends = new Map<number, { readonly is: string; readonly ticks: number | null; readonly from: number | null }>();
  let token = 0;
  const isOut = (now: number) => outages.find(([begins, ends]) => now >= begins && now < ends);
  for (let now: number | null = from; now !== null && now <= until; ) {
    const out = isOut(now);
    if (out !== undefined) {
      now = out[1];
      continue;
    }
    token += 1;
    for (;;) {
      const begun = begin(state, now, { name: "a", token }, rules);
      state = begun.state;
      if (begun.tick === null) break;
      runs.set(begun.tick, (runs.get(begun.tick) ?? 0) + 1);
      now += 1_000;
      state = end(state, { is: "ran", counts: null, why: null }, now, { token });
    }
    for (const tick of state.ticks) ends.set(tick.at, tick);
    now = nextAt(state, now, rules);
  }
  return { runs, ends: [...ends.values()], state };
}

describe("over 400 days with 3 outages", () => {
  const from = Date.UTC(2026, 0, 1);
  const until = from + 400 * day;
  // one over a spring gap, one over a double hour, and one longer than most schedules remember
  const outages = [
    [Date.UTC(2026, 2, 28, 20), Date.UTC(2026, 2, 29, 22)],
    [Date.UTC(2026, 9, 24, 22), Date.UTC(2026, 9, 25, 3)],
    [Date.UTC(2026, 5, 1), Date.UTC(2026, 5, 15)],
  ] as const;

  describe.each(zones)("in %s", (zone) => {
    const cadences = ["30 * * * *", "30 2,14 * * *"].map((at) => remembered(cron(at, zone), from, until + day));

    test.each(Object.entries(policies))("%s runs no tick twice, and each has an end", (name, policy) => {
      for (const cadence of cadences) {
        const rules: Rules = { cadence, ifStillRunning: "walk-away", retentionMs: 90 * day, ...policy };
        const { runs, ends, state } = simulate(rules, from, until, outages);
        const due = cadence.ticks.filter((tick) => tick <= state.handledUntil);
        expect([...runs.values()].every((count) => count === 1)).toBe(true);
        expect(ends.reduce((sum, { ticks }) => sum + (ticks ?? Number.NaN), 0)).toBe(due.length);
        if (name === "every") expect([...runs.keys()].sort((a, b) => a - b)).toEqual(due);
        else expect(runs.size).toBeLessThan(due.length);
      }
    });
  });
});

describe("what is due", () => {
  const minute = 60_000;
  const cadence = cadenceOfEvery("10m", "s");
  const at = (minutes: number) => minutes * minute;
  const rules = (given: Partial<Rules> = {}): Rules => ({
    ...{ cadence, ifStillRunning: "walk-away", catchesUp: "newest", withinMs: 6 * hour, atMost: 1 },
    retentionMs: 90 * day,
    ...given,
  });
  const seen: ScheduleState = { ...unseen, since: at(0), handledUntil: at(0) };
  const holder = (token: number) => ({ name: `i${token}`, token });
  const ran = { is: "ran", counts: null, why: null } as const;
  const told = (state: ScheduleState) =>
    state.ticks.map(({ at, is, from, ticks }) => [at / minute, is, ...(from === null ? [] : [from / minute, ticks])]);

  test("a new schedule misses nothing that was due before it was seen", () => {
    expect(begin({ ...seen, handledUntil: at(5) }, at(9), holder(1), rules()).tick).toBeNull();
    expect(begin({ ...seen, handledUntil: at(5) }, at(10), holder(1), rules()).tick).toBe(at(10));
  });

  test("`latest` runs the newest and records the others as missed; one that is too old is missed too", () => {
    const begun = begin(seen, at(35), holder(1), rules());
    expect(begun.tick).toBe(at(30));
    expect(told(begun.state)).toEqual([
      [10, "missed"],
      [20, "missed"],
    ]);
    const late = begin(seen, at(39), holder(1), rules({ withinMs: at(5) }));
    expect(late.tick).toBeNull();
    expect(told(late.state)).toHaveLength(3);
    expect(nextAt(late.state, at(39), rules())).toBe(at(40));
  });

  test("an outage over more ticks than are listed one by one is one entry that counts them", () => {
    const { state } = begin(seen, at(1_000), holder(1), rules());
    expect(told(state)).toEqual([[990, "missed", 10, 99]]);
    const counted = cadenceOfCron("* * * * *", "UTC", "s", 100);
    const begun = begin(seen, at(1_000), holder(1), rules({ cadence: counted }));
    expect(told(begun.state)).toEqual([[999, "missed", 1, null]]);
  });

  test("`every` runs all that are not too old, oldest first, and no more than `atMost` from tick to tick", () => {
    const every = rules({ catchesUp: "every", withinMs: at(45), atMost: 2 });
    let state = seen;
    const run = (now: number) => {
      const begun = begin(state, now, holder(1), every);
      state = end(begun.state, ran, now, holder(1));
      return begun.tick === null ? null : begun.tick / minute;
    };
    expect([run(at(69)), run(at(69)), run(at(69))]).toEqual([30, 40, null]);
    expect(nextAt(state, at(69), every)).toBe(at(70));
    expect([run(at(70)), run(at(70)), run(at(70))]).toEqual([50, 60, null]);
    expect([run(at(80)), run(at(80)), run(at(80))]).toEqual([70, 80, null]);
    expect(told(state).slice(0, 3)).toEqual([
      [10, "missed"],
      [20, "missed"],
      [30, "ran"],
    ]);
    expect(nextAt(state, at(80), every)).toBe(at(90));
  });

  test("a tick that comes due while an earlier one runs walks away, once, and only if it came after the run began", () => {
    const { state } = begin(seen, at(10), holder(1), rules());
    const walked = overlap(state, at(21), rules());
    expect(told(walked)).toEqual([[20, "walked-away"]]);
    expect(overlap(walked, at(29), rules())).toBe(walked);
    expect(end(walked, ran, at(29), holder(1)).ticks.map(({ is }) => is)).toEqual(["ran", "walked-away"]);
    const every = rules({ catchesUp: "every", atMost: 9 });
    const catching = begin(seen, at(35), holder(1), every).state;
    expect(overlap(catching, at(40), every)).toBe(catching);
  });

  test("`after-it` leaves it due, `stop-it` asks the earlier one to stop", () => {
    const after = rules({ ifStillRunning: "after-it" });
    const first = begin(seen, at(10), holder(1), after).state;
    expect(overlap(first, at(20), after)).toBe(first);
    expect(begin(end(first, ran, at(24), holder(1)), at(24), holder(1), after).tick).toBe(at(20));
    const stop = rules({ ifStillRunning: "stop-it" });
    expect(overlap(first, at(19), stop)).toBe(first);
    const asked = overlap(first, at(20), stop);
    expect(asked.stop).toBe(at(10));
    expect(overlap(asked, at(20), stop)).toBe(asked);
  });

  test("whoever takes the lease after a crash takes up the same tick, and nobody else's end counts from then on", () => {
    const first = begin(seen, at(10), holder(1), rules()).state;
    const { state, tick } = begin(first, at(15), holder(2), rules());
    expect(tick).toBe(at(10));
    expect(state.current).toMatchObject({ token: 2, starts: 2, startedAt: at(10), takenAt: at(15), holder: "i2" });
    expect(end(state, ran, at(16), holder(1))).toBe(state);
    expect(told(end(state, ran, at(16), holder(2)))).toEqual([[10, "ran"]]);
  });

  test("after an outage the tick that was left is finished, and what came due meanwhile is caught up by its rule", () => {
    const first = begin(seen, at(10), holder(1), rules()).state;
    const taken = begin(first, at(45), holder(2), rules());
    expect(taken.tick).toBe(at(10));
    const next = begin(end(taken.state, ran, at(46), holder(2)), at(46), holder(2), rules());
    expect(next.tick).toBe(at(40));
    expect(told(next.state)).toEqual([
      [10, "ran"],
      [20, "missed"],
      [30, "missed"],
    ]);
    // unless it is to be stopped for a newer one
    expect(begin(first, at(45), holder(2), rules({ ifStillRunning: "stop-it" })).tick).toBe(at(40));
  });

  test("a tick that ends every process that runs it is given up", () => {
    let state = begin(seen, at(10), holder(0), rules({ catchesUp: "every", atMost: 2 })).state;
    for (let token = 1; token < 20 && state.current !== null; token += 1) {
      state = begin(state, at(11), holder(token), rules({ catchesUp: "every", atMost: 2 })).state;
    }
    expect(state.current).toBeNull();
    expect(state.ticks.at(-1)).toMatchObject({ at: at(10), is: "failed", why: "10 starts without an end" });
  });

  test("a tick that was left for longer than its outcome is kept is given up: it may have been done", () => {
    const brief = rules({ retentionMs: 30 * minute });
    const { state } = begin(seen, at(10), holder(1), brief);
    expect(begin(state, at(39), holder(2), brief).tick).toBe(at(10));
    const later = begin(state, at(40), holder(2), brief);
    expect(later.tick).toBe(at(40));
    expect(later.state.ticks[0]).toMatchObject({ at: at(10), is: "failed", why: "left for longer than its retention" });
  });

  test("beginning and ending again after a lost answer changes nothing", () => {
    const first = begin(seen, at(10), holder(1), rules()).state;
    expect(begin(first, at(10), holder(1), rules())).toEqual({ state: first, tick: at(10) });
    const ended = end(first, ran, at(11), holder(1));
    expect(end(ended, ran, at(11), holder(1))).toBe(ended);
  });

  test("in a pause nothing begins, and its end makes one entry of what came due", () => {
    const note = { who: "ada", why: "the gateway is down" };
    const paused = pause(seen, note, at(15));
    expect(pause(paused, { who: "bob", why: "x" }, at(16))).toBe(paused);
    expect(begin(paused, at(50), holder(1), rules())).toEqual({ state: paused, tick: null });
    const resumed = resume(paused, { who: "bob", why: "it is back" }, at(50), rules());
    expect(told(resumed)).toEqual([
      [10, "missed"],
      [50, "paused", 20, 4],
    ]);
    expect(resumed.ticks[1]?.why).toBe("paused by ada: the gateway is down; resumed by bob: it is back");
    expect(begin(resumed, at(59), holder(1), rules()).tick).toBeNull();
  });
});
