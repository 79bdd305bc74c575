import type { Carried } from "../../operation/carry.ts";
import type { Answer } from "../http/answer.ts";
import type { LambdaContext, LambdaHttpEvent, LambdaHttpResponse } from "./aws-shapes.ts";
import { carryFunction, type FunctionCarrier } from "./http.ts";

/** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE */
export function createLambdaHttp<In, O, R>(
  operation: Carried<In, O, R>,
  carrier: FunctionCarrier<LambdaHttpEvent, In, O, R>,
): (event: LambdaHttpEvent, context: LambdaContext) => Promise<LambdaHttpResponse> {
  const carry = carryFunction(operation, carrier);
  return async (event, context) => {
    const bring = () => ({ request: toRequest(event), params: event.pathParameters ?? {}, event });
    const leftMs = context.getRemainingTimeInMillis();
    return toResponse(await carry(bring, { leftMs, log: (error) => console.error(error) }));
  };
}

function toRequest(event: LambdaHttpEvent): Request {
  const { requestContext, body } = event;
  const method = requestContext.http?.method ?? event.httpMethod ?? "GET";
  const headers = headersOf(event);
  const isBodiless = method === "GET" || method === "HEAD" || body === undefined || body === null;
  const bytes = isBodiless ? null : event.isBase64Encoded === true ? Buffer.from(body, "base64") : body;
  const host = requestContext.domainName ?? headers.get("host") ?? "localhost";
  const path = (event.rawPath ?? event.path ?? "/") + queryOf(event);
  const url = URL.canParse(`https://${host}`) ? `https://${host}${path}` : `https://localhost${path}`;
  return new Request(url, { method, headers, body: bytes });
}

/** A field that came more than once is one line, joined by a comma, which no key of a single line reads as. */
function headersOf({ headers, multiValueHeaders, cookies }: LambdaHttpEvent): Headers {
  const read = new Headers();
  for (const [name, value] of Object.entries(multiValueHeaders ?? headers ?? {})) {
    for (const line of value === undefined ? [] : [value].flat()) read.append(name, line);
  }
  if (cookies !== undefined) read.set("cookie", cookies.join("; "));
  return read;
}

function queryOf(event: LambdaHttpEvent): string {
  const { rawQueryString, multiValueQueryStringParameters, queryStringParameters, requestContext } = event;
  if (rawQueryString !== undefined) return rawQueryString === "" ? "" : `?${rawQueryString}`;
  const given = Object.entries(multiValueQueryStringParameters ?? queryStringParameters ?? {});
  const pairs = given.flatMap(([name, value]) => (value === undefined ? [] : [value].flat().map((one) => [name, one])));
  // a load balancer decodes nothing, as documented: encoded once more they would be other values
  const query =
    requestContext.elb === undefined
      ? new URLSearchParams(pairs).toString()
      : pairs.map(([name, value]) => `${name}=${value}`).join("&");
  return query === "" ? "" : `?${query}`;
}

function toResponse({ status, headers, body }: Answer): LambdaHttpResponse {
  const isBase64Encoded = body instanceof Uint8Array;
  return {
    statusCode: status,
    headers: Object.fromEntries(headers),
    body: isBase64Encoded ? Buffer.from(body).toString("base64") : (body ?? ""),
    isBase64Encoded,
  };
}
