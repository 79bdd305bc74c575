import type { Answer } from "./answer.ts";

/** Between the web's `Request` and `Response` and the core. */

/** Repeated lines arrive joined by a comma, which no key of a single line reads as. */
export function keyLinesOf(request: Pick<Request, "headers">): readonly string[] {
  const line = request.headers.get("idempotency-key");
  return line === null ? [] : [line];
}

export function toResponse({ status, headers, body }: Answer): Response {
  return new Response(body as BodyInit | null, {
    status,
    headers: headers.map(([field, value]): [string, string] => [field, value]),
  });
}
