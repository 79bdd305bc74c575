import { expect, test } from "vitest";
import type { WorkId } from "../../src/base/names.ts";
import type { AttemptRecord, EffectRecord, RunHistory, RunSummary } from "../../src/contract/ledger.ts";
import { timelineOf } from "../../src/page/timeline.ts";

const began = Date.UTC(2026, 0, 1);

function history(
  run: Partial<RunSummary>,
  effects: readonly Partial<EffectRecord>[] = [],
  attempts: readonly AttemptRecord[] = [],
): RunHistory {
  return {
    run: {
      id: "0f" as WorkId,
      operation: "seat.book",
      identity: "R-1",
      principal: "u",
      key: null,
      owner: "web-1",
      state: "done",
      refused: false,
      createdAt: began,
      endedAt: began + 100,
      leaseUntil: null,
      keepUntil: began,
      token: 1,
      print: { version: 1, hash: "00" },
      why: null,
      progress: null,
      cancelled: false,
      ...run,
    },
    effects: effects.map((effect) => ({
      effect: "charge",
      kind: "effect",
      state: "pinned",
      startedAt: began + 10,
      pinnedAt: began + 50,
      settlesInMs: 0,
      answer: "never told",
      token: 1,
      ...effect,
    })),
    attempts,
  };
}

const told = (found: RunHistory, effects: "database" | "external" = "external") =>
  timelineOf(found, effects).rows.map(({ what }) => what);

test("a run that was killed after its effect began shows the silence, the take-over and where the answer came", () => {
  const found = history(
    { token: 2, owner: "web-2", endedAt: began + 30_500 },
    [
      { pinnedAt: began + 30_300 },
      { effect: "book", kind: "transaction", startedAt: began + 30_400, pinnedAt: began + 30_400, token: 2 },
    ],
    [{ at: began + 30_200, what: "taken-over", owner: "web-1", token: 1, why: null }],
  );
  expect(told(found)).toEqual([
    "**Claimed** by web-1, token 1",
    "Effect **charge** written down as **started**, then called",
    "Nothing more from web-1; its lease ran out on the ledger's clock",
    "**Taken over** by web-2, token 2. Token 1 is refused from here",
    "**charge** answered, the answer **pinned**",
    "**Transaction** book: what it wrote and its record committed together",
    "**Completed**: done",
  ]);
  const { lanes, rows } = timelineOf(found, "external");
  expect(lanes.map(({ name }) => name)).toEqual(["caller", "web-1", "web-2", "ledger", "outside"]);
  // the late answer came to the second attempt
  expect(rows[4]?.steps[0]).toMatchObject({ from: 4, to: 2 });
});

test("every row that happened says what a rerun would do after it", () => {
  const { rows } = timelineOf(history({}, [{}]), "external");
  expect(rows.filter(({ ifStopped }) => ifStopped === "")).toEqual([]);
});

test("parked work is marked for a person, with why", () => {
  const found = history(
    { state: "unknown", refused: null },
    [{ state: "started", pinnedAt: null }],
    [{ at: began + 100, what: "parked", owner: "web-1", token: 1, why: "charge gave no answer" }],
  );
  const last = timelineOf(found, "external").rows.at(-1);
  expect(last).toMatchObject({ what: "**Parked as unknown**: charge gave no answer", bad: true });
});

test("what a person decided is told with who and why, and is nobody's attempt", () => {
  const note = { owner: "ann", token: 1, why: "seen in the records" };
  const found = history(
    { owner: "web-1" },
    [],
    [
      { at: began + 50, what: "parked", owner: "web-1", token: 1, why: "charge gave no answer" },
      { at: began + 60, what: "settled", ...note },
    ],
  );
  expect(told(found)).toContain("**Settled** by ann: seen in the records");
  expect(timelineOf(found, "external").lanes.map(({ name }) => name)).not.toContain("ann");
});

test("database work is one commit and one row, with nothing outside", () => {
  const found = timelineOf(history({}), "database");
  expect(found.rows.length).toBe(1);
  expect(found.lanes.map(({ kind }) => kind)).toEqual(["caller", "attempt", "ledger"]);
});

test("a run that is under way ends with where it stands", () => {
  expect(told(history({ state: "running", endedAt: null, refused: null })).at(-1)).toBe("**Under way** at web-1");
});

test("with many attempts those in the middle share a lane", () => {
  const attempts = Array.from({ length: 9 }, (_, index) => ({
    at: began + 1_000 * (index + 1),
    what: "taken-over" as const,
    owner: `web-${index + 1}`,
    token: index + 1,
    why: null,
  }));
  const { lanes, rows } = timelineOf(
    history({ token: 10, owner: "web-10", endedAt: began + 11_000 }, [], attempts),
    "external",
  );
  expect(lanes.map(({ name }) => name)).toEqual(["caller", "web-1", "others", "web-9", "web-10", "ledger", "outside"]);
  for (const { steps } of rows) for (const { from, to } of steps) expect(Math.max(from, to)).toBeLessThan(lanes.length);
});

test("an answer that a person gave is told once, as that decision, and not as one that came from outside", () => {
  const at = began + 60_000;
  const found = history(
    { state: "open", refused: null, endedAt: null },
    [{ pinnedAt: at }],
    [
      { at: began + 100, what: "parked", owner: "web-1", token: 1, why: "it failed without an answer" },
      { at: at + 1, what: "answered", owner: "ann", token: 1, why: "the gateway lists it" },
      { at: at + 2, what: "reopened", owner: "web-1", token: 1, why: null },
    ],
  );
  expect(told(found)).toEqual([
    "**Claimed** by web-1, token 1",
    "Effect **charge** written down as **started**, then called",
    "**Parked as unknown**: it failed without an answer",
    "**Answered** by ann: the gateway lists it",
    "No answer is missing: **open again**",
    "**Open**: it waits for the next attempt",
  ]);
});

test("what a person settled was completed by nobody, and says how it was settled", () => {
  const found = history(
    { refused: true, endedAt: began + 60_000 },
    [{ state: "started", pinnedAt: null }],
    [
      { at: began + 100, what: "parked", owner: "web-1", token: 1, why: null },
      { at: began + 60_000, what: "settled", owner: "ann", token: 1, why: "undone by hand" },
    ],
  );
  expect(told(found).slice(2)).toEqual(["**Parked as unknown**", "**Settled**, as refused, by ann: undone by hand"]);
});
