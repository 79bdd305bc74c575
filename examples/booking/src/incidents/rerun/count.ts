import { openDatabase, type Row } from "../../database/driver.ts";
import { type BookingChange, bookingColumns, valuesOf } from "../../database/staging.ts";

/** How the fact table differs from what the deliveries say, of some bookings. */
export interface Damage {
  /** Rows beyond one for each booking. */
  readonly duplicateRows: number;
  /** Bookings whose row is missing, or is not of their newest version. */
  readonly wrongRows: number;
}

const keyOf = (user: unknown, reference: unknown) => JSON.stringify([user, reference]);

/** What is right, found without a database: of each booking the change with the greatest version. */
function newestOf(changes: readonly BookingChange[]): ReadonlyMap<string, BookingChange> {
  const newest = new Map<string, BookingChange>();
  for (const change of changes) {
    const key = keyOf(change.user, change.reference);
    const known = newest.get(key);
    if (known === undefined || known.version < change.version) newest.set(key, change);
  }
  return newest;
}

/**
 * Compares the whole table with all that was delivered.
 * @param bookings those that count; left out: all
 */
export function damageIn(path: string, delivered: readonly BookingChange[], bookings = delivered): Damage {
  const database = openDatabase(path);
  const rows = new Map<string, Row[]>();
  try {
    for (const row of database.prepare(`select ${bookingColumns.join(", ")} from fact_bookings`).all()) {
      const key = keyOf(row["user"], row["reference"]);
      rows.set(key, [...(rows.get(key) ?? []), row]);
    }
  } finally {
    database.close();
  }
  const newest = newestOf(delivered);
  const counted = [...new Set(bookings.map(({ user, reference }) => keyOf(user, reference)))];
  let [duplicateRows, wrongRows] = [0, 0];
  for (const key of counted) {
    const found = rows.get(key) ?? [];
    const right = newest.get(key);
    duplicateRows += Math.max(0, found.length - 1);
    if (right === undefined || found.length === 0 || !found.every((row) => isRow(row, right))) wrongRows += 1;
  }
  return { duplicateRows, wrongRows };
}

function isRow(row: Row, change: BookingChange): boolean {
  const values = valuesOf(change);
  return bookingColumns.every((column, at) => row[column] === values[at]);
}
