import { randomBytes } from "node:crypto";

/** The piece of work that everybody does: one row is inserted, and 192 bytes of JSON are the result. */
export interface Booking {
  readonly reference: string;
  readonly seat: number;
}

const run = randomBytes(6).toString("hex");
let made = 0;

/** One that nobody has asked for yet, in this process or another. */
export function nextBooking(): Booking {
  made += 1;
  return { reference: `${run}-${String(made).padStart(10, "0")}`, seat: made % 100 };
}

const note =
  "Your seat is kept until the doors open. Show this reference at the entrance; it admits one person on one day.";

export interface Confirmation extends Booking {
  readonly status: "confirmed";
  readonly note: string;
}

export function confirm({ reference, seat }: Booking): Confirmation {
  return { reference, seat, status: "confirmed", note };
}
