import type { Carried } from "../../operation/carry.ts";
import type { HttpCarrier } from "./carrier.ts";
import { expressHandler, expressStatus } from "./express.ts";
import type { ExpressRequest, ExpressResponse } from "./express-shapes.ts";
import { fastifyHandler, fastifyStatus } from "./fastify.ts";
import type { FastifyReply, FastifyRequest } from "./fastify-shapes.ts";
import type { HttpStatus } from "./status.ts";

export type { HttpCarrier, HttpReply, KeptHeader } from "./carrier.ts";
export type { HttpStatus } from "./status.ts";

/** What `@Req()` and `@Res()` give, by the platform that the application runs on. */
export type NestRequest = ExpressRequest | FastifyRequest;
export type NestResponse = ExpressResponse | FastifyReply;

/**
 * Carries the requests of a NestJS controller's method to an operation, on either platform. Guards, pipes and interceptors
 * come before, and what they refuse is never stored; since the method takes `@Res()`, the answer is sent here, the same
 * bytes the first time and every time after. A client that hangs up changes nothing.
 *
 * @example
 * @Controller("bookings")
 * export class BookingsController {
 *   readonly #book = nestHandler(bookSeat, {
 *     principal: (request: Request) => request.user.id,
 *     input: (request) => ({ ...request.body, user: request.user.id }),
 *   });
 *   @Post() book(@Req() request: Request, @Res() response: Response) {
 *     return this.#book(request, response);
 *   }
 * }
 * @throws REPRISE_BAD_DECLARATION
 */
export function nestHandler<In, O, R, Q extends NestRequest = ExpressRequest>(
  operation: Carried<In, O, R>,
  carrier: HttpCarrier<Q, In, O, R>,
): (request: Q, response: NestResponse) => Promise<void> {
  const byExpress = expressHandler(operation, carrier as HttpCarrier<never, In, O, R>);
  const byFastify = fastifyHandler(operation, carrier as HttpCarrier<never, In, O, R>);
  return async (request, response) => {
    if ("setHeader" in response) await byExpress(request as never, response);
    else await byFastify(request as never, response);
  };
}

/**
 * The resource that tells how background work stands (GET) and takes back what is no longer wanted (DELETE), at the address
 * that the operation's carrier says with `status`; a controller's method, as with `nestHandler`.
 *
 * @throws REPRISE_BAD_DECLARATION
 */
export function nestStatus<In, O, R, Q extends NestRequest = ExpressRequest>(
  operation: Carried<In, O, R>,
  status: HttpStatus<Q, O>,
): (request: Q, response: NestResponse) => Promise<void> {
  const byExpress = expressStatus(operation, status as HttpStatus<never, O>);
  const byFastify = fastifyStatus(operation, status as HttpStatus<never, O>);
  return async (request, response) => {
    if ("setHeader" in response) await byExpress(request as never, response);
    else await byFastify(request as never, response);
  };
}
