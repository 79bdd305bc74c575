import type { Carried } from "../../operation/carry.ts";
import type { HttpCarrier } from "./carrier.ts";
import { carryHttp } from "./core.ts";
import type { FastifyReply, FastifyRequest } from "./fastify-shapes.ts";

export type { HttpCarrier, HttpReply, KeptHeader } from "./carrier.ts";
export type { FastifyReply, FastifyRequest } from "./fastify-shapes.ts";
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
  return async (request, reply) => {
    const { status, headers, body } = await carry({
      request,
      keyLines: keyLinesOf(request),
      log: (error) => request.log?.error(error, message),
    });
    reply.code(status);
    for (const [name, value] of headers) reply.header(name, value);
    // bytes: of a string or an object Fastify would make another text
    reply.send(body === null ? undefined : typeof body === "string" ? Buffer.from(body) : toBuffer(body));
    return reply;
  };
}

/** From the raw lines: in `headers` Node has joined repeated ones. */
function keyLinesOf(request: FastifyRequest): readonly string[] {
  if (request.raw === undefined) {
    const joined = request.headers["idempotency-key"];
    return joined === undefined ? [] : typeof joined === "string" ? [joined] : joined;
  }
  const { rawHeaders } = request.raw;
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === "idempotency-key");
}

function toBuffer(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
