import type { SqliteTransaction } from "reprise/sqlite";
import type { BookSeat, CancelBooking } from "../inputs.ts";
import { noteCustomer } from "./customers.ts";
import { noteChange } from "./staging.ts";

/** What a booking writes, each function inside one transaction. */

/**
 * A seat that is put aside stays so for as long as its run may still be resumed, its `retention`: a seat that lapsed and was
 * sold to somebody else would be sold a second time when the run goes on.
 */
const heldForMs = 30 * 86_400_000;

/** Puts a seat aside and tells its price; `null`: no seat is left, or there is no such workshop. */
export async function holdSeat(tx: SqliteTransaction, booking: BookSeat): Promise<{ priceCents: number } | null> {
  const [row] = await tx.query(
    `insert into holds (workshop_id, seats, until, user, reference)
     select w.id, 1, ?, ?, ? from workshops w
     where w.id = ?
       and w.seats > (select count(*) from bookings b where b.workshop_id = w.id and b.cancelled_at is null)
         + (select coalesce(sum(h.seats), 0) from holds h where h.workshop_id = w.id and h.until > ?)
     returning (select price_cents from workshops where id = workshop_id) as price_cents`,
    [Date.now() + heldForMs, booking.user, booking.reference, booking.workshop, Date.now()],
  );
  return row === undefined ? null : { priceCents: Number(row["price_cents"]) };
}

export async function isWorkshop(tx: SqliteTransaction, workshop: string): Promise<boolean> {
  return (await tx.query("select 1 from workshops where id = ?", [workshop])).length > 0;
}

/** Gives the seat back that was put aside. */
export async function letGo(tx: SqliteTransaction, booking: BookSeat): Promise<void> {
  await tx.query("delete from holds where user = ? and reference = ?", [booking.user, booking.reference]);
}

export type Booked = { readonly reference: string; readonly workshop: string; readonly chargeId: string };

/** The seat that was put aside becomes a booking. */
export async function insertBooking(tx: SqliteTransaction, booking: BookSeat, chargeId: string): Promise<Booked> {
  await letGo(tx, booking);
  await tx.query("insert into bookings (user, reference, workshop_id, charge_id, booked_at) values (?, ?, ?, ?, ?)", [
    booking.user,
    booking.reference,
    booking.workshop,
    chargeId,
    new Date().toISOString(),
  ]);
  await noteChange(tx, booking, "booked");
  await noteCustomer(tx, booking.user);
  return { reference: booking.reference, workshop: booking.workshop, chargeId };
}

/** True: it was this user's booking, and is cancelled now. */
export async function cancelSeat(tx: SqliteTransaction, booking: CancelBooking): Promise<boolean> {
  const rows = await tx.query(
    `update bookings set cancelled_at = ?
     where user = ? and reference = ? and cancelled_at is null returning reference`,
    [new Date().toISOString(), booking.user, booking.reference],
  );
  if (rows.length === 0) return false;
  await noteChange(tx, booking, "cancelled");
  await noteCustomer(tx, booking.user);
  return true;
}
