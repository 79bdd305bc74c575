import { RepriseError } from "../../base/errors.ts";
import { type HttpReply, keptHeaders } from "./carrier.ts";

/** What goes back to the client, in no framework's form. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Uint8Array | null;
}

export const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A reply as it is sent and kept.
 *
 * @param what names the reply for the error
 * @param otherwise what the reply may leave out
 * @throws REPRISE_NOT_STORABLE when it cannot be kept; TypeError for a status or a header that HTTP does not know
 */
export function answerOf(
  reply: HttpReply,
  what: string,
  otherwise: { readonly status?: number; readonly link?: string } = {},
): Answer {
  // a promise has no status and no body: it would be an empty answer, kept for good
  const kind = kindOfUnsendable(reply);
  if (kind !== undefined) throw unsendable(what, "(itself)", kind);
  const [body, type] = bodyOf(reply.body, what);
  const status = reply.status ?? otherwise.status ?? (body === null ? 204 : 200);
  if (!Number.isInteger(status) || status < 200 || status > 599) throw new TypeError(`${what} has no HTTP status`);
  if (body !== null && bodiless.has(status)) throw new TypeError(`${what} has a body, and a status without one`);

  return { status, headers: headersOf(reply.headers, type, otherwise.link), body };
}

function headersOf(given: HttpReply["headers"], type: string | null, link: string | undefined): Answer["headers"] {
  // most replies bring none, and a `Headers` is dear
  if (given === undefined && link === undefined) return type === null ? [] : [["content-type", type]];
  const kept = new Headers();
  if (type !== null) kept.set("content-type", type);
  if (link !== undefined) kept.set("link", link);
  const checked = new Headers();
  for (const [name, value] of Object.entries(given ?? {})) if (value !== undefined) checked.set(name, value);
  for (const name of keptHeaders) {
    const value = checked.get(name);
    if (value !== null) kept.set(name, value);
  }
  return [...kept];
}

function bodyOf(body: unknown, what: string): [body: string | Uint8Array | null, type: string | null] {
  if (body === undefined) return [null, null];
  if (typeof body === "string") return [body, "text/plain; charset=utf-8"];
  if (body instanceof Uint8Array) return [body, "application/octet-stream"];
  return [json(body, what), "application/json"];
}

/** As `JSON.stringify`, but what it would silently turn into nothing is refused. */
export function json(value: unknown, what: string): string {
  const check = (path: string, part: unknown) => {
    const kind = kindOfUnsendable(part);
    if (kind !== undefined) throw unsendable(what, path === "" ? "(itself)" : path, kind);
    return part;
  };
  // a function called for each part takes several times as long as the text itself
  const text = isPlain(value, 0) ? JSON.stringify(value) : JSON.stringify(value, check);
  if (text === undefined) throw unsendable(what, "(itself)", `a ${typeof value}`);
  return text;
}

/** Of a cycle, which has no end, JSON tells better than an overflow of the stack. */
const deepest = 100;

/** Whether JSON tells all of it, unless a getter tells something else when it is asked again. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return typeof value !== "bigint" && typeof value !== "function";
  if (depth === deepest || "toJSON" in value || Symbol.asyncIterator in value) return false;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).every((part) => isPlain(part, depth + 1));
}

/** A stream can be sent once and never again; of the others JSON makes `{}`. */
function kindOfUnsendable(value: unknown): string | undefined {
  if (typeof value === "bigint") return "a bigint";
  if (typeof value !== "object" || value === null) return undefined;
  if (value instanceof ReadableStream || Symbol.asyncIterator in value) return "a stream";
  if (value instanceof Blob || value instanceof Response || value instanceof FormData) return "a body of its own";
  if (value instanceof Promise) return "a promise";
  if (value instanceof Map || value instanceof Set) return "a map or set";
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return "bytes inside JSON";
  return undefined;
}

function unsendable(what: string, path: string, kind: string): RepriseError {
  return new RepriseError("REPRISE_NOT_STORABLE", { what, path, kind });
}
