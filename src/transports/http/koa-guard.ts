import type { ServerResponse } from "node:http";
import type { MaybePromise } from "../../base/promise.ts";
import type { Reprise } from "../../reprise.ts";
import {
  collectBody,
  createGuard,
  type Effects,
  type Guarding,
  type GuardOptions,
  type HandlerAnswer,
  type OfferedBy,
} from "./guard.ts";
import { setAnswer } from "./koa-answer.ts";
import type { KoaContext } from "./koa-shapes.ts";
import { keyLinesOf, parsedBody } from "./node.ts";
import { decide } from "./routes.ts";
import { isStream, releaseStream, takeResponse, toldHeaders } from "./taking.ts";

/**
 * Makes an existing Koa middleware answer each Idempotency-Key once: it claims the key, calls it, and keeps status, headers
 * and body of what it sets on its context, so that a repetition is answered the same without calling it. The body is read
 * before, by a parser. It is the last one: what stands before it runs for each answer.
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
 * router.post("/orders", idempotent(reprise, {
 *   name: "order.place", principal: (context) => context.state.user, retention: "1d", effects: "database",
 * }, async (context, { tx }) => {
 *   context.status = 201;
 *   context.body = await insertOrder(tx, context.request.body);
 * }));
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE, REPRISE_NAME_TWICE
 */
export function idempotent<C extends Guarding, const E extends Effects, X extends GuardableContext = GuardableContext>(
  reprise: Reprise<C>,
  options: GuardOptions<C, E, X>,
  handler: (context: X, offered: OfferedBy<C, E>) => MaybePromise<unknown>,
): (context: X) => Promise<void> {
  const guard = createGuard<C, E, X>(reprise, options);
  return decide(async (context) => {
    const answer = await guard.answer({
      request: context,
      keyLines: keyLinesOf(context.req),
      log: (error) => context.app.emit("error", error, context),
      same: ({ method, originalUrl, req, request }) => [
        method,
        originalUrl,
        parsedBody(req, bodyOf(request) ?? bodyOf(req), options.name),
      ],
      handle: (_, offered) =>
        takeAnswer(context, guard.answerLimit, (taking) => handler(taking, offered as OfferedBy<C, E>)),
    });
    setAnswer(context, answer);
  });
}

/** How Koa remembers that a body was set, and to none. */
interface Response {
  readonly _explicitNullBody?: boolean | undefined;
}

export interface GuardableContext extends KoaContext {
  readonly method: string;
  readonly originalUrl: string;
  readonly res: object;
  readonly response: object;
  readonly message: string;
  respond?: boolean | undefined;
  cookies: unknown;
}

/** Parsers of Koa's leave it with its own request, those of Express with Node's. */
function bodyOf(request: object): unknown {
  return "body" in request ? request.body : undefined;
}

/**
 * Calls a handler with a context whose response sends nothing. The context that it stands for is not touched, so that one
 * who answers after his time was over disturbs nobody's answer.
 */
async function takeAnswer<X extends GuardableContext>(
  context: X,
  atMost: number,
  call: (taking: X) => unknown,
): Promise<HandlerAnswer> {
  const res = Object.create(context.res) as ServerResponse;
  const { told } = takeResponse(res, atMost);
  const taking = Object.create(context) as X;
  const response = Object.assign(Object.create(context.response) as Response, { res, ctx: taking });
  Object.assign(taking, { res, response });
  // those that were used before write to the response that is sent
  taking.cookies = undefined;
  await call(taking);
  if (taking.respond === false) return told;
  // nobody set a body, not even none: Koa tells the status in words
  const isOpen = (taking.body ?? null) === null && response._explicitNullBody === undefined;
  if (isOpen) taking.set("content-type", "text/plain; charset=utf-8");
  const body = await bytesOf(isOpen ? taking.message : taking.body, atMost);
  return { status: taking.status, headers: toldHeaders(res), body };
}

/** As Koa sends it. */
async function bytesOf(body: unknown, atMost: number): Promise<HandlerAnswer["body"]> {
  if (isStream(body)) {
    releaseStream(body);
    return { not: "stream" };
  }
  const collected = collectBody(atMost);
  if (body instanceof Blob) collected.add(new Uint8Array(await body.arrayBuffer()));
  else if (Buffer.isBuffer(body)) collected.add(body);
  else if (typeof body === "string") collected.add(Buffer.from(body));
  else if (body !== null && body !== undefined) collected.add(Buffer.from(JSON.stringify(body)));
  return collected.body();
}
