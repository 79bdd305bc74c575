import type { Carried } from "../../operation/carry.ts";
import type { HttpCarrier } from "./carrier.ts";
import { carryHttp } from "./core.ts";
import { sendAnswer } from "./express-answer.ts";
import type { ExpressRequest, ExpressResponse } from "./express-shapes.ts";
import { keyLinesOf } from "./node.ts";
import { decide } from "./routes.ts";
import { carryStatus, type HttpStatus } from "./status.ts";

export type { HttpCarrier, HttpReply, KeptHeader } from "./carrier.ts";
export { idempotent } from "./express-guard.ts";
export { watchRoutes } from "./express-routes.ts";
export type { ExpressRequest, ExpressResponse } from "./express-shapes.ts";
export type { HttpStatus } from "./status.ts";

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
  return decide(async (request, response) => {
    const log = (error: Error) => console.error(error);
    sendAnswer(response, await carry({ request, keyLines: keyLinesOf(request), log }));
  });
}

/**
 * The resource that tells how background work stands (GET) and takes back what is no longer wanted (DELETE), at the address
 * that the operation's carrier says with `status`.
 *
 * @example
 * app.all("/exports/:id", expressStatus(exportBookings, {
 *   id: (request) => request.params.id,
 *   principal: (request) => request.session.user,
 * }));
 * @throws REPRISE_BAD_DECLARATION
 */
export function expressStatus<In, O, R, Q extends ExpressRequest = ExpressRequest>(
  operation: Carried<In, O, R>,
  status: HttpStatus<Q, O>,
): (request: Q, response: ExpressResponse) => Promise<void> {
  const carry = carryStatus(operation, status);
  return decide(async (request, response) => {
    const log = (error: Error) => console.error(error);
    sendAnswer(response, await carry({ request, method: request.method, log }));
  });
}
