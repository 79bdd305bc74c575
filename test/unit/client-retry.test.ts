import fc from "fast-check";
import { parseItem } from "structured-headers";
import { describe, expect, test } from "vitest";
import { backoff, retryAfterMs } from "../../src/client/retry.ts";
import { withKey } from "../../src/client/work.ts";
import { readKey } from "../../src/transports/http/key.ts";

describe("a pause", () => {
  const pauses = fc
    .record({ least: fc.integer({ min: 1, max: 10_000 }), more: fc.integer({ min: 0, max: 100_000 }) })
    .map(({ least, more }) => ({ least, most: least + more }));
  const before = fc.integer({ min: 1, max: 5_000 });
  const drawn = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test("is at least nothing, below a bound that doubles, and never above the most", () => {
    fc.assert(
      fc.property(before, pauses, drawn, (attempts, { least, most }, lot) => {
        const ms = backoff(attempts, { least, most }, lot);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(most);
        if (attempts < 30) expect(ms).toBeLessThanOrEqual(least * 2 ** (attempts - 1));
      }),
    );
  });

  test("is drawn from the whole of its range: full jitter", () => {
    fc.assert(
      fc.property(before, pauses, drawn, (attempts, bounds, lot) => {
        const whole = backoff(attempts, bounds, 1);
        expect(backoff(attempts, bounds, 0)).toBe(0);
        expect(backoff(attempts, bounds, lot)).toBeCloseTo(lot * whole, 6);
        expect(whole).toBe(Math.min(bounds.most, bounds.least * 2 ** (attempts - 1)));
      }),
    );
  });
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 0, 1);
  const read = (field: string, date?: string) =>
    retryAfterMs(new Headers({ "retry-after": field, ...(date === undefined ? {} : { date }) }), now);

  test.each([
    ["0", 0],
    ["120", 120_000],
    [" 7 ", 7_000],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Wed, 31 Dec 2025 23:59:00 GMT", 0],
  ])("%s is so many milliseconds", (field, ms) => expect(read(field)).toBe(ms));

  test("a date is counted from the server's own, so that a wrong clock here does no harm", () => {
    expect(read("Thu, 01 Jan 2099 00:00:05 GMT", "Thu, 01 Jan 2099 00:00:00 GMT")).toBe(5_000);
    expect(read("Thu, 01 Jan 2026 00:00:05 GMT", "yesterday")).toBe(5_000);
  });

  test.each(["", "-1", "1.5", "soon", "5 monkeys", "2026-01-01T00:00:05Z", "Thu, 99 Foo 2026 00:00:00 GMT"])(
    "'%s' is none",
    (field) => expect(read(field)).toBeNull(),
  );

  test("of more digits than a number holds is longer than any deadline", () => {
    expect(read("9".repeat(400))).toBe(Number.POSITIVE_INFINITY);
  });
});

test("every key that a structured field can hold comes back from the field as it was", () => {
  const keys = fc.string({
    unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 255,
  });
  fc.assert(
    fc.property(keys, (key) => {
      const line = withKey(new Headers(), key).get("idempotency-key") ?? "";
      expect(parseItem(line)).toEqual([key, new Map()]);
      expect(readKey([line], "strict", "op")).toBe(key);
    }),
  );
});
