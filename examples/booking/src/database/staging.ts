import type { SqliteTransaction } from "reprise/sqlite";
import type { Database, Value } from "./driver.ts";
import type { DatabasePool } from "./pool.ts";

/**
 * From a booking to the reporting team's table. What changes a booking writes down the change in its own transaction; the
 * feed delivers changes into a staging table as feeds do, some of them twice, late or long after (`feed/`); a load makes the
 * fact table agree with that (`jobs/sales.ts`).
 */

const columns = `
  user text not null, reference text not null, workshop_id text not null, booked_on date not null,
  changed_on date not null, seats integer not null, price_cents integer not null, status text not null,
  source_version integer not null`;

export const stagingTables = `
  create table if not exists booking_changes (
    number integer primary key, delivered integer not null default 0, ${columns}
  );
  create index if not exists changes_to_deliver on booking_changes(number) where delivered = 0;
  create table if not exists staged_bookings (arrival integer primary key, ${columns});
  create index if not exists staged_by_day on staged_bookings(changed_on);
`;

/** The fact table: what identifies a booking is unique in it, which is what makes a load safe to run again. */
export const factTable = `
  create table if not exists fact_bookings (
    id integer primary key, ${columns}, unique (user, reference)
  );
`;

/** The same as most people write it: a surrogate key, and nothing else is unique. */
export const plainFactTable = `create table fact_bookings (id integer primary key, ${columns})`;

export const bookingColumns = [
  "user",
  "reference",
  "workshop_id",
  "booked_on",
  "changed_on",
  "seats",
  "price_cents",
  "status",
  "source_version",
] as const;
const listed = bookingColumns.join(", ");

/** One change of a booking. A greater `version` is a later one, whenever it arrives. */
export interface BookingChange {
  readonly user: string;
  readonly reference: string;
  readonly workshop: string;
  /** Days: `2026-11-29`. */
  readonly bookedOn: string;
  readonly changedOn: string;
  readonly seats: number;
  readonly priceCents: number;
  readonly status: "booked" | "cancelled";
  readonly version: number;
}

export const valuesOf = (change: BookingChange): readonly Value[] => [
  change.user,
  change.reference,
  change.workshop,
  change.bookedOn,
  change.changedOn,
  change.seats,
  change.priceCents,
  change.status,
  change.version,
];

/** Writes changes into the staging table, in the order in which they arrived. */
export function stage(database: Database, changes: readonly BookingChange[]): void {
  const insert = database.prepare(`insert into staged_bookings (${listed}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  for (const change of changes) insert.all(...valuesOf(change));
}

/** Notes that a booking was made, or cancelled, with the change itself. */
export async function noteChange(
  tx: SqliteTransaction,
  booking: { readonly user: string; readonly reference: string },
  status: BookingChange["status"],
): Promise<void> {
  await tx.query(
    `insert into booking_changes (${listed})
     select b.user, b.reference, b.workshop_id, substr(b.booked_at, 1, 10), ?, 1, w.price_cents, ?, ?
     from bookings b join workshops w on w.id = b.workshop_id where b.user = ? and b.reference = ?`,
    [new Date().toISOString().slice(0, 10), status, status === "booked" ? 1 : 2, booking.user, booking.reference],
  );
}

/** Delivers some changes by their numbers. */
export async function deliver(database: DatabasePool, numbers: readonly number[]): Promise<void> {
  await database.query(
    `insert into staged_bookings (${listed})
     select ${listed} from json_each(?) wanted join booking_changes c on c.number = wanted.value order by wanted.key`,
    [JSON.stringify(numbers)],
  );
}

export async function noteDelivered(database: DatabasePool, numbers: readonly number[]): Promise<void> {
  await database.query("update booking_changes set delivered = 1 where number in (select value from json_each(?))", [
    JSON.stringify(numbers),
  ]);
}

/** The numbers of changes that wait to be delivered. */
export async function undelivered(database: DatabasePool, limit: number): Promise<readonly number[]> {
  const rows = await database.query("select number from booking_changes where delivered = 0 order by number limit ?", [
    limit,
  ]);
  return rows.map((row) => Number(row["number"]));
}

/** One of the changes delivered already; empty: there is none. */
export async function anOldOne(database: DatabasePool): Promise<readonly number[]> {
  const rows = await database.query("select number from booking_changes where delivered = 1 order by random() limit 1");
  return rows.map((row) => Number(row["number"]));
}
