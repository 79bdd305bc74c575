import type { Carried } from "../../operation/carry.ts";
import type { HttpCarrier } from "./carrier.ts";
import { carryHttp } from "./core.ts";
import { linesOf, sendReply } from "./fastify-answer.ts";
import type { FastifyReply, FastifyRequest } from "./fastify-shapes.ts";
import { decide } from "./routes.ts";
import { carryStatus, type HttpStatus } from "./status.ts";

export type { HttpCarrier, HttpReply, KeptHeader } from "./carrier.ts";
export { idempotent } from "./fastify-guard.ts";
export { watchRoutes } from "./fastify-routes.ts";
export type { FastifyReply, FastifyRequest } from "./fastify-shapes.ts";
export type { HttpStatus } from "./status.ts";
export { type WebRouteContext, type WebRouteRequest, webRoute } from "./web-route.ts";

/**
 * Carries the requests of a Fastify route to an operation. Fastify reads the body first: what it cannot parse, and what is
 * larger than its `bodyLimit`, it refuses itself. A client that hangs up changes nothing.
 *
 * @example
 * app.post("/bookings", fastifyHandler(bookSeat, {
 *   principal: (request) => request.session.user,
 *   input: (request: BookRequest) => ({ ...request.body, user: request.session.user }),
 *   reply: (booking) => ({ status: 201, headers: { location: `/bookings/${booking.reference}` }, body: booking }),
 * }));
 * @throws REPRISE_BAD_DECLARATION
 */
export function fastifyHandler<In, O, R, Q extends FastifyRequest = FastifyRequest>(
  operation: Carried<In, O, R>,
  carrier: HttpCarrier<Q, In, O, R>,
): (request: Q, reply: FastifyReply) => Promise<unknown> {
  const carry = carryHttp(operation, carrier);
  const message = `'${operation.name}' answered 500`;
  return decide(async (request, reply) => {
    const log = (error: Error) => request.log?.error(error, message);
    return sendReply(reply, await carry({ request, keyLines: linesOf(request), log }));
  });
}

/**
 * The resource that tells how background work stands (GET) and takes back what is no longer wanted (DELETE), at the address
 * that the operation's carrier says with `status`.
 *
 * @example
 * app.route({ method: ["GET", "DELETE"], url: "/exports/:id", handler: fastifyStatus(exportBookings, {
 *   id: (request: ExportRequest) => request.params.id,
 *   principal: (request) => request.session.user,
 * }) });
 * @throws REPRISE_BAD_DECLARATION
 */
export function fastifyStatus<In, O, R, Q extends FastifyRequest = FastifyRequest>(
  operation: Carried<In, O, R>,
  status: HttpStatus<Q, O>,
): (request: Q, reply: FastifyReply) => Promise<unknown> {
  const carry = carryStatus(operation, status);
  const message = `the status of '${operation.name}' answered 500`;
  return decide(async (request, reply) => {
    const log = (error: Error) => request.log?.error(error, message);
    return sendReply(reply, await carry({ request, method: request.method, log }));
  });
}
