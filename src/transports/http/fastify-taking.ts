import { bodiless } from "./answer.ts";
import type { FastifyReply } from "./fastify-shapes.ts";
import { collectBody, type HandlerAnswer } from "./guard.ts";
import { isStream, releaseStream, replaceMembers, type Taken, takeHeaders, toldHeaders } from "./taking.ts";

export interface GuardableReply extends FastifyReply {
  readonly raw: { statusCode: number };
  readonly statusCode: number;
  readonly sent: boolean;
  getHeaders(): Readonly<Record<string, unknown>>;
  serialize(payload: unknown): string | ArrayBuffer | Uint8Array;
}

/**
 * From here on a reply of Fastify's sends nothing: what is set on it and sent is collected, up to what may be kept. One
 * that was sent stays as it was sent, for whoever logs it.
 */
export function takeReply(reply: GuardableReply, atMost: number): Taken {
  const headers = takeHeaders(reply.getHeaders());
  let status = reply.statusCode;
  let coded = status !== 200;
  let { sent } = reply;
  let tell: (answer: HandlerAnswer) => void;
  let fail: (error: Error) => void;
  const told = new Promise<HandlerAnswer>((resolve, reject) => {
    tell = resolve;
    fail = reject;
  });
  // whoever takes a reply only to send nothing does not wait for it
  told.catch(() => {});
  const send = (payload?: unknown) => {
    if (sent) return reply;
    sent = true;
    try {
      if (payload instanceof Error) throw payload;
      const { type, body } = bodyOf(reply, payload, status, atMost);
      if (!headers.hasHeader("content-type") && type !== "") headers.setHeader("content-type", type);
      tell({ status, headers: toldHeaders(headers), body });
    } catch (error) {
      fail(error as Error);
    }
    return reply;
  };
  const code = (given: number) => {
    if (!sent) status = given;
    coded = true;
    return reply;
  };
  const header = (field: string, value: string | string[] = "") => {
    headers.setHeader(field, value);
    return reply;
  };
  const release = replaceMembers(reply, {
    // else awaiting it would wait for the reply that is sent in the end
    // biome-ignore lint/suspicious/noThenProperty: it hides the reply's own
    then: undefined,
    send,
    code,
    status: code,
    header,
    headers: (given: Readonly<Record<string, string>>) => {
      for (const [field, value] of Object.entries(given)) header(field, value);
      return reply;
    },
    type: (given: string) => header("content-type", given),
    getHeader: (field: string) => headers.getHeader(field),
    getHeaders: () => ({ ...headers.getHeaders() }),
    hasHeader: (field: string) => headers.hasHeader(field),
    removeHeader: (field: string) => {
      headers.removeHeader(field);
      return reply;
    },
    redirect: (url: string, given?: number) => {
      header("location", url);
      code(given ?? (coded ? status : 302));
      return send();
    },
    get sent() {
      return sent;
    },
    get statusCode() {
      return status;
    },
    set statusCode(given: number) {
      code(given);
    },
  });
  return { told, release };
}

function bodyOf(
  reply: GuardableReply,
  payload: unknown,
  status: number,
  atMost: number,
): { readonly type: string; readonly body: HandlerAnswer["body"] } {
  const collected = (bytes: Uint8Array) => {
    const body = collectBody(atMost);
    body.add(bytes);
    return body.body();
  };
  // Fastify sends a null as JSON, but not where there is no body
  if (payload === undefined || (payload === null && bodiless.has(status))) return { type: "", body: Buffer.alloc(0) };
  if (isStream(payload)) {
    releaseStream(payload);
    return { type: "application/octet-stream", body: { not: "stream" } };
  }
  if (payload instanceof Uint8Array) return { type: "application/octet-stream", body: collected(payload) };
  if (typeof payload === "string") return { type: "text/plain; charset=utf-8", body: collected(Buffer.from(payload)) };
  // a schema of the response is found by its status
  reply.raw.statusCode = status;
  const text = reply.serialize(payload);
  const bytes = typeof text === "string" ? Buffer.from(text) : new Uint8Array(text);
  return { type: "application/json; charset=utf-8", body: collected(bytes) };
}
