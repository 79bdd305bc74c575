import azure, { type HttpHandler, type HttpResponseInit } from "@azure/functions";
import type {
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2WithJWTAuthorizer,
  APIGatewayProxyHandler,
  APIGatewayProxyStructuredResultV2,
  Context,
  Handler,
} from "aws-lambda";
import { describe, expect, test } from "vitest";
import { type FunctionRequest, lambda } from "../../src/transports/functions/aws.ts";
import { azureFunction } from "../../src/transports/functions/azure.ts";
import { gate, type Seat, seat, stand } from "./functions-stand.ts";

const contextOf = (leftMs = 60_000) => ({ getRemainingTimeInMillis: () => leftMs }) as Context;
const input = ({ request }: FunctionRequest<unknown>) => request.json() as Promise<Seat>;
const key = { header: "optional" } as const;

const eventOf = (body: unknown, rest: object = {}) =>
  ({
    httpMethod: "POST",
    path: "/seats/w1",
    headers: {},
    body: JSON.stringify(body),
    isBase64Encoded: false,
    requestContext: {},
    ...rest,
  }) as unknown as APIGatewayProxyEvent;

describe("a function that is called over HTTP", () => {
  test("of Lambda answers a request that waits for another one's run as that one is answered", async () => {
    const { book, runs, running } = stand();
    const { opened, open } = gate();
    const begun = gate();
    running(async () => {
      begun.open();
      await opened;
      return { place: 1 };
    });
    const handler: APIGatewayProxyHandler = lambda.http(book, { principal: "everyone", key, input });
    const call = () => handler(eventOf(seat("a")), contextOf(), () => {});
    const first = call();
    await begun.opened;
    const second = call();
    open();
    const [one, other] = await Promise.all([first, second]);
    expect(one).toMatchObject({
      statusCode: 200,
      body: '{"place":1}',
      headers: { "content-type": "application/json" },
    });
    expect(other).toMatchObject({ statusCode: 200, body: '{"place":1}', headers: { "idempotency-replayed": "true" } });
    expect(runs).toEqual(["a"]);
  });

  test("answers 409 with Retry-After where the time is up first, its own run's or another's", async () => {
    const { book, running } = stand();
    const { opened, open } = gate();
    running(() => opened);
    const handler = lambda.http(book, { principal: "everyone", key, input });
    const answers = await Promise.all([1, 2].map(() => handler(eventOf(seat("a")), contextOf(1_700))));
    for (const answer of answers) {
      expect(answer).toMatchObject({ statusCode: 409, headers: { "retry-after": "1" } });
      expect(JSON.parse(answer.body)).toMatchObject({ code: "REPRISE_RUNNING" });
    }
    open();
  });

  test("answers 503 where the store says nothing until the time is up: nobody knows of any work", async () => {
    const { book, faulty, runs } = stand();
    const gate = faulty.block("claim");
    const handler = lambda.http(book, { principal: "everyone", key, input });
    const answer = await handler(eventOf(seat("a")), contextOf(1_600));
    expect(answer).toMatchObject({ statusCode: 503 });
    expect(JSON.parse(answer.body)).toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
    gate.open();
    expect(runs).toEqual([]);
  });

  test("answers 503 at once where too little time is left to begin with", async () => {
    const { book, reads } = stand();
    const handler = lambda.http(book, { principal: "everyone", key, input });
    const answer = await handler(eventOf(seat("a")), contextOf(900));
    expect(answer).toMatchObject({ statusCode: 503 });
    expect(JSON.parse(answer.body)).toMatchObject({ code: "REPRISE_NOT_BEGUN" });
    expect(reads()).toBe(0);
  });

  test("of Lambda hands over route, query, cookies, bytes and what the authorizer says", async () => {
    const { book } = stand();
    const given: unknown[] = [];
    const handler: Handler<APIGatewayProxyEventV2WithJWTAuthorizer, APIGatewayProxyStructuredResultV2> = lambda.http(
      book,
      {
        key,
        principal: "everyone",
        input: async ({ request, params, event }) => {
          const { authorizer } = event.requestContext;
          given.push(request.url, params["workshop"], request.headers.get("cookie"), authorizer);
          return (await request.json()) as Seat;
        },
      },
    );
    const event = {
      version: "2.0",
      rawPath: "/seats/w 1".replace(" ", "%20"),
      rawQueryString: "a=1&a=2",
      cookies: ["x=1", "y=2"],
      headers: { "content-type": "application/json" },
      pathParameters: { workshop: "w 1" },
      requestContext: {
        domainName: "api.example.com",
        http: { method: "POST" },
        authorizer: { jwt: { claims: { sub: "ada" } } },
      },
      body: Buffer.from(JSON.stringify(seat("ä"))).toString("base64"),
      isBase64Encoded: true,
    } as unknown as APIGatewayProxyEventV2WithJWTAuthorizer;
    const answer = await handler(event, contextOf(), () => {});
    expect(answer).toMatchObject({ statusCode: 200 });
    expect(given).toEqual([
      "https://api.example.com/seats/w%201?a=1&a=2",
      "w 1",
      "x=1; y=2",
      { jwt: { claims: { sub: "ada" } } },
    ]);
  });

  test("of Lambda answers bytes in base64, and two lines of a key are no key", async () => {
    const { book } = stand();
    const handler = lambda.http(book, {
      principal: "everyone",
      key,
      input,
      reply: () => ({ body: new Uint8Array([0, 255]) }),
    });
    expect(await handler(eventOf(seat("a")), contextOf())).toMatchObject({ body: "AP8=", isBase64Encoded: true });
    const twoLines = { multiValueHeaders: { "Idempotency-Key": ["k1", "k2"] } };
    expect(await handler(eventOf(seat("b"), twoLines), contextOf())).toMatchObject({ statusCode: 400 });
  });

  test("of Lambda hands over a query as it was sent, of a load balancer, which decodes nothing, and of a gateway, which does", async () => {
    const urls: string[] = [];
    const handler = lambda.http(stand().book, {
      principal: "everyone",
      key,
      input: ({ request }) => {
        urls.push(new URL(request.url).searchParams.toString());
        return request.json() as Promise<Seat>;
      },
    });
    const elb = { targetGroupArn: "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/seats/1" };
    const events = [
      { queryStringParameters: { "q%5B%5D": "a%20b%26c" }, requestContext: { elb } },
      { multiValueQueryStringParameters: { "q[]": ["a b&c"] } },
    ];
    for (const rest of events) await handler(eventOf(seat("a"), rest), contextOf());
    expect(urls).toEqual(["q%5B%5D=a+b%26c", "q%5B%5D=a+b%26c"]);
  });

  test.each([
    ["a header that HTTP cannot hold", { headers: { "x-name": "名前" } }],
    ["the name of one that is none", { multiValueHeaders: { "x name": ["a"] } }],
    ["a method that is nobody's to answer", { httpMethod: "TRACE" }],
  ])("of Lambda answers 400 to %s, runs nothing and does not reject", async (_, rest) => {
    const { book, runs } = stand();
    const handler = lambda.http(book, { principal: "everyone", key, input });
    const answer = await handler(eventOf(seat("a"), rest), contextOf());
    expect(answer).toMatchObject({ statusCode: 400, headers: { "content-type": "application/problem+json" } });
    expect(JSON.parse(answer.body)).toMatchObject({ code: "REPRISE_INPUT_INVALID" });
    expect(answer.body).not.toContain("名前");
    expect(runs).toEqual([]);
  });

  test("of Azure hands over the route and who is signed in, and logs through its context what its caller is not told", async () => {
    const { book, running } = stand();
    const told: unknown[] = [];
    const handler: HttpHandler = azureFunction.http(book, {
      endsWithin: "5m",
      key,
      principal: ({ event }) => event.user?.id ?? "nobody",
      input: async ({ request, params }) => ({
        ...((await request.json()) as Seat),
        reference: params["reference"] ?? "",
      }),
    });
    const call = () =>
      handler(
        new azure.HttpRequest({
          method: "POST",
          url: "https://seats.example.com/api/seats/r1",
          params: { reference: "r1" },
          body: { string: JSON.stringify(seat("")) },
        }),
        new azure.InvocationContext({ functionName: "book", logHandler: (level) => told.push(level) }),
      ) as Promise<HttpResponseInit>;
    running(() => Promise.reject(new Error("gateway away")));
    expect(await call()).toMatchObject({ status: 500 });
    expect(told).toEqual(["error"]);
    running(async () => ({ place: 1 }));
    expect(await call()).toMatchObject({ status: 200, body: '{"place":1}' });
    expect(await book.find(seat("r1"))).toMatchObject({ status: "done" });
  });
});
