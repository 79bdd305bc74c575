import type { Answer } from "./answer.ts";
import type { ExpressResponse } from "./express-shapes.ts";
import { toBytes } from "./node.ts";

export function sendAnswer(response: ExpressResponse, { status, headers, body }: Answer): void {
  response.statusCode = status;
  for (const [name, value] of headers) response.setHeader(name, value);
  // Not `send`: it would add an entity tag, and another type to bytes. And bytes: with a text the head is encoded as UTF-8.
  response.end(body === null ? undefined : toBytes(body));
}
