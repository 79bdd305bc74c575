import type { Schema } from "reprise";

/** What the operations take, checked by hand: any Standard Schema library would do as well. */

export type BookSeat = {
  readonly user: string;
  /** The client's own name for this booking; the same for every attempt. */
  readonly reference: string;
  readonly workshop: string;
  /** A token of the gateway's, never a card number. `card-declined` is declined. */
  readonly card: string;
};
export type CancelBooking = { readonly user: string; readonly reference: string; readonly workshop: string };
/** A seat that was given back. */
export type SeatReleased = { readonly user: string; readonly reference: string; readonly workshop: string };
export type RenderBadge = { readonly user: string; readonly reference: string };
export type IssueRefund = {
  readonly user: string;
  readonly reference: string;
  /** Of `answer-lost` the gateway's answer is lost on its way. */
  readonly reason: string;
};

/** What a user has booked, written out for them. */
export type WriteStatement = { readonly user: string; readonly reference: string };

export const bookSeatSchema = ofStrings<BookSeat>(["user", "reference", "workshop", "card"]);
export const cancelBookingSchema = ofStrings<CancelBooking>(["user", "reference", "workshop"]);
export const seatReleasedSchema = ofStrings<SeatReleased>(["user", "reference", "workshop"]);
export const renderBadgeSchema = ofStrings<RenderBadge>(["user", "reference"]);
export const issueRefundSchema = ofStrings<IssueRefund>(["user", "reference", "reason"]);

export const writeStatementSchema = ofStrings<WriteStatement>(["user", "reference"]);

/** An object of these strings, none empty or longer than 100 characters; nothing else of it is kept. */
function ofStrings<T extends { readonly [name: string]: string }>(names: readonly (keyof T & string)[]): Schema<T> {
  return {
    "~standard": {
      version: 1,
      vendor: "booking",
      validate: (given) => {
        const from = typeof given === "object" && given !== null ? (given as Record<string, unknown>) : {};
        const wrong = names.filter((name) => !isName(from[name]));
        if (wrong.length > 0) {
          return { issues: wrong.map((name) => ({ message: "a string of 1 to 100 characters", path: [name] })) };
        }
        return { value: Object.fromEntries(names.map((name) => [name, from[name]])) as T };
      },
    },
  };
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= 100;
}
