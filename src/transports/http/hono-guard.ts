import type { MaybePromise } from "../../base/promise.ts";
import type { Reprise } from "../../reprise.ts";
import { createBodyLimit } from "./body-limit.ts";
import { createGuard, type Effects, type Guarding, type GuardOptions, type OfferedBy } from "./guard.ts";
import type { HonoContext } from "./hono-shapes.ts";
import { decide } from "./routes.ts";
import { answerOfResponse, comparable, type Reads, readWhole } from "./web-guard.ts";
import { keyLinesOf, toResponse } from "./web-shapes.ts";

/**
 * Makes an existing Hono handler answer each Idempotency-Key once: it claims the key, calls the handler, and keeps status,
 * headers and body of its `Response`, so that a repetition is answered the same without calling it.
 *
 * With `effects: "database"` the handler writes with the transaction that it is offered, and what it wrote and its answer
 * commit together, or neither. With `effects: "external"` nothing can promise that: a crash between what the handler did
 * and the record of its answer leaves work of which nobody knows whether it happened, and `ifUnknown` says what the next
 * attempt does: `"retry"` calls the handler again, which may then have done it twice; `"park"` answers 503 until a person
 * settles it. Whoever needs more declares an operation, whose effects are written down one by one.
 *
 * Kept are answers below 500; not 400, 401, 403, 408, 425 and 429, which say that nothing was done (with `"park"` they are
 * kept too: what must not be kept belongs before the guard). What the handler throws goes to `onError`, and is not kept. A
 * cookie, and any header that could not be repeated, is not sent at all. Streams and answers over `answerLimit` cannot be
 * repeated: the work is recorded as done, and its caller is told 500.
 *
 * @example
 * app.post("/orders", idempotent(reprise, {
 *   name: "order.place", principal: (context) => context.get("user"), retention: "1d", effects: "database",
 * }, async (context, { tx }) => context.json(await insertOrder(tx, await context.req.json()), 201)));
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE, REPRISE_NAME_TWICE
 */
export function idempotent<C extends Guarding, const E extends Effects, X extends HonoContext = HonoContext>(
  reprise: Reprise<C>,
  options: GuardOptions<C, E, X> & Reads,
  handler: (context: X, offered: OfferedBy<C, E>) => MaybePromise<Response>,
): (context: X) => Promise<Response> {
  const limit = createBodyLimit(options.name, options.bodyLimit);
  const guard = createGuard<C, E, X>(reprise, options);
  return decide(async (context: X) =>
    toResponse(
      await guard.answer({
        request: context,
        keyLines: keyLinesOf(context.req.raw),
        log: (error) => console.error(error),
        read: async () => {
          // what a validator has read before stands in Hono's own cache
          const { raw } = context.req;
          context.req.raw = raw.bodyUsed
            ? new Request(raw, { body: await context.req.arrayBuffer() })
            : await readWhole(limit, raw);
          return context;
        },
        same: ({ req }) => comparable(req.raw),
        handle: async (_, offered) =>
          answerOfResponse(await handler(context, offered as OfferedBy<C, E>), guard.answerLimit),
      }),
    ),
  );
}
