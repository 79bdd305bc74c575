import type { Answer } from "./answer.ts";
import type { KoaContext } from "./koa-shapes.ts";
import { toBytes } from "./node.ts";

/** Koa sends it once the middlewares are through. */
export function setAnswer(context: KoaContext, { status, headers, body }: Answer): void {
  context.status = status;
  if (body === null) {
    // an earlier type of JSON would make Koa send "null", and without a body it says 204
    context.remove("content-type");
    context.body = null;
    context.status = status;
  }
  // before the body: Koa would give bytes a type of its own
  for (const [name, value] of headers) context.set(name, value);
  if (body !== null) context.body = toBytes(body);
}
