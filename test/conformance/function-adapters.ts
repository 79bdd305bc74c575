import { createServer } from "node:http";
import azure, { type HttpResponseInit } from "@azure/functions";
import { getRequestListener } from "@hono/node-server";
import type { APIGatewayProxyEvent, APIGatewayProxyEventV2, Context } from "aws-lambda";
import type { HttpAdapter } from "../../src/testing/http-adapter.ts";
import { type LambdaHttpEvent, type LambdaHttpResponse, lambda } from "../../src/transports/functions/aws.ts";
import { azureFunction } from "../../src/transports/functions/azure.ts";
import { closeServer, serveOn } from "./http-sockets.ts";

/** Functions behind a server that makes their platform's events of requests, and responses of what they return. */

/** The suite asks what a request is told while another is at its work. */
const wait = "1ms";

async function serve(handle: (request: Request) => Promise<Response>) {
  const server = createServer(
    getRequestListener((request) => {
      const status = request.headers.get("x-guard");
      return status === null ? handle(request) : new Response("stop", { status: Number(status) });
    }),
  );
  return serveOn(server, () => closeServer(server));
}

export const azureAdapter: HttpAdapter = {
  name: "azure functions",
  bodyErrors: "problem",
  serve: ({ operation, carrier, principal, bodyLimitBytes }) => {
    const handle = azureFunction.http(operation, {
      ...(carrier as object),
      wait,
      endsWithin: "1m",
      bodyLimit: `${bodyLimitBytes}b`,
      input: ({ request }) => request.json() as Promise<unknown>,
      principal: principal === "everyone" ? principal : ({ request }) => request.headers.get("x-session") ?? "",
    });
    return serve(async (request) => {
      const given = new azure.HttpRequest({
        method: request.method,
        url: request.url,
        headers: Object.fromEntries(request.headers),
        body: { bytes: new Uint8Array(await request.arrayBuffer()) },
      });
      const context = new azure.InvocationContext({ functionName: "book", logHandler: () => {} });
      const answer: HttpResponseInit = await handle(given, context);
      const { status = 200, headers } = answer;
      return new Response(answer.body as BodyInit | null | undefined, { status, headers: headers as HeadersInit });
    });
  },
};

/** What each payload makes of a request. */
const payloads: Readonly<Record<string, (request: Request, body: Buffer) => LambdaHttpEvent>> = {
  "1.0": (request, body) => {
    const { pathname, searchParams, host } = new URL(request.url);
    return {
      httpMethod: request.method,
      path: pathname,
      headers: Object.fromEntries(request.headers),
      multiValueHeaders: Object.fromEntries([...request.headers].map(([name, value]) => [name, [value]])),
      multiValueQueryStringParameters: Object.fromEntries(
        [...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]),
      ),
      pathParameters: null,
      requestContext: { domainName: host } as APIGatewayProxyEvent["requestContext"],
      body: body.toString("utf8"),
      isBase64Encoded: false,
    } satisfies Partial<APIGatewayProxyEvent>;
  },
  "2.0": (request, body) => {
    const { pathname, search, host } = new URL(request.url);
    return {
      version: "2.0",
      rawPath: pathname,
      rawQueryString: search.slice(1),
      headers: Object.fromEntries(request.headers),
      requestContext: {
        domainName: host,
        http: { method: request.method, path: pathname, protocol: "HTTP/1.1", sourceIp: "", userAgent: "" },
      } as APIGatewayProxyEventV2["requestContext"],
      body: body.toString("base64"),
      isBase64Encoded: true,
    } satisfies Partial<APIGatewayProxyEventV2>;
  },
};

export const lambdaAdapters: readonly HttpAdapter[] = Object.entries(payloads).map(([version, eventOf]) => ({
  name: `lambda, payload ${version}`,
  bodyErrors: "problem",
  serve: ({ operation, carrier, principal, bodyLimitBytes }) => {
    const handle = lambda.http(operation, {
      ...(carrier as object),
      wait,
      bodyLimit: `${bodyLimitBytes}b`,
      input: ({ request }) => request.json() as Promise<unknown>,
      principal: principal === "everyone" ? principal : ({ request }) => request.headers.get("x-session") ?? "",
    });
    return serve(async (request) => {
      const event = eventOf(request, Buffer.from(await request.arrayBuffer()));
      const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
      const answer: LambdaHttpResponse = await handle(event, context);
      const { statusCode: status, headers, body, isBase64Encoded } = answer;
      const bytes = Buffer.from(body, isBase64Encoded ? "base64" : "utf8");
      return new Response(bytes.length === 0 ? null : bytes, { status, headers });
    });
  },
}));
