import type { Answer } from "./answer.ts";
import type { ExpressResponse } from "./express-shapes.ts";

export function sendAnswer(response: ExpressResponse, { status, headers, body }: Answer): void {
  response.statusCode = status;
  for (const [name, value] of headers) response.setHeader(name, value);
  // not `send`: it would add an entity tag, and another type to bytes. A text goes out with the head, in one write
  response.end(body ?? undefined);
}
