import type { Readable } from "node:stream";
import type { Reprise } from "../../reprise.ts";
import { linesOf, sendReply } from "./fastify-answer.ts";
import type { FastifyReply, FastifyRequest } from "./fastify-shapes.ts";
import {
  collectBody,
  createGuard,
  type Effects,
  type Guarding,
  type GuardOptions,
  type HandlerAnswer,
  type OfferedBy,
} from "./guard.ts";
import { decide } from "./routes.ts";

export interface GuardableRequest extends FastifyRequest {
  readonly method: string;
  readonly url: string;
}
export interface GuardableReply extends FastifyReply {
  serialize(payload: unknown): string | ArrayBuffer | Buffer;
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
 *   name: "order.place", principal: (request) => request.session.user, retention: "1d", effects: "database",
 * }, async (request, reply, { tx }) => reply.code(201).send(await insertOrder(tx, request.body))));
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

/**
 * Calls a handler with a reply that sends nothing: what it sets and sends is collected. What else it uses of its reply is
 * the reply's own.
 */
function takeAnswer<A extends GuardableReply>(
  reply: A,
  atMost: number,
  call: (taking: A) => unknown,
): Promise<HandlerAnswer> {
  return new Promise((resolve, reject) => {
    const headers = new Map<string, string>();
    let status = 200;
    let coded = false;
    let sent = false;
    const send = (payload?: unknown) => {
      if (sent) return taking;
      sent = true;
      if (payload instanceof Error) reject(payload);
      else {
        try {
          resolve(answerOf(reply, payload, { status, headers, atMost }));
        } catch (error) {
          reject(error as Error);
        }
      }
      return taking;
    };
    const code = (given: number) => {
      status = given;
      coded = true;
      return taking;
    };
    const header = (field: string, value: unknown = "") => {
      headers.set(field.toLowerCase(), [value].flat().join(", "));
      return taking;
    };
    const own: Record<string, unknown> = {
      send,
      code,
      status: code,
      header,
      headers: (given: Readonly<Record<string, unknown>>) => {
        for (const [field, value] of Object.entries(given)) header(field, value);
        return taking;
      },
      type: (given: string) => header("content-type", given),
      getHeader: (field: string) => headers.get(field.toLowerCase()),
      getHeaders: () => Object.fromEntries(headers),
      hasHeader: (field: string) => headers.has(field.toLowerCase()),
      removeHeader: (field: string) => {
        headers.delete(field.toLowerCase());
        return taking;
      },
      redirect: (url: string, given?: number) => {
        header("location", url);
        return code(given ?? (coded ? status : 302)) && send();
      },
    };
    const taking = new Proxy(reply, {
      get: (target, member) => {
        // else awaiting it would wait for the reply that is sent in the end
        if (member === "then") return undefined;
        if (member === "sent") return sent;
        if (member === "statusCode") return status;
        return Object.hasOwn(own, member) ? own[member as string] : Reflect.get(target, member, target);
      },
      set: (_, member, value) => {
        if (member !== "statusCode") return false;
        code(value as number);
        return true;
      },
    });
    new Promise((settled) => {
      settled(call(taking));
    }).then((returned) => {
      if (returned !== undefined && returned !== taking) send(returned);
    }, reject);
  });
}

interface Collected {
  readonly status: number;
  readonly headers: Map<string, string>;
  readonly atMost: number;
}

function answerOf(reply: GuardableReply, payload: unknown, { status, headers, atMost }: Collected): HandlerAnswer {
  const told = (type: string, body: HandlerAnswer["body"]): HandlerAnswer => {
    if (!headers.has("content-type") && type !== "") headers.set("content-type", type);
    return { status, headers: Object.fromEntries(headers), body };
  };
  const collected = (bytes: Uint8Array) => {
    const body = collectBody(atMost);
    body.add(bytes);
    return body.body();
  };
  if (payload === undefined || payload === null) return told("", Buffer.alloc(0));
  if (isStream(payload)) {
    release(payload);
    return told("application/octet-stream", { not: "stream" });
  }
  if (payload instanceof Uint8Array) return told("application/octet-stream", collected(payload));
  if (typeof payload === "string") return told("text/plain; charset=utf-8", collected(Buffer.from(payload)));
  // a schema of the response is found by its status
  reply.code(status);
  const text = reply.serialize(payload);
  const bytes = typeof text === "string" ? Buffer.from(text) : new Uint8Array(text);
  return told("application/json; charset=utf-8", collected(bytes));
}

type Stream = Readable | ReadableStream | Response;

function isStream(payload: unknown): payload is Stream {
  if (payload instanceof ReadableStream || payload instanceof Response) return true;
  return typeof payload === "object" && typeof (payload as { readonly pipe?: unknown }).pipe === "function";
}

/** Nobody reads it: what stands behind it, a file or a connection, must not stay open. */
function release(stream: Stream): void {
  if ("destroy" in stream) return void stream.destroy();
  const body = stream instanceof Response ? stream.body : stream;
  body?.cancel().catch(() => {});
}
