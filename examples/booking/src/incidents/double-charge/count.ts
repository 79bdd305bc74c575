import { openDatabase } from "../../database/driver.ts";
import { type Told, user } from "./client.ts";

/** One order, as both databases know it after the last retry. */
export interface Counted {
  readonly reference: string;
  readonly charges: number;
  readonly bookings: number;
  /** Charges that no booking names, and a booking that was acknowledged and is not there. */
  readonly lost: number;
}

/** Reads the gateway's and the platform's databases: what clients were told is only held against them. */
export function countOrders(
  orders: readonly { readonly reference: string; readonly told: Told }[],
  files: { readonly gateway: string; readonly platform: string },
): readonly Counted[] {
  const gateway = openDatabase(files.gateway);
  const platform = openDatabase(files.platform);
  try {
    const charges = gateway.prepare("select id from charges where reference = ? and state = 'charged'");
    // the key table numbers its bookings itself: reference#number
    const bookings = platform.prepare(
      "select charge_id from bookings where user = ?2 and (reference = ?1 or reference like ?1 || '#%') and cancelled_at is null",
    );
    return orders.map(({ reference, told }) => {
      const charged = charges.all(reference).map((row) => row["id"]);
      const booked = bookings.all(reference, user).map((row) => row["charge_id"]);
      const unbooked = charged.filter((id) => !booked.includes(id ?? null)).length;
      const missing = told.told === "booked" && booked.length === 0 ? 1 : 0;
      return { reference, charges: charged.length, bookings: booked.length, lost: unbooked + missing };
    });
  } finally {
    gateway.close();
    platform.close();
  }
}
