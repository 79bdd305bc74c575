import { describe, expect, it } from "vitest";
import { busiestFive, measure, spanOf } from "../../examples/booking/src/incidents/stampede/measure.ts";
import type { Answer } from "../../examples/booking/src/incidents/stampede/replay.ts";
import { story } from "../../examples/booking/src/incidents/stampede/story.ts";

const served = (at: number, ms = 100): Answer => ({ at, ms, ok: true });
const failed = (at: number): Answer => ({ at, ms: 2_000, ok: false });
const until = story.announcement + 10;

describe("the measure of a stampede's replay", () => {
  it("counts errors, slow answers and the outage from the announcement on", () => {
    const answers = [failed(-3.5), served(-3.2, 9_000), failed(5.5), served(6.5, 5_001), served(7.5, 5_000)];
    const { figures, outage, errors, seconds } = measure(answers, [], until);
    expect(figures).toMatchObject({ errors: 1, outageSeconds: 2, p99Ms: 5_001 });
    expect(outage).toEqual({ from: 5, to: 7 });
    // what was seen before is drawn all the same
    expect(errors[seconds.indexOf(-4)]).toBe(1);
  });

  it("calls a second bad when more than 1 in 20 of those who came failed", () => {
    const nineteen = Array.from({ length: 19 }, () => served(6.5));
    const of = (answers: readonly Answer[]) => measure(answers, [], until).figures.outageSeconds;
    expect(of([...nineteen, failed(6.5)])).toBe(0);
    expect(of([...nineteen.slice(1), failed(6.5)])).toBe(1);
  });

  it("takes what is normal from the two lives before the announcement, and the peak from what comes after", () => {
    const before = Array.from({ length: 240 }, (_, at) => story.measuredFrom + at / 2);
    const warmingUp = Array.from({ length: 500 }, () => story.from + 1);
    const after = [5, 5, 6, 7, 8, 9, 10.5];
    const { figures } = measure([], [...warmingUp, ...before, ...after], until);
    expect(figures).toMatchObject({ normalQueriesPerSecond: 2, peakQueriesPerSecond: 1.2 });
  });

  it("finds the busiest five seconds wherever they begin", () => {
    expect(busiestFive([])).toBe(0);
    expect(busiestFive([0, 5])).toBe(1);
    expect(busiestFive([9.9, 0, 4.95, 7, 8, 5.1])).toBe(5);
  });

  it("shades from the first bad second to the last where most between are bad, else the longest run", () => {
    expect(spanOf([])).toBeUndefined();
    expect(spanOf([4, 5, 7, 8])).toEqual({ from: 4, to: 9 });
    expect(spanOf([4, 60, 61, 62, 200])).toEqual({ from: 60, to: 63 });
    expect(spanOf([4])).toEqual({ from: 4, to: 5 });
  });
});
