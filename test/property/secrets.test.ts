import fc from "fast-check";
import { expect, test } from "vitest";
import { findSecret } from "../../src/cache/guard/secrets.ts";

const digits = (length: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((list) => list.join(""));
const instant = fc.date({ min: new Date("1990-01-01"), max: new Date("2090-01-01"), noInvalidDate: true });
const from = (alphabet: string, length: number) =>
  fc.array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length }).map((list) => list.join(""));

/** What ordinary values are full of. */
const ordinary = fc.oneof(
  fc.uuid(),
  fc.uuid().map((id) => id.replaceAll("-", "")),
  fc.ulid(),
  fc.emailAddress(),
  fc.webUrl({ withQueryParameters: true }),
  fc.ipV4(),
  fc.ipV6(),
  fc.lorem(),
  from("0123456789abcdef", 64),
  from("0123456789abcdef", 24),
  from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", 21),
  from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 44),
  instant.map((date) => date.toISOString()),
  instant.map((date) => date.getTime()),
  instant.map((date) => String(date.getTime())),
  // in microseconds, until they begin like a card of 16 digits in 2039
  fc.integer({ min: 1_000_000_000, max: 2_190_000_000 }).map((seconds) => seconds * 1_000_000),
  instant.map((date) => date.toUTCString()),
  instant.map((date) => date.toISOString().replace(/\D/g, "").slice(0, 14)),
  // order numbers
  digits(6),
  digits(8),
  digits(10),
  digits(12),
  fc.tuple(instant, digits(6)).map(([date, serial]) => `${date.getUTCFullYear()}-${serial}`),
  fc.tuple(from("ABCDEFGHJKLMNPQRSTUVWXYZ", 3), digits(8)).map((parts) => parts.join("-")),
  // telephone numbers
  digits(10).map((number) => `+1${number}`),
  digits(11).map((number) => `+49${number}`),
  digits(10).map((d) => `(${d.slice(0, 3)}) ${d.slice(3, 6)}-${d.slice(6)}`),
  digits(10).map((d) => `${d.slice(0, 3)}-${d.slice(3, 6)}-${d.slice(6)}`),
  digits(8).map((d) => `0171 ${d.slice(0, 4)} ${d.slice(4)}`),
  digits(12).map((d) => `call 0171 ${d.slice(0, 4)} ${d.slice(4, 8)} or ${d.slice(8)} please`),
  // bank accounts
  digits(20).map((d) => `DE${d.slice(0, 2)} ${(d.slice(2).match(/.{1,4}/g) as string[]).join(" ")} in Berlin`),
  fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
  fc.double({ min: 0, max: 1, noNaN: true }).map(String),
  fc.integer(),
);
const names = fc.constantFrom("id", "note", "at", "number", "order", "phone", "name", "total", "token", "secretary");

test("ids, times, order numbers and telephone numbers are no secrets", () => {
  fc.assert(
    fc.property(fc.dictionary(names, fc.oneof(ordinary, fc.array(ordinary, { maxLength: 3 }))), (value) => {
      expect(findSecret(value)).toBeUndefined();
    }),
    { numRuns: 5_000 },
  );
});

test("nothing makes it throw or name a value", () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true }), (value) => {
      const found = findSecret({ value, number: "4111111111111111" });
      expect(found?.path).not.toContain("4111");
    }),
    { numRuns: 1_000 },
  );
});

/** The digit that makes a number of an issuer a card's. */
function complete(start: string): string {
  const sum = [...start]
    .reverse()
    .map((digit, place) => (place % 2 === 0 ? Number(digit) * 2 : Number(digit)))
    .reduce((total, digit) => total + (digit > 9 ? digit - 9 : digit), 0);
  return start + String((10 - (sum % 10)) % 10);
}

const card = fc
  .constantFrom(["4", 16], ["51", 16], ["2221", 16], ["2720", 16], ["37", 15], ["6011", 16], ["3528", 16], ["62", 16])
  .chain(([prefix, length]) =>
    digits(Number(length) - String(prefix).length - 1).map((rest) => complete(prefix + rest)),
  );

test("every card number is found wherever it stands, in digits or grouped, and no other check digit passes", () => {
  const words = fc.constantFrom("", "card", "paid with:", "(", "№");
  const after = fc.constantFrom("", " please", ", thanks", ".", ") and more", " exp 12/27", " 12/27", " 1/30 ok");
  fc.assert(
    fc.property(
      card,
      words,
      fc.constantFrom("", " ", "-"),
      after,
      fc.nat({ max: 8 }),
      (number, before, separator, then, other) => {
        const grouped =
          number.length === 15
            ? [number.slice(0, 4), number.slice(4, 10), number.slice(10)]
            : (number.match(/.{4}/g) as string[]);
        const text = `${before} ${grouped.join(separator)}${then}`;
        expect(findSecret([{ text }])).toEqual({ path: "[0].text", kind: "card-number" });
        expect(findSecret({ number: Number(number) })?.kind).toBe("card-number");
        const wrong = number.slice(0, -1) + String((Number(number.at(-1)) + 1 + other) % 10);
        expect(findSecret({ wrong })).toBeUndefined();
      },
    ),
    { numRuns: 1_000 },
  );
});
