import { nameOf } from "../../operation/carried.ts";
import type { Carried } from "../../operation/carry.ts";
import type { Answer } from "../http/answer.ts";
import type { AzureContext, AzureHttpRequest, AzureHttpResponse } from "./azure-shapes.ts";
import { type Declared, endsWithinOf } from "./azure-time.ts";
import { carryFunction, type FunctionCarrier } from "./http.ts";

/** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE */
export function createAzureHttp<In, O, R>(
  operation: Carried<In, O, R>,
  carrier: FunctionCarrier<AzureHttpRequest, In, O, R> & Declared,
): (request: AzureHttpRequest, context: AzureContext) => Promise<AzureHttpResponse> {
  const leftMs = endsWithinOf(carrier, `the HTTP function of '${nameOf(operation, "an HTTP function")}'`);
  const carry = carryFunction(operation, carrier);
  return async (event, context) => {
    const bring = () => ({ request: toRequest(event), params: event.params, event });
    return toResponse(await carry(bring, { leftMs, log: (error) => context.error(error) }));
  };
}

function toRequest({ url, method, headers, body }: AzureHttpRequest): Request {
  const isBodiless = method === "GET" || method === "HEAD";
  const init: RequestInit & { readonly duplex: "half" } = {
    method,
    headers: [...headers],
    body: isBodiless ? null : (body as BodyInit | null),
    duplex: "half",
  };
  return new Request(url, init);
}

function toResponse({ status, headers, body }: Answer): AzureHttpResponse {
  const answered = { status, headers: Object.fromEntries(headers) };
  return body === null ? answered : { ...answered, body: body as string | Uint8Array<ArrayBuffer> };
}
