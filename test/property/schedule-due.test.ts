import fc from "fast-check";
import { expect, test } from "vitest";
import { cadenceOfEvery } from "../../src/schedule/cadence.ts";
import { begin, end, nextAt, overlap, pause, type Rules, resume } from "../../src/schedule/due.ts";
import { decodeState, encodeState, type ScheduleState, unseen } from "../../src/schedule/state.ts";

/** Whatever instances do, crash and decide, in any order: no tick runs to its end twice, and none is lost. */

const step = 10;
const cadence = cadenceOfEvery("10ms", "s");
const note = { who: "ada", why: "x" };

const rules = fc.record({
  cadence: fc.constant(cadence),
  ifStillRunning: fc.constantFrom("walk-away", "after-it", "stop-it"),
  catchesUp: fc.constantFrom("newest", "every"),
  withinMs: fc.integer({ min: 1, max: 200 }),
  atMost: fc.integer({ min: 2, max: 5 }),
  retentionMs: fc.integer({ min: 1, max: 500 }),
}) as fc.Arbitrary<Rules>;
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 45 }) }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant("begin" as const) }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constantFrom("end" as const, "fail" as const) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom("look" as const, "crash" as const, "zombie" as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom("pause" as const, "resume" as const) }) },
);

test("every tick runs to its end at most once, and has exactly one end", () => {
  fc.assert(
    fc.property(rules, fc.array(event, { maxLength: 60 }), (given, events) => {
      let now = 1_000;
      let token = 1;
      let state: ScheduleState = { ...unseen, since: now, handledUntil: now };
      const finished = new Map<number, number>();
      for (const happens of events) {
        const before = state;
        switch (happens.does) {
          case "pass":
            now += happens.ms;
            break;
          case "begin": {
            // one lease: whoever begins while a tick runs is its holder
            const begun = begin(state, now, { name: "a", token }, given);
            state = begun.state;
            expect(begun.tick).toBe(state.paused === null ? (state.current?.at ?? null) : null);
            if (begun.tick !== null) expect(begun.tick).toBeLessThanOrEqual(now);
            break;
          }
          case "end":
          case "fail": {
            if (state.current?.token !== token) break;
            const is = happens.does === "end" ? "ran" : "failed";
            if (is === "ran") finished.set(state.current.at, (finished.get(state.current.at) ?? 0) + 1);
            state = end(state, { is, counts: null, why: null }, now, { token });
            break;
          }
          case "look":
            state = overlap(state, now, given);
            break;
          case "crash":
            token += 1;
            break;
          case "zombie":
            state = end(state, { is: "ran", counts: null, why: null }, now, { token: token - 1 });
            if (before.current?.token === token) expect(state).toBe(before);
            else state = before;
            break;
          case "pause":
            state = pause(state, note, now);
            break;
          case "resume":
            state = resume(state, note, now, given);
            break;
        }
        expect(state.handledUntil).toBeGreaterThanOrEqual(before.handledUntil);
        expect(state.handledUntil).toBeLessThanOrEqual(now);
        const at = decodeState({ name: "s", value: encodeState(state), version: 1, at: 0 }, "memory");
        expect(at).toEqual(state);
      }
      expect([...finished.values()].every((count) => count === 1)).toBe(true);
      const ended = state.ticks.reduce((sum, { ticks }) => sum + (ticks ?? Number.NaN), 0);
      const handled = cadence.count(state.since, state.handledUntil) ?? Number.NaN;
      expect(ended + (state.current === null ? 0 : 1)).toBe(handled);
      // ends overlap nowhere
      let last = state.since;
      for (const { at, from, ticks } of state.ticks.filter(({ at }) => at !== state.current?.at)) {
        expect(from ?? at).toBeGreaterThan(last);
        expect((at - (from ?? at)) / step + 1).toBeGreaterThanOrEqual(ticks ?? 0);
        last = at;
      }
      // and there is always a next time to look
      expect(nextAt(state, now, given)).not.toBeNull();
    }),
    { numRuns: 2_000 },
  );
});
