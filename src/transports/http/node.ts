import { RepriseError } from "../../base/errors.ts";

/** What the frameworks on Node's own server share. */

/** A request of Node's server, as frameworks pass it on. */
export interface NodeRequest {
  /** Names and values in turn, a line each. */
  readonly rawHeaders: readonly string[];
  readonly method?: string | undefined;
}

/** The lines of the field Idempotency-Key. From the raw lines: in `headers` Node has joined repeated ones. */
export function keyLinesOf({ rawHeaders }: NodeRequest): readonly string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === "idempotency-key");
}

/**
 * A guarded request's body as a parser left it. One that nobody has parsed cannot be told from another: its key would be
 * answered with what was kept for another body.
 * @throws REPRISE_BAD_DECLARATION
 */
export function parsedBody({ rawHeaders }: NodeRequest, body: unknown, guard: string): unknown {
  if (body !== undefined) return body;
  const has = (field: string, empty?: string) =>
    rawHeaders.some((name, at) => at % 2 === 0 && name.toLowerCase() === field && rawHeaders[at + 1]?.trim() !== empty);
  if (!has("transfer-encoding") && !has("content-length", "0")) return null;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `the guard '${guard}'`,
    why: "the request has a body that no parser has read.",
    mend: "Put a parser of its type before the guard, or say by `same` what makes two requests the same.",
  });
}

/** A body as bytes: of a string or an object a framework would make another text. */
export function toBytes(body: string | Uint8Array): Buffer {
  return typeof body === "string" ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
