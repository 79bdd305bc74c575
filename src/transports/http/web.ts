import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import { bytes, type Size } from "../../base/size.ts";
import type { Carried } from "../../operation/carry.ts";
import type { HttpCarrier } from "./carrier.ts";
import { carryHttp } from "./core.ts";

export type { HttpCarrier, HttpReply, KeptHeader } from "./carrier.ts";

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
  const { name } = operation;
  const atMost =
    carrier.bodyLimit === undefined
      ? defaults.http.bodyLimitBytes
      : bytes(carrier.bodyLimit, `bodyLimit of the HTTP carrier of '${name}'`);
  const tooLarge = new WeakSet<Request>();
  const readInput = async (request: Request) => carrier.input(request);
  const carry = carryHttp(operation, {
    ...carrier,
    input: async (request: Request) => {
      // judged by what was read, not by the error: a runtime tells its own of a failed body, and `input` may swallow it
      const [read] = await Promise.allSettled([readInput(request)]);
      if (tooLarge.has(request)) throw new RepriseError("REPRISE_BODY_TOO_LARGE", { operation: name, atMost });
      if (read.status === "rejected") throw read.reason;
      return read.value;
    },
  });

  return async (request) => {
    const line = request.headers.get("idempotency-key");
    const { status, headers, body } = await carry({
      request,
      readable: () => bound(request, atMost, (bounded) => tooLarge.add(bounded)),
      keyLines: line === null ? [] : [line],
      log: (error) => console.error(error),
    });
    return new Response(body as BodyInit | null, {
      status,
      headers: headers.map(([field, value]): [string, string] => [field, value]),
    });
  };
}

/** The request with a body that fails once it is longer than `atMost` bytes. */
function bound(request: Request, atMost: number, exceeded: (bounded: Request) => void): Request {
  if (request.body === null) return request;
  let read = 0;
  const body = request.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        read += chunk.byteLength;
        if (read <= atMost) return controller.enqueue(chunk);
        exceeded(bounded);
        controller.error(new Error("the body is too large"));
      },
    }),
  );
  const init: RequestInit & { readonly duplex: "half" } = { body, duplex: "half" };
  const bounded = new Request(request, init);
  return bounded;
}
