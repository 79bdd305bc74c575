import type { Answer } from "./answer.ts";
import type { FastifyReply, FastifyRequest } from "./fastify-shapes.ts";
import { keyLinesOf, toBytes } from "./node.ts";

/** Without the raw request (a test's stand-in), as Node joined them. */
export function linesOf({ raw, headers }: FastifyRequest): readonly string[] {
  if (raw !== undefined) return keyLinesOf(raw);
  const joined = headers["idempotency-key"];
  return joined === undefined ? [] : typeof joined === "string" ? [joined] : joined;
}

export function sendReply(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  reply.code(status);
  for (const [name, value] of headers) reply.header(name, value);
  reply.send(body === null ? undefined : toBytes(body));
  return reply;
}
