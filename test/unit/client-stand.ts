import { afterEach } from "vitest";
import { isRepriseError } from "../../src/base/errors.ts";
import {
  createIdempotentFetch,
  type IdempotencyKeys,
  type KeepingFetchOptions,
  memoryKeys,
} from "../../src/client/index.ts";
import { hurryingClock } from "../support/hurrying-clock.ts";
import { type Answering, type ScriptedServer, scriptedServer } from "../support/scripted-server.ts";

const open: ScriptedServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

/** No attempt of a real socket takes so long. */
export const attemptMs = 60_000;
export const longMs = 10_000_000;

export async function stage(script: readonly Answering[], options: Partial<KeepingFetchOptions> = {}) {
  const server = await scriptedServer(...script);
  open.push(server);
  const clock = hurryingClock(attemptMs);
  const keys: IdempotencyKeys = options.keys ?? memoryKeys();
  const request = createIdempotentFetch({
    clock,
    fetch: clock.fetch,
    attempt: `${attemptMs}ms`,
    deadline: `${longMs}ms`,
    ...options,
    keys,
  });
  const charge = (init: { readonly body?: string; readonly intent?: string; readonly accepted?: "poll" } = {}) =>
    request(`${server.address}/charges`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer alice" },
      body: '{"amount":3}',
      intent: "order-4711",
      ...init,
    });
  const keysSent = () => server.received.map(({ headers }) => headers["idempotency-key"]);
  return { server, clock, keys, request, charge, keysSent };
}

export const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    (error: unknown) => (isRepriseError(error) ? error.code : error),
  );
