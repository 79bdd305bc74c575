import type { Refusal } from "./wire.ts";

/** Nothing but the page's own script and style runs in it, and no other page frames it. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const always = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
} as const;

export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { ...always, "content-type": "application/json; charset=utf-8", "cache-control": "no-store" },
  });
}

export function refused(status: number, code: string, message: string, headers: Record<string, string> = {}): Response {
  const body: Refusal = { v: 1, error: { code, message } };
  const response = json(body, status);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

export function html(body: string, status = 200): Response {
  return new Response(body, {
    status,
    headers: { ...always, "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}

/** Its name carries a hash of its content, so it never changes. */
export function asset(body: Uint8Array<ArrayBuffer>, type: string): Response {
  return new Response(body, {
    headers: { ...always, "content-type": type, "cache-control": "public, max-age=31536000, immutable" },
  });
}

export function events(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, {
    headers: {
      ...always,
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // a proxy that collects the stream would hold the figures back
      "x-accel-buffering": "no",
    },
  });
}
