import type { Size } from "../../base/size.ts";
import { nameOf } from "../../operation/carried.ts";
import type { Carried } from "../../operation/carry.ts";
import { createBodyLimit } from "./body-limit.ts";
import type { HttpCarrier } from "./carrier.ts";
import { checkCarrier } from "./carrier-check.ts";
import { carryHttp } from "./core.ts";
import type { HonoContext } from "./hono-shapes.ts";
import { decide } from "./routes.ts";
import { carryStatus, type HttpStatus } from "./status.ts";
import { keyLinesOf, toResponse } from "./web-shapes.ts";

export type { HttpCarrier, HttpReply, KeptHeader } from "./carrier.ts";
export { idempotent } from "./hono-guard.ts";
export { watchRoutes } from "./hono-routes.ts";
export type { HonoContext } from "./hono-shapes.ts";
export type { HttpStatus } from "./status.ts";

export interface HonoCarrier<C, In, O, R> extends HttpCarrier<C, In, O, R> {
  /**
   * A longer body is refused while it is read, whatever its Content-Length says. What a middleware has read before is its
   * own to bound. Default 1 mb.
   */
  readonly bodyLimit?: Size | undefined;
}

/**
 * Carries the requests of a Hono route to an operation. The handler answers every request and never rejects; a client that
 * hangs up changes nothing.
 *
 * @example
 * app.post("/bookings", honoHandler(bookSeat, {
 *   principal: (context) => context.get("user"),
 *   input: async (context) => ({ ...await context.req.json(), user: context.get("user") }),
 *   reply: (booking) => ({ status: 201, headers: { location: `/bookings/${booking.reference}` }, body: booking }),
 * }));
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_SIZE
 */
export function honoHandler<In, O, R, C extends HonoContext = HonoContext>(
  operation: Carried<In, O, R>,
  carrier: HonoCarrier<C, In, O, R>,
): (context: C) => Promise<Response> {
  const name = nameOf(operation, "an HTTP carrier");
  checkCarrier(name, carrier);
  const limit = createBodyLimit(name, carrier.bodyLimit);
  const carry = carryHttp(operation, {
    ...carrier,
    input: limit.guard(carrier.input, (context) => context.req.raw),
  });
  return decide(async (context: C) =>
    toResponse(
      await carry({
        request: context,
        readable: () => {
          if (!context.req.raw.bodyUsed) context.req.raw = limit.bound(context.req.raw);
          return context;
        },
        keyLines: keyLinesOf(context.req.raw),
        log: (error) => console.error(error),
      }),
    ),
  );
}

/**
 * The resource that tells how background work stands (GET) and takes back what is no longer wanted (DELETE), at the address
 * that the operation's carrier says with `status`.
 *
 * @example
 * app.on(["GET", "DELETE"], "/exports/:id", honoStatus(exportBookings, {
 *   id: (context) => context.req.param("id"),
 *   principal: (context) => context.get("user"),
 * }));
 * @throws REPRISE_BAD_DECLARATION
 */
export function honoStatus<In, O, R, C extends HonoContext = HonoContext>(
  operation: Carried<In, O, R>,
  status: HttpStatus<C, O>,
): (context: C) => Promise<Response> {
  const carry = carryStatus(operation, status);
  const log = (error: Error) => console.error(error);
  return decide(async (context: C) =>
    toResponse(await carry({ request: context, method: context.req.raw.method, log })),
  );
}
