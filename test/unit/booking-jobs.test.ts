import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../examples/booking/src/database/driver.ts";
import {
  type BookingChange,
  bookingColumns,
  plainFactTable,
  valuesOf,
} from "../../examples/booking/src/database/staging.ts";
import { openHistory } from "../../examples/booking/src/incidents/overlap/blob-history.ts";
import { callsFor, damageIn as damageInBooks } from "../../examples/booking/src/incidents/overlap/count.ts";
import { damageIn } from "../../examples/booking/src/incidents/rerun/count.ts";
import { drawWeeks, monthsAgain } from "../../examples/booking/src/incidents/rerun/story.ts";

const directory = mkdtempSync(join(tmpdir(), "booking-jobs-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const change = (reference: string, version: number, seats = version): BookingChange => ({
  ...{ user: "alice", reference, workshop: "w-001", bookedOn: "2026-01-05", changedOn: "2026-01-05" },
  ...{ seats, priceCents: 18_000, status: "booked", version },
});

function factsOf(name: string, rows: readonly BookingChange[]): string {
  const path = join(directory, `${name}.db`);
  const database = openDatabase(path);
  database.exec(plainFactTable);
  const insert = database.prepare(
    `insert into fact_bookings (${bookingColumns.join(", ")}) values (${bookingColumns.map(() => "?").join(", ")})`,
  );
  for (const row of rows) insert.all(...valuesOf(row));
  database.close();
  return path;
}

describe("the count of the rerun", () => {
  const delivered = [change("a", 1), change("b", 2), change("b", 1), change("c", 1)];

  it("finds nothing where each booking has one row, of its newest version", () => {
    const path = factsOf("right", [change("a", 1), change("b", 2), change("c", 1)]);
    expect(damageIn(path, delivered)).toEqual({ duplicateRows: 0, wrongRows: 0 });
  });

  it("counts rows beyond one, and bookings that are missing, older or otherwise different", () => {
    const path = factsOf("wrong", [change("a", 1), change("a", 1), change("a", 1), change("b", 1)]);
    expect(damageIn(path, delivered)).toEqual({ duplicateRows: 2, wrongRows: 2 });
    expect(damageIn(path, delivered, [change("b", 2)])).toEqual({ duplicateRows: 0, wrongRows: 1 });
    const other = factsOf("other", [change("a", 1, 9), change("b", 2), change("c", 1)]);
    expect(damageIn(other, delivered)).toEqual({ duplicateRows: 0, wrongRows: 1 });
  });
});

describe("the deliveries of the rerun", () => {
  it("are the same for the same seed, lie in their week, and bring newer before older and one thing twice", () => {
    const weeks = drawWeeks(24, 9);
    expect(drawWeeks(24, 9)).toEqual(weeks);
    for (const { from, to, deliveries } of weeks) {
      expect(deliveries.filter(({ changedOn }) => changedOn < from || changedOn >= to)).toEqual([]);
      const firstOf = (version: number, reference: string) =>
        deliveries.findIndex((one) => one.version === version && one.reference === reference);
      const olderLast = deliveries.filter(
        ({ version, reference }) => version === 2 && firstOf(1, reference) > firstOf(2, reference),
      );
      expect(olderLast.length).toBeGreaterThan(0);
      expect(new Set(deliveries.map((one) => JSON.stringify(one))).size).toBeLessThan(deliveries.length);
    }
    const later = weeks
      .flatMap(({ deliveries }) => deliveries)
      .filter(({ bookedOn, changedOn }) => changedOn > bookedOn);
    expect(later.length).toBeGreaterThan(100);
  });

  it("are run again by months that cover them, an older one after a newer one", () => {
    const weeks = drawWeeks(24, 9);
    const months = monthsAgain(weeks);
    expect(months.map(({ from }) => from)).not.toEqual([...months.map(({ from }) => from)].sort());
    for (const { changedOn } of weeks.flatMap(({ deliveries }) => deliveries)) {
      expect(months.filter(({ from, to }) => from <= changedOn && changedOn < to)).toHaveLength(1);
    }
  });
});

describe("the count of the overlap", () => {
  it("takes what was billed from the price API's ledger, and what was written from the blobs' history", () => {
    const books = { prices: join(directory, "prices.db"), history: join(directory, "history.db") };
    const ledger = openDatabase(books.prices);
    ledger.exec("create table calls (customer text, change integer)");
    for (const customer of ["a", "b", "b", "c"]) ledger.prepare("insert into calls values (?, 1)").all(customer);
    ledger.close();
    const history = openHistory(books.history);
    const bytes = (text: string) => new TextEncoder().encode(text);
    history.note("customers/a/1.json", bytes("one"));
    history.note("customers/a/1.json", bytes("one"));
    history.note("customers/b/1.json", bytes("one"));
    history.note("customers/b/1.json", bytes("two"));
    const changes = ["a", "b", "c"].map((customer) => ({ customer, change: 1 }));
    expect(damageInBooks(books, changes)).toEqual({ billedTwice: 1, differentBlobs: 1 });
    expect(callsFor(books, changes)).toBe(4);
    expect(damageInBooks(books, changes.slice(0, 1))).toEqual({ billedTwice: 0, differentBlobs: 0 });
  });
});
