import { OutgoingMessage, type ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { collectBody, type HandlerAnswer } from "./guard.ts";

/** What a handler tells a response, taken instead of sent. */
export interface Taken {
  /** Resolves once the response is ended. */
  readonly told: Promise<HandlerAnswer>;
  /** Gives the response its own members back. */
  readonly release: () => void;
}

/**
 * Replaces members of a response, or of an object that stands for one, by those of another object, accessors included.
 * What it returns gives the earlier ones back.
 */
export function replaceMembers(response: object, members: object): () => void {
  const names = Reflect.ownKeys(members);
  const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(response, name)] as const);
  Object.defineProperties(response, Object.getOwnPropertyDescriptors(members));
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(response, name);
      else Object.defineProperty(response, name, descriptor);
    }
  };
}

/** Several lines of one header as one, as a repetition tells them. */
export function toldHeaders(headers: Pick<OutgoingMessage, "getHeaders">): HandlerAnswer["headers"] {
  const told = Object.entries(headers.getHeaders()).map(([field, value]) => [field, [value].flat().join(", ")]);
  return Object.fromEntries(told);
}

/** What of a response of Node's server concerns its headers alone. */
const ofHeaders = [
  "setHeader",
  "setHeaders",
  "appendHeader",
  "getHeader",
  "getHeaders",
  "getHeaderNames",
  "hasHeader",
  "removeHeader",
] as const;

/** Headers to be taken, beginning with those that were set before: a handler's own depend on them. */
export function takeHeaders(standing: Readonly<Record<string, unknown>>): OutgoingMessage {
  const headers = new OutgoingMessage();
  for (const [field, value] of Object.entries(standing)) {
    if (value !== undefined) headers.setHeader(field, value as string);
  }
  return headers;
}

/**
 * From here on a response of Node's server sends nothing: what is written to it is collected, up to what may be kept. One
 * that was sent stays as it was sent, for whoever logs it, and what is written to it goes nowhere.
 */
export function takeResponse(
  response: Pick<ServerResponse, "statusCode" | "headersSent" | "getHeaders">,
  atMost: number,
): Taken {
  const headers = takeHeaders(response.getHeaders());
  const collected = collectBody(atMost);
  let { statusCode } = response;
  let ended = response.headersSent;
  let tell: (answer: HandlerAnswer) => void;
  const told = new Promise<HandlerAnswer>((resolve) => {
    tell = resolve;
  });
  const tellAll = () => {
    ended = true;
    tell({ status: statusCode, headers: toldHeaders(headers), body: collected.body() });
  };
  const add = (chunk: unknown, encoding: unknown): boolean => {
    if (ended) return false;
    if (chunk instanceof Uint8Array) return collected.add(chunk);
    if (typeof chunk !== "string") return true;
    return collected.add(Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8"));
  };
  const callBack = (...given: readonly unknown[]) => {
    const called = given.find((argument) => typeof argument === "function");
    if (called !== undefined) queueMicrotask(called as () => void);
  };
  const release = replaceMembers(response, {
    ...Object.fromEntries(ofHeaders.map((member) => [member, headers[member].bind(headers)])),
    flushHeaders: () => {},
    statusMessage: undefined,
    get statusCode() {
      return statusCode;
    },
    set statusCode(code: number) {
      if (!ended) statusCode = code;
    },
    get headersSent() {
      return ended;
    },
    get writableEnded() {
      return ended;
    },
    writeHead(this: unknown, code: number, ...rest: readonly unknown[]) {
      if (!ended) statusCode = code;
      const last = rest.at(-1);
      if (typeof last === "object") {
        for (const [field, value] of Object.entries(last ?? {})) headers.setHeader(field, value as string);
      }
      return this;
    },
    write(chunk: unknown, encoding: unknown, done: unknown) {
      const fits = add(chunk, encoding);
      callBack(encoding, done);
      // an endless answer is not waited for; what is piped waits for a drain that never comes, until the response closes
      if (!fits && !ended) tellAll();
      return fits;
    },
    end(this: unknown, chunk: unknown, encoding: unknown, done: unknown) {
      add(chunk, encoding);
      if (!ended) tellAll();
      callBack(chunk, encoding, done);
      return this;
    },
  });
  return { told, release };
}

/** Calls a handler with what sends nothing; ends with what it tells, or with what it throws first. */
export function tellOrThrow(told: Promise<HandlerAnswer>, call: () => unknown): Promise<HandlerAnswer> {
  return new Promise((resolve, reject) => {
    told.then(resolve, reject);
    new Promise((settled) => {
      settled(call());
    }).catch(reject);
  });
}

type Stream = Readable | ReadableStream | Response;

export function isStream(payload: unknown): payload is Stream {
  if (payload instanceof ReadableStream || payload instanceof Response) return true;
  if (typeof payload !== "object" || payload === null) return false;
  return "pipe" in payload && typeof payload.pipe === "function";
}

/** Nobody reads it: what stands behind it, a file or a connection, must not stay open. */
export function releaseStream(stream: Stream): void {
  if ("destroy" in stream) return void stream.destroy();
  const body = stream instanceof Response ? stream.body : stream;
  body?.cancel().catch(() => {});
}
