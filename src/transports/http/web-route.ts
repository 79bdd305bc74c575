import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import { saysForwarded } from "../../base/forwarded.ts";
import type { MaybePromise } from "../../base/promise.ts";
import type { FastifyReply } from "./fastify-shapes.ts";

export interface WebRouteContext {
  /**
   * The address at the other end of the connection. Left out for a request that a proxy forwarded: then the address is
   * the proxy's, and what the proxy says of the client may be the client's own invention.
   */
  readonly remoteAddress?: string;
}

/** What is used of Fastify's request. */
export interface WebRouteRequest {
  readonly method: string;
  readonly url: string;
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: unknown;
  readonly raw: { readonly socket: { readonly remoteAddress?: string | undefined } };
}

/** Belong to the connection, or to a body that is written anew. */
const notPassedOn: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

/**
 * A web handler as a handler of a Fastify route. Bodies of responses are streamed; when the client hangs up, the
 * stream is cancelled. What the handler throws goes to Fastify.
 *
 * @example
 * const page = webRoute(pageHandler(reprise));
 * app.all("/reprise", page);
 * app.all("/reprise/*", page);
 */
export function webRoute(
  handler: (request: Request, context: WebRouteContext) => MaybePromise<Response>,
): (request: WebRouteRequest, reply: FastifyReply) => Promise<unknown> {
  return async (request, reply) => {
    const response = await handler(toWebRequest(request), contextOf(request));
    reply.code(response.status);
    for (const [name, value] of response.headers) {
      if (name !== "set-cookie") reply.header(name, value);
    }
    const cookies = response.headers.getSetCookie();
    if (cookies.length > 0) reply.header("set-cookie", cookies);
    reply.send(await bodyOf(request, response));
    return reply;
  };
}

async function bodyOf(request: WebRouteRequest, response: Response): Promise<Readable | undefined> {
  if (response.body === null) return undefined;
  if (request.method !== "HEAD") return Readable.fromWeb(response.body as NodeReadableStream);
  // nobody reads it, and a stream of events would never end
  await response.body.cancel();
  return undefined;
}

function contextOf(request: WebRouteRequest): WebRouteContext {
  const forwarded = Object.keys(request.headers).some(saysForwarded);
  const { remoteAddress } = request.raw.socket;
  return forwarded || remoteAddress === undefined ? {} : { remoteAddress };
}

function toWebRequest(request: WebRouteRequest): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (notPassedOn.has(name) || name.startsWith(":")) continue;
    for (const line of typeof value === "string" ? [value] : (value ?? [])) headers.append(name, line);
  }
  const { method } = request;
  const body = method === "GET" || method === "HEAD" ? null : toBody(request.body);
  return new Request(urlOf(request), { method, headers, body });
}

function urlOf({ protocol, headers, url }: WebRouteRequest): string {
  const host = typeof headers["host"] === "string" ? headers["host"] : "localhost";
  const path = url.startsWith("/") ? url : `/${url}`;
  return URL.canParse(`${protocol}://${host}`) ? `${protocol}://${host}${path}` : `${protocol}://localhost${path}`;
}

/** Fastify has parsed the body; a web handler reads text or bytes. */
function toBody(body: unknown): BodyInit | null {
  if (body === undefined || body === null) return null;
  if (typeof body === "string" || body instanceof Uint8Array) return body as BodyInit;
  return JSON.stringify(body);
}
