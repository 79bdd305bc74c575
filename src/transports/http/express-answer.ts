import type { Answer } from "./answer.ts";
import type { ExpressResponse } from "./express-shapes.ts";
import { toBytes } from "./node.ts";

export function sendAnswer(response: ExpressResponse, { status, headers, body }: Answer): void {
  response.statusCode = status;
  for (const [name, value] of headers) response.setHeader(name, value);
  // not `send`: it would add an entity tag, and another type to bytes
  response.end(body === null ? undefined : toBytes(body));
}
