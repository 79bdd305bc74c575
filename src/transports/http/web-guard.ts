import type { MaybePromise } from "../../base/promise.ts";
import type { Size } from "../../base/size.ts";
import type { Reprise } from "../../reprise.ts";
import { type BodyLimit, createBodyLimit } from "./body-limit.ts";
import {
  collectBody,
  comparableBody,
  createGuard,
  type Effects,
  type Guarding,
  type GuardOptions,
  type HandlerAnswer,
  type OfferedBy,
} from "./guard.ts";
import { keyLinesOf, toResponse } from "./web-shapes.ts";

/** A body that is read before its handler sees it. */
export interface Reads {
  /** A longer body is refused while it is read, whatever its Content-Length says. Default 1 mb. */
  readonly bodyLimit?: Size | undefined;
}

/**
 * Makes an existing web handler answer each Idempotency-Key once: it claims the key, calls the handler, and keeps status,
 * headers and body of its `Response`, so that a repetition is answered the same without calling it.
 *
 * With `effects: "database"` the handler writes with the transaction that it is offered, and what it wrote and its answer
 * commit together, or neither. With `effects: "external"` nothing can promise that: a crash between what the handler did
 * and the record of its answer leaves work of which nobody knows whether it happened, and `ifUnknown` says what the next
 * attempt does: `"retry"` calls the handler again, which may then have done it twice; `"park"` answers 503 until a person
 * settles it. Whoever needs more declares an operation, whose effects are written down one by one.
 *
 * Kept are answers below 500; not 400, 401, 403, 408, 425 and 429, which say that nothing was done (with `"park"` they are
 * kept too: what must not be kept belongs before the guard). What the handler throws is thrown on, and not kept. A cookie,
 * and any header that could not be repeated, is not sent at all. Streams and answers over `answerLimit` cannot be repeated:
 * the work is recorded as done, and its caller is told 500.
 *
 * @example
 * const place = idempotent(reprise, {
 *   name: "order.place", principal: (request) => sessionOf(request).user, retention: "1d", effects: "database",
 * }, async (request, { tx }) => Response.json(await insertOrder(tx, await request.json()), { status: 201 }));
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE, REPRISE_NAME_TWICE
 */
export function idempotent<C extends Guarding, const E extends Effects>(
  reprise: Reprise<C>,
  options: GuardOptions<C, E, Request> & Reads,
  handler: (request: Request, offered: OfferedBy<C, E>) => MaybePromise<Response>,
): (request: Request) => Promise<Response> {
  const limit = createBodyLimit(options.name, options.bodyLimit);
  const { same } = options;
  const guard = createGuard<C, E, Request>(reprise, {
    ...options,
    // the handler reads it too
    same: same === undefined ? undefined : (request: Request) => same(request.clone()),
  });
  return async (request) =>
    toResponse(
      await guard.answer({
        request,
        keyLines: keyLinesOf(request),
        log: (error) => console.error(error),
        read: () => readWhole(limit, request),
        same: comparable,
        handle: async (read, offered) =>
          answerOfResponse(await handler(read, offered as OfferedBy<C, E>), guard.answerLimit),
      }),
    );
}

/** The request with its whole body in memory. */
export async function readWhole(limit: BodyLimit, request: Request): Promise<Request> {
  if (request.body === null) return request;
  const bounded = limit.bound(request);
  const body = await limit.guard(
    () => bounded.arrayBuffer(),
    () => bounded,
  )(undefined);
  return new Request(request, { body });
}

/** Method, path with query, and body. */
export async function comparable(request: Request): Promise<unknown> {
  const { pathname, search } = new URL(request.url);
  const body = new Uint8Array(await request.clone().arrayBuffer());
  return [request.method, pathname + search, comparableBody(request.headers.get("content-type"), body)];
}

/** Reads a response to its end, or to where it is too much. */
export async function answerOfResponse(response: Response, atMost: number): Promise<HandlerAnswer> {
  const { status } = response;
  const headers = Object.fromEntries(response.headers);
  if (headers["content-type"]?.startsWith("text/event-stream")) {
    await response.body?.cancel();
    return { status, headers, body: { not: "stream" } };
  }
  const collected = collectBody(atMost);
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader?.read()) {
    if (!collected.add(read.value)) {
      await reader?.cancel();
      break;
    }
  }
  return { status, headers, body: collected.body() };
}
