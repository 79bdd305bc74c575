import type { ServerResponse } from "node:http";
import { RepriseError } from "../../base/errors.ts";
import type { Reprise } from "../../reprise.ts";
import { sendAnswer } from "./express-answer.ts";
import type { ExpressRequest, ExpressResponse } from "./express-shapes.ts";
import {
  createGuard,
  type Effects,
  type Guarding,
  type GuardOptions,
  type HandlerAnswer,
  type OfferedBy,
} from "./guard.ts";
import { keyLinesOf, parsedBody } from "./node.ts";
import { decide } from "./routes.ts";
import { takeResponse, tellOrThrow } from "./taking.ts";

type Next = (error?: unknown) => void;

/**
 * Makes an existing Express handler answer each Idempotency-Key once: it claims the key, calls the handler, and keeps
 * status, headers and body of what it answers, so that a repetition is answered the same without calling it. The body is
 * read before, by `express.json()` or another parser.
 *
 * With `effects: "database"` the handler writes with the transaction that it is offered, and what it wrote and its answer
 * commit together, or neither. With `effects: "external"` nothing can promise that: a crash between what the handler did
 * and the record of its answer leaves work of which nobody knows whether it happened, and `ifUnknown` says what the next
 * attempt does: `"retry"` calls the handler again, which may then have done it twice; `"park"` answers 503 until a person
 * settles it. Whoever needs more declares an operation, whose effects are written down one by one.
 *
 * Kept are answers below 500; not 400, 401, 403, 408, 425 and 429, which say that nothing was done (with `"park"` they are
 * kept too: what must not be kept belongs before the guard). What the handler throws, or hands to `next`, goes to Express's
 * error handler, and is not kept. A cookie, and any header that could not be repeated, is not sent at all. An answer over
 * `answerLimit` cannot be repeated: the work is recorded as done, and its caller is told 500.
 *
 * @example
 * app.post("/orders", express.json(), idempotent(reprise, {
 *   name: "order.place", principal: (request: Request) => request.session.user, retention: "1d", effects: "database",
 * }, async (request: Request, response: Response, next, { tx }) => {
 *   response.status(201).json(await insertOrder(tx, request.body));
 * }));
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE, REPRISE_NAME_TWICE
 */
export function idempotent<
  C extends Guarding,
  const E extends Effects,
  Q extends GuardableRequest = GuardableRequest,
  A extends ExpressResponse = ExpressResponse,
>(
  reprise: Reprise<C>,
  options: GuardOptions<C, E, Q>,
  handler: (request: Q, response: A, next: Next, offered: OfferedBy<C, E>) => unknown,
): (request: Q, response: A, next: Next) => Promise<void> {
  const guard = createGuard<C, E, Q>(reprise, options);
  return decide(async (request, response, next) => {
    try {
      const answer = await guard.answer({
        request,
        keyLines: keyLinesOf(request),
        log: (error) => console.error(error),
        same: (asked) => [asked.method, asked.originalUrl, parsedBody(asked, asked.body, options.name)],
        handle: (_, offered) =>
          takeAnswer(response, guard.answerLimit, options.name, (taking, done) =>
            handler(request, taking, done, offered as OfferedBy<C, E>),
          ),
      });
      sendAnswer(response, answer);
    } catch (error) {
      next(error);
    }
  });
}

export interface GuardableRequest extends ExpressRequest {
  readonly method: string;
  readonly originalUrl: string;
}

/**
 * Calls a handler with a response that sends nothing. The response that it stands for is not touched, so that one who
 * answers after his time was over disturbs nobody's answer.
 */
function takeAnswer<A extends ExpressResponse>(
  response: A,
  atMost: number,
  name: string,
  call: (taking: A, next: Next) => unknown,
): Promise<HandlerAnswer> {
  const taking = Object.create(response) as A;
  const { told } = takeResponse(taking as unknown as ServerResponse, atMost);
  const passedOn = () =>
    new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `guard '${name}'`,
      why: "its handler passed the request on.",
      mend: "What answers after it would be kept by nobody: guard the handler that answers.",
    });
  return new Promise((resolve, reject) => {
    const next: Next = (error) => reject((error ?? passedOn()) as Error);
    tellOrThrow(told, () => call(taking, next)).then(resolve, reject);
  });
}
