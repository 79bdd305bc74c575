import type { Carried } from "../../operation/carry.ts";
import type { HttpCarrier } from "./carrier.ts";
import { carryHttp } from "./core.ts";
import type { ExpressRequest, ExpressResponse } from "./express-shapes.ts";
import { keyLinesOf, toBytes } from "./node.ts";

export type { HttpCarrier, HttpReply, KeptHeader } from "./carrier.ts";
export type { ExpressRequest, ExpressResponse } from "./express-shapes.ts";

/**
 * Carries the requests of an Express route to an operation. The body is read before, by `express.json()` or another parser:
 * what it cannot parse, and what is larger than its limit, Express refuses itself. A client that hangs up changes nothing.
 *
 * @example
 * app.post("/bookings", express.json(), expressHandler(bookSeat, {
 *   principal: (request) => request.session.user,
 *   input: (request) => ({ ...request.body, user: request.session.user }),
 *   reply: (booking) => ({ status: 201, headers: { location: `/bookings/${booking.reference}` }, body: booking }),
 * }));
 * @throws REPRISE_BAD_DECLARATION
 */
export function expressHandler<In, O, R, Q extends ExpressRequest = ExpressRequest>(
  operation: Carried<In, O, R>,
  carrier: HttpCarrier<Q, In, O, R>,
): (request: Q, response: ExpressResponse) => Promise<void> {
  const carry = carryHttp(operation, carrier);
  return async (request, response) => {
    const { status, headers, body } = await carry({
      request,
      keyLines: keyLinesOf(request),
      log: (error) => console.error(error),
    });
    response.statusCode = status;
    for (const [name, value] of headers) response.setHeader(name, value);
    // not `send`: it would add an entity tag, and another type to bytes
    response.end(body === null ? undefined : toBytes(body));
  };
}
