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

/** A body as bytes: of a string or an object a framework would make another text. */
export function toBytes(body: string | Uint8Array): Buffer {
  return typeof body === "string" ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
