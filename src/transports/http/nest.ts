import type { Carried } from "../../operation/carry.ts";
import type { HttpCarrier } from "./carrier.ts";
import { expressHandler, expressStatus } from "./express.ts";
import type { ExpressRequest, ExpressResponse } from "./express-shapes.ts";
import { fastifyHandler, fastifyStatus } from "./fastify.ts";
import type { FastifyReply } from "./fastify-shapes.ts";
import { isExpress, type NestInterceptor, type NestRequest, type NestResponse, valueFor } from "./nest-shapes.ts";
import { takeNest } from "./nest-taking.ts";
import { decide } from "./routes.ts";
import type { HttpStatus } from "./status.ts";

export type { HttpCarrier, HttpReply, KeptHeader } from "./carrier.ts";
export { idempotent } from "./nest-guard.ts";
export { watchRoutes } from "./nest-routes.ts";
export type { NestRequest, NestResponse } from "./nest-shapes.ts";
export type { HttpStatus } from "./status.ts";

/** To be called by a method that takes `@Req()` and `@Res()`; its interceptor answers in the place of any method. */
export type NestHandler<Q> = ((request: Q, response: NestResponse) => Promise<void>) & {
  readonly interceptor: NestInterceptor;
};

/**
 * Carries the requests of a NestJS controller's method to an operation, on either platform. Guards come before, and what
 * they refuse is never stored; the answer is sent here, the same bytes the first time and every time after. A client that
 * hangs up changes nothing. Its interceptor answers in the place of a method, which is never called, and by it
 * `watchRoutes` knows the route for an operation's; a method that takes `@Req()` and `@Res()` may also call it itself.
 *
 * @example
 * const book = nestHandler(bookSeat, {
 *   principal: (request: Request) => request.user.id,
 *   input: (request) => ({ ...request.body, user: request.user.id }),
 * });
 * @Controller("bookings")
 * export class BookingsController {
 *   @Post() @UseInterceptors(book.interceptor) book() {}
 * }
 * @throws REPRISE_BAD_DECLARATION
 */
export function nestHandler<In, O, R, Q extends NestRequest = ExpressRequest>(
  operation: Carried<In, O, R>,
  carrier: HttpCarrier<Q, In, O, R>,
): NestHandler<Q> {
  return onEither<Q>(
    expressHandler(operation, carrier as HttpCarrier<never, In, O, R>),
    fastifyHandler(operation, carrier as HttpCarrier<never, In, O, R>),
  );
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
): NestHandler<Q> {
  return onEither<Q>(
    expressStatus(operation, status as HttpStatus<never, O>),
    fastifyStatus(operation, status as HttpStatus<never, O>),
  );
}

function onEither<Q>(
  byExpress: (request: never, response: ExpressResponse) => Promise<void>,
  byFastify: (request: never, reply: FastifyReply) => Promise<unknown>,
): NestHandler<Q> {
  const handle = async (request: Q, response: NestResponse) => {
    if (isExpress(response)) await byExpress(request as never, response);
    else await byFastify(request as never, response as FastifyReply);
  };
  const interceptor = decide<NestInterceptor>({
    intercept: async (context) => {
      const http = context.switchToHttp();
      const response = http.getResponse() as NestResponse;
      await handle(http.getRequest() as Q, response);
      // the method is not called, and what Nest sends for it goes nowhere
      takeNest(response, 0);
      return valueFor(undefined);
    },
  });
  return Object.assign(handle, { interceptor });
}
