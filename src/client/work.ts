import { RepriseError } from "../base/errors.ts";

/** A request as it is sent, every time with the same bytes. */
export interface Work {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | null;
  /** What `fetch` takes beside these, as it was given. */
  readonly rest: RequestInit;
}

/** What can be read once and sent again, also by another process. */
export type ResendableBody = string | URLSearchParams | Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>;

const methods: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);
const field = "idempotency-key";

/**
 * Takes a copy of the body before it returns its promise: what the caller changes later is not sent.
 *
 * @throws REPRISE_BAD_DECLARATION; TypeError, as `fetch` does, for an address or a header that HTTP does not know
 */
export async function readWork(url: string | URL, init: RequestInit & { readonly method: string }): Promise<Work> {
  const { method, body, headers: _, ...rest } = init;
  if (!methods.has(method)) {
    throw bad("its method is none of POST, PUT, PATCH and DELETE.", "Read with fetch: a read needs no key.");
  }
  if (body !== null && body !== undefined && !isResendable(body)) {
    throw bad(
      "its body cannot be sent a second time as it was.",
      "Read a stream into bytes, encode a form with one boundary, and an object with JSON.stringify.",
    );
  }
  // the body's Content-Type is the platform's to tell
  const request = new Request(url, init);
  if (request.headers.has(field)) {
    throw bad("it has a header Idempotency-Key of its own.", "Pass an 'intent', or the key itself as 'key'.");
  }
  return {
    method,
    url: request.url,
    headers: new Headers(request.headers),
    body: request.body === null ? null : new Uint8Array(await request.arrayBuffer()),
    rest,
  };
}

/** A stream is read once. A form's boundary is drawn anew each time, an object would be sent as "[object Object]". */
function isResendable(body: unknown): body is ResendableBody {
  return (
    typeof body === "string" ||
    body instanceof URLSearchParams ||
    body instanceof Blob ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body)
  );
}

/** The first part names the algorithm: prints are kept beside keys, and compared by other versions too. */
export async function printOf({ method, url, body }: Work): Promise<string> {
  // neither a method nor an address holds a line break, so no two works share a text
  const head = new TextEncoder().encode(`${method} ${url.split("#", 1)[0]}\n`);
  const whole = new Uint8Array(head.length + (body?.length ?? 0));
  whole.set(head);
  if (body !== null) whole.set(body, head.length);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  return `1:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** The key as a structured field's String (RFC 9651, RFC 8941). */
export function withKey(headers: Headers, key: string): Headers {
  // a String holds printable ASCII; the bound is the one that servers have
  if (!/^[ -~]{1,255}$/.test(key)) {
    throw bad("its key is not 1 to 255 printable ASCII characters.", "Leave making keys to an 'intent'.");
  }
  const keyed = new Headers(headers);
  keyed.set(field, `"${key.replace(/["\\]/g, "\\$&")}"`);
  return keyed;
}

export function bad(why: string, mend: string): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", { where: "a request of the idempotent fetch", why, mend });
}
