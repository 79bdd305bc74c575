import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readKey } from "../../src/transports/http/key.ts";

const quote = (key: string) => `"${key.replace(/[\\"]/g, "\\$&")}"`;
const printableKey = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 255,
});

describe("the Idempotency-Key field", () => {
  test("gives every printable key back as it was quoted, strict or lenient", () => {
    fc.assert(
      fc.property(printableKey, fc.constantFrom("strict", "lenient"), (key, syntax) => {
        expect(readKey([quote(key)], syntax, "seat.book")).toBe(key);
      }),
    );
  });

  test("never lets two lines, quoted or bare, pass for one key when a runtime joins them", () => {
    const line = fc.oneof(
      printableKey.map(quote),
      printableKey.filter((key) => /^[!#-+\--~]+$/.test(key)),
    );
    fc.assert(
      fc.property(line, line, fc.constantFrom("strict", "lenient"), (a, b, syntax) => {
        expect(() => readKey([`${a}, ${b}`], syntax, "seat.book")).toThrow(
          expect.objectContaining({ code: "REPRISE_KEY_MALFORMED" }),
        );
      }),
    );
  });

  test("says what is wrong with a key and never shows it", () => {
    for (const syntax of ["strict", "lenient"] as const) {
      expect(() => readKey(['"secret'], syntax, "seat.book")).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining("secret") }),
      );
    }
  });
});
