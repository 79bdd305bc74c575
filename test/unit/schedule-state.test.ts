import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { defaults } from "../../src/base/defaults.ts";
import { decodeState, type EndedTick, encodeState, unseen, withEnds } from "../../src/schedule/state.ts";

interface Golden {
  readonly name: string;
  readonly at: number;
  readonly kept: string;
}
const golden = JSON.parse(
  readFileSync(new URL("../golden/schedule/v1.json", import.meta.url), "utf8"),
) as readonly Golden[];
const decode = (value: string, at = 7) => decodeState({ name: "schedule/shop/s", value, version: 1, at }, "memory");
const ended = (at: number, given: Partial<EndedTick> = {}): EndedTick => ({
  ...{ at, is: "ran", from: null, ticks: 1, startedAt: at, endedAt: at, holder: "a", counts: null, why: null },
  ...given,
});

describe("the register of a schedule", () => {
  test.each(golden)("of version 1 is read, and written as it was: $name", ({ kept, at }) => {
    const state = decode(kept, at);
    const { since } = JSON.parse(kept) as { since: number };
    expect(state.since).toBe(since === 0 ? at : since);
    expect(encodeState(since === 0 ? unseen : state)).toBe(kept);
  });

  test("begins when it was written first, by the store's clock", () => {
    expect(decode(encodeState(unseen), 42)).toMatchObject({ since: 42, handledUntil: 42 });
  });

  test("of a later version is not read, so that it is not written over", () => {
    const later = encodeState(unseen).replace('"v":1', '"v":2');
    expect(() => decode(later)).toThrow(expect.objectContaining({ code: "REPRISE_LEDGER_SCHEMA" }));
  });

  test.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["an instant that is text", encodeState(unseen).replace('"handledUntil":0', '"handledUntil":"0"')],
    ["an end of no kind", encodeState({ ...unseen, ticks: [ended(1, { is: "slept" as never })] })],
    ["a current tick without a token", encodeState(unseen).replace('"current":null', '"current":{"at":1}')],
    ["counts that miss one", encodeState({ ...unseen, ticks: [ended(1, { counts: { records: 1 } as never })] })],
  ])("that is %s is refused", (_, text) => {
    expect(() => decode(text)).toThrow(expect.objectContaining({ code: "REPRISE_LEDGER_UNUSABLE" }));
  });

  test("keeps the last ends in order, and of a tick that ran again the last one", () => {
    const ends = withEnds([ended(1), ended(2, { is: "failed" }), ended(3)], [ended(2)]);
    expect(ends.map(({ at, is }) => [at, is])).toEqual([
      [1, "ran"],
      [2, "ran"],
      [3, "ran"],
    ]);
    const { keptTicks } = defaults.schedule;
    const many = withEnds(
      Array.from({ length: keptTicks }, (_, at) => ended(at)),
      [ended(keptTicks)],
    );
    expect([many.length, many[0]?.at, many.at(-1)?.at]).toEqual([keptTicks, 1, keptTicks]);
  });
});
