import type { Size } from "../../base/size.ts";
import { nameOf } from "../../operation/carried.ts";
import type { Carried } from "../../operation/carry.ts";
import { createBodyLimit } from "./body-limit.ts";
import type { HttpCarrier } from "./carrier.ts";
import { checkCarrier } from "./carrier-check.ts";
import { carryHttp } from "./core.ts";
import { carryStatus, type HttpStatus } from "./status.ts";
import { keyLinesOf, toResponse } from "./web-shapes.ts";

export type { HttpCarrier, HttpReply, KeptHeader } from "./carrier.ts";
export type { HttpStatus } from "./status.ts";
export { idempotent } from "./web-guard.ts";

export interface WebCarrier<In, O, R> extends HttpCarrier<Request, In, O, R> {
  /** A longer body is refused while it is read, whatever its Content-Length says. Default 1 mb. */
  readonly bodyLimit?: Size | undefined;
}

/**
 * Carries web requests to an operation. The handler answers every request and never rejects; a client that hangs up
 * changes nothing.
 *
 * @example
 * const cancel = webHandler(cancelBooking, {
 *   principal: (request) => sessionOf(request).user,
 *   input: async (request) => ({ ...await request.json(), user: sessionOf(request).user }),
 * });
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_SIZE
 */
export function webHandler<In, O, R>(
  operation: Carried<In, O, R>,
  carrier: WebCarrier<In, O, R>,
): (request: Request) => Promise<Response> {
  const name = nameOf(operation, "an HTTP carrier");
  checkCarrier(name, carrier);
  const limit = createBodyLimit(name, carrier.bodyLimit);
  const carry = carryHttp(operation, { ...carrier, input: limit.guard(carrier.input) });
  return async (request) =>
    toResponse(
      await carry({
        request,
        readable: () => limit.bound(request),
        keyLines: keyLinesOf(request),
        log: (error) => console.error(error),
      }),
    );
}

/**
 * The resource that tells how background work stands (GET) and takes back what is no longer wanted (DELETE), at the address
 * that the operation's carrier says with `status`.
 *
 * @example
 * const exported = webStatus(exportBookings, {
 *   id: (request) => new URL(request.url).pathname.split("/").at(-1) ?? "",
 *   principal: (request) => sessionOf(request).user,
 * });
 * @throws REPRISE_BAD_DECLARATION
 */
export function webStatus<In, O, R>(
  operation: Carried<In, O, R>,
  status: HttpStatus<Request, O>,
): (request: Request) => Promise<Response> {
  const carry = carryStatus(operation, status);
  const log = (error: Error) => console.error(error);
  return async (request) => toResponse(await carry({ request, method: request.method, log }));
}
