import { RepriseError } from "../../base/errors.ts";
import type { Reprise } from "../../reprise.ts";
import { linesOf } from "./fastify-answer.ts";
import type { FastifyRequest } from "./fastify-shapes.ts";
import { createGuard, type Effects, type Guarding, type GuardOptions, type OfferedBy } from "./guard.ts";
import { lastOf, type NestInterceptor, type NestRequest, valueFor } from "./nest-shapes.ts";
import { answerNest, takeNest } from "./nest-taking.ts";
import { keyLinesOf } from "./node.ts";
import { decide } from "./routes.ts";

/** An interceptor for one method of a controller. */
export interface NestGuard<Q, O> extends NestInterceptor {
  /**
   * What the method is offered, by the request that `@Req()` gives it.
   * @throws REPRISE_BAD_DECLARATION where the method is called without its guard
   */
  offered(request: Q): O;
}

/**
 * Makes an existing method of a NestJS controller answer each Idempotency-Key once, on either platform: as an interceptor
 * it claims the key, calls the method, and keeps what Nest sends for it, so that a repetition is answered the same without
 * calling it. Guards come before, and what they refuse is never kept. What is kept has been through the interceptors around
 * this one and through Nest's serializer: a repetition passes them by, and tells nothing that they left out.
 *
 * With `effects: "database"` the method writes with the transaction that it is offered, and what it wrote and its answer
 * commit together, or neither. With `effects: "external"` nothing can promise that: a crash between what the method did
 * and the record of its answer leaves work of which nobody knows whether it happened, and `ifUnknown` says what the next
 * attempt does: `"retry"` calls the method again, which may then have done it twice; `"park"` answers 503 until a person
 * settles it. Whoever needs more declares an operation, whose effects are written down one by one.
 *
 * Kept are answers below 500; not 400, 401, 403, 408, 425 and 429, which say that nothing was done (with `"park"` they are
 * kept too: what must not be kept belongs before the guard). What the method or one of its pipes throws, an HttpException
 * too, goes to Nest's exception filters, and is not kept. A cookie, and any header that could not be repeated, is not sent
 * at all. Streams and answers over `answerLimit` cannot be repeated: the work is recorded as done, and its caller is told
 * 500. A method that returns an Observable is unsubscribed by Nest when its client hangs up; one that returns a promise
 * goes on.
 *
 * @example
 * const placing = idempotent(reprise, {
 *   name: "order.place", principal: (request: OrderRequest) => request.user.id, retention: "1d", effects: "database",
 * });
 * @Controller("orders")
 * export class OrdersController {
 *   @Post() @UseInterceptors(placing) place(@Req() request: OrderRequest) {
 *     const { tx } = placing.offered(request);
 *     return insertOrder(tx, request.body);
 *   }
 * }
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE, REPRISE_NAME_TWICE
 */
export function idempotent<C extends Guarding, const E extends Effects, Q extends GuardableRequest = GuardableRequest>(
  reprise: Reprise<C>,
  options: GuardOptions<C, E, Q>,
): NestGuard<Q, OfferedBy<C, E>> {
  const guard = createGuard<C, E, Q>(reprise, options);
  const offers = new WeakMap<object, OfferedBy<C, E>>();
  const message = `'${options.name}' answered without its outcome`;
  return decide<NestGuard<Q, OfferedBy<C, E>>>({
    offered: (request) => {
      const offered = offers.get(request);
      if (offered !== undefined) return offered;
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: `guard '${options.name}'`,
        why: "a method asks for what it is offered, and is not called by this guard.",
        mend: "Put it on the method: @UseInterceptors(guard).",
      });
    },
    intercept: (context, next) => {
      const http = context.switchToHttp();
      const request = http.getRequest() as Q;
      const response = http.getResponse();
      const { told, release } = takeNest(response, guard.answerLimit);
      return new Promise<never>((resolve, reject) => {
        const answered = guard.answer({
          request,
          keyLines: linesIn(request),
          log: (error) => logOf(request)(error, message),
          same: ({ method, originalUrl, url, body }) => [method, originalUrl ?? url, body ?? null],
          handle: async (_, offered) => {
            offers.set(request, offered as OfferedBy<C, E>);
            const value = await lastOf(next);
            // on its way out through the interceptors around it, to what Nest makes of it
            resolve(valueFor(value));
            return told;
          },
        });
        answered.then(
          (answer) => {
            release();
            answerNest(response, answer);
            resolve(valueFor(undefined));
          },
          (error: unknown) => {
            release();
            reject(error as Error);
          },
        );
      });
    },
  });
}

export type GuardableRequest = NestRequest & {
  readonly method: string;
  readonly url: string;
  /** With Express; there `url` is cut where a router is mounted. */
  readonly originalUrl?: string;
};

function linesIn(request: NestRequest): readonly string[] {
  return "rawHeaders" in request ? keyLinesOf(request) : linesOf(request);
}

function logOf(request: NestRequest): (error: Error, message: string) => void {
  const { log } = request as FastifyRequest;
  return (error, message) => (log === undefined ? console.error(error) : log.error(error, message));
}
