import type { SqliteTransaction } from "reprise/sqlite";
import type { BookSeat, CancelBooking } from "../inputs.ts";

/** What a booking writes, each function inside one transaction. */

/** A seat that is put aside lapses by itself, should its booking never be finished. */
const heldForMs = 600_000;

/** Puts a seat aside and tells its price; `null`: no seat is left, or there is no such workshop. */
export async function holdSeat(tx: SqliteTransaction, booking: BookSeat): Promise<{ priceCents: number } | null> {
  const [row] = await tx.query(
    `insert into holds (workshop_id, seats, until, reference)
     select w.id, 1, ?, ? from workshops w
     where w.id = ?
       and w.seats > (select count(*) from bookings b where b.workshop_id = w.id and b.cancelled_at is null)
         + (select coalesce(sum(h.seats), 0) from holds h where h.workshop_id = w.id and h.until > ?)
     returning (select price_cents from workshops where id = workshop_id) as price_cents`,
    [Date.now() + heldForMs, booking.reference, booking.workshop, Date.now()],
  );
  return row === undefined ? null : { priceCents: Number(row["price_cents"]) };
}

/** Gives the seat back that was put aside. */
export async function letGo(tx: SqliteTransaction, booking: BookSeat): Promise<void> {
  await tx.query("delete from holds where reference = ?", [booking.reference]);
}

export type Booked = { readonly reference: string; readonly workshop: string; readonly chargeId: string };

/** The seat that was put aside becomes a booking. */
export async function insertBooking(tx: SqliteTransaction, booking: BookSeat, chargeId: string): Promise<Booked> {
  await letGo(tx, booking);
  await tx.query("insert into bookings (reference, workshop_id, user, charge_id, booked_at) values (?, ?, ?, ?, ?)", [
    booking.reference,
    booking.workshop,
    booking.user,
    chargeId,
    new Date().toISOString(),
  ]);
  return { reference: booking.reference, workshop: booking.workshop, chargeId };
}

/** True: it was this user's booking of this workshop, and is cancelled now. */
export async function cancelSeat(tx: SqliteTransaction, booking: CancelBooking): Promise<boolean> {
  const rows = await tx.query(
    `update bookings set cancelled_at = ?
     where reference = ? and user = ? and workshop_id = ? and cancelled_at is null returning reference`,
    [new Date().toISOString(), booking.reference, booking.user, booking.workshop],
  );
  return rows.length > 0;
}
