import type { Carried } from "../../operation/carry.ts";
import type { HttpCarrier } from "./carrier.ts";
import { carryHttp } from "./core.ts";
import { setAnswer } from "./koa-answer.ts";
import type { KoaContext } from "./koa-shapes.ts";
import { keyLinesOf } from "./node.ts";
import { decide } from "./routes.ts";
import { carryStatus, type HttpStatus } from "./status.ts";

export type { HttpCarrier, HttpReply, KeptHeader } from "./carrier.ts";
export { idempotent } from "./koa-guard.ts";
export { watchRoutes } from "./koa-routes.ts";
export type { KoaContext } from "./koa-shapes.ts";
export type { HttpStatus } from "./status.ts";

/**
 * Carries the requests of a Koa middleware to an operation. The body is read before, by a parser: what it cannot parse, and
 * what is larger than its limit, it refuses itself. A client that hangs up changes nothing. Errors whose callers only learn
 * a 500 are the application's `error` event, unless the carrier says otherwise.
 *
 * @example
 * router.post("/bookings", koaHandler(bookSeat, {
 *   principal: (context) => context.state.user,
 *   input: (context) => ({ ...context.request.body, user: context.state.user }),
 *   reply: (booking) => ({ status: 201, headers: { location: `/bookings/${booking.reference}` }, body: booking }),
 * }));
 * @throws REPRISE_BAD_DECLARATION
 */
export function koaHandler<In, O, R, C extends KoaContext = KoaContext>(
  operation: Carried<In, O, R>,
  carrier: HttpCarrier<C, In, O, R>,
): (context: C) => Promise<void> {
  const carry = carryHttp(operation, carrier);
  return decide(async (context) => {
    const log = (error: Error) => context.app.emit("error", error, context);
    setAnswer(context, await carry({ request: context, keyLines: keyLinesOf(context.req), log }));
  });
}

/**
 * The resource that tells how background work stands (GET) and takes back what is no longer wanted (DELETE), at the address
 * that the operation's carrier says with `status`.
 *
 * @example
 * router.all("/exports/:id", koaStatus(exportBookings, {
 *   id: (context) => context.params.id,
 *   principal: (context) => context.state.user,
 * }));
 * @throws REPRISE_BAD_DECLARATION
 */
export function koaStatus<In, O, R, C extends KoaContext = KoaContext>(
  operation: Carried<In, O, R>,
  status: HttpStatus<C, O>,
): (context: C) => Promise<void> {
  const carry = carryStatus(operation, status);
  return decide(async (context) => {
    const log = (error: Error) => context.app.emit("error", error, context);
    setAnswer(context, await carry({ request: context, method: context.req.method ?? "GET", log }));
  });
}
