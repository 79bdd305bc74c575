import { type AzureHttpRequest, azureFunction } from "reprise/azure-functions";
import type { BookSeat } from "../inputs.ts";
import type { Booking } from "../reprise.ts";

/** Where a host gives every function its requests. */
export interface FunctionSettings {
  readonly booking: Pick<Booking, "bookSeat" | "renderBadge">;
  /** Who a request's bearer token says it is; `undefined`: nobody. */
  readonly userOf: (headers: Headers) => string | undefined;
}

/**
 * The platform's functions, as `app.http(name, { handler })` takes them. Each knows its work by what the shared ledger says,
 * and keeps nothing: a seat that is booked here is the one that was booked by a request or a message.
 */
export function createFunctions({ booking, userOf }: FunctionSettings) {
  const endsWithin = "30s";
  const principal = ({ request }: { readonly request: Request }) => userOf(request.headers) ?? "";
  const bodyOf = async (request: Request) => (await request.json()) as Readonly<Record<string, unknown>>;
  return {
    bookings: azureFunction.http(booking.bookSeat, {
      endsWithin,
      principal,
      input: async ({ request }) => {
        const body = await bodyOf(request);
        const user = String(body["user"] ?? userOf(request.headers));
        return { ...(body as BookSeat), user, card: String(body["card"] ?? "card-of-the-session") };
      },
      reply: (booked) => ({ status: 201, headers: { location: `/bookings/${booked.reference}` }, body: booked }),
    }),
    badges: azureFunction.http(booking.renderBadge, {
      endsWithin,
      principal,
      input: async ({ request }) => ({
        user: userOf(request.headers) ?? "",
        reference: String((await bodyOf(request))["reference"]),
      }),
      reply: (badge) => ({ headers: { "content-type": "image/svg+xml" }, body: badge }),
    }),
  };
}

/** What the host makes of a request. */
export function toEvent(request: Request): AzureHttpRequest {
  const { method, url, headers, body } = request;
  return { method, url, headers: [...headers], params: {}, user: null, body };
}
