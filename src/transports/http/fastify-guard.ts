import type { Reprise } from "../../reprise.ts";
import { linesOf, sendReply } from "./fastify-answer.ts";
import type { FastifyRequest } from "./fastify-shapes.ts";
import { type GuardableReply, takeReply } from "./fastify-taking.ts";
import {
  createGuard,
  type Effects,
  type Guarding,
  type GuardOptions,
  type HandlerAnswer,
  type OfferedBy,
} from "./guard.ts";
import { decide } from "./routes.ts";
import { tellOrThrow } from "./taking.ts";

export interface GuardableRequest extends FastifyRequest {
  readonly method: string;
  readonly url: string;
}

/**
 * Makes an existing handler of a Fastify route answer each Idempotency-Key once: it claims the key, calls the handler, and
 * keeps status, headers and body of what it returns or sends, so that a repetition is answered the same without calling it.
 * Hooks run for each answer, the first one and its repetitions; `preSerialization` for none.
 *
 * With `effects: "database"` the handler writes with the transaction that it is offered, and what it wrote and its answer
 * commit together, or neither. With `effects: "external"` nothing can promise that: a crash between what the handler did
 * and the record of its answer leaves work of which nobody knows whether it happened, and `ifUnknown` says what the next
 * attempt does: `"retry"` calls the handler again, which may then have done it twice; `"park"` answers 503 until a person
 * settles it. Whoever needs more declares an operation, whose effects are written down one by one.
 *
 * Kept are answers below 500; not 400, 401, 403, 408, 425 and 429, which say that nothing was done (with `"park"` they are
 * kept too: what must not be kept belongs before the guard). What the handler throws goes to Fastify's error handler, and
 * is not kept. A cookie, and any header that could not be repeated, is not sent at all. Streams and answers over
 * `answerLimit` cannot be repeated: the work is recorded as done, and its caller is told 500. What is written to
 * `reply.raw` is not seen.
 *
 * @example
 * app.post("/orders", idempotent(reprise, {
 *   name: "order.place", principal: (request: OrderRequest) => request.session.user, retention: "1d", effects: "database",
 * }, async (request, reply, { tx }) => {
 *   reply.code(201);
 *   return insertOrder(tx, request.body);
 * }));
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE, REPRISE_NAME_TWICE
 */
export function idempotent<
  C extends Guarding,
  const E extends Effects,
  Q extends GuardableRequest = GuardableRequest,
  A extends GuardableReply = GuardableReply,
>(
  reprise: Reprise<C>,
  options: GuardOptions<C, E, Q>,
  handler: (request: Q, reply: A, offered: OfferedBy<C, E>) => unknown,
): (request: Q, reply: A) => Promise<unknown> {
  const guard = createGuard<C, E, Q>(reprise, options);
  const message = `'${options.name}' answered without its outcome`;
  return decide(async (request, reply) => {
    const answer = await guard.answer({
      request,
      keyLines: linesOf(request),
      log: (error) => request.log?.error(error, message),
      same: ({ method, url, body }) => [method, url, body ?? null],
      handle: (_, offered) =>
        takeAnswer(reply, guard.answerLimit, (taking) => handler(request, taking, offered as OfferedBy<C, E>)),
    });
    return sendReply(reply, answer);
  });
}

/** Calls a handler with a reply that sends nothing. What else it uses of its reply is the reply's own. */
function takeAnswer<A extends GuardableReply>(
  reply: A,
  atMost: number,
  call: (taking: A) => unknown,
): Promise<HandlerAnswer> {
  const taking = Object.create(reply) as A;
  const { told } = takeReply(taking, atMost);
  return tellOrThrow(told, async () => {
    const returning = call(taking);
    const returned = await returning;
    // what returns nothing sends later, but as Fastify has it, a promise of nothing after `code(204)` is an answer
    const isEmptyAnswer = returned === undefined && returning instanceof Promise && taking.statusCode === 204;
    if (isEmptyAnswer || (returned !== undefined && returned !== taking)) taking.send(returned);
  });
}
