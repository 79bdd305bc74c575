import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import fastify from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { type WebRouteContext, webRoute } from "../../src/transports/http/fastify.ts";

const open: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

async function serve(handler: (request: Request, context: WebRouteContext) => Response | Promise<Response>) {
  const app = fastify({ forceCloseConnections: true });
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_, body, done) => done(null, body));
  app.all("/*", webRoute(handler));
  await app.listen({ host: "127.0.0.1", port: 0 });
  open.push(app);
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

describe("a web handler on a Fastify route", () => {
  test("gets the method, the address, the headers and the body of the request", async () => {
    const at = await serve(async (request) =>
      Response.json([request.method, request.url, request.headers.get("x-a"), await request.text()]),
    );
    const post = (type: string, body: string) =>
      fetch(`${at}/a/b?c=d`, { method: "POST", headers: { "content-type": type, "x-a": "1" }, body });
    expect(await (await post("application/json", '{"e":[1]}')).json()).toEqual([
      "POST",
      `${at}/a/b?c=d`,
      "1",
      '{"e":[1]}',
    ]);
    expect((await (await post("text/plain", "text")).json())[3]).toBe("text");
    expect((await (await post("application/octet-stream", "bytes")).json())[3]).toBe("bytes");
    expect((await (await fetch(at, { method: "POST" })).json())[3]).toBe("");
  });

  test("answers with its status, headers, every cookie and its body, or none", async () => {
    const at = await serve((request) => {
      if (request.method === "DELETE") return new Response(null, { status: 204 });
      const headers = new Headers({ "content-type": "text/html", etag: '"1"' });
      headers.append("set-cookie", "a=1");
      headers.append("set-cookie", "b=2");
      return new Response("<p>", { status: 201, headers });
    });
    const answer = await fetch(at);
    expect([answer.status, answer.headers.get("etag"), await answer.text()]).toEqual([201, '"1"', "<p>"]);
    expect(answer.headers.get("content-type")).toBe("text/html");
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect((await fetch(at, { method: "DELETE" })).status).toBe(204);
  });

  test("what it throws is answered by Fastify", async () => {
    const at = await serve(() => {
      throw new Error("no");
    });
    expect((await fetch(at)).status).toBe(500);
  });

  test("streams each event when it comes, and is told when the client hangs up", async () => {
    let events: ReadableStreamDefaultController<Uint8Array> | undefined;
    let cancelled = () => {};
    const hungUp = new Promise<void>((resolve) => {
      cancelled = resolve;
    });
    const send = (text: string) => events?.enqueue(new TextEncoder().encode(text));
    const at = await serve(() => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          events = controller;
          send("data: 1\n\n");
        },
        cancel: () => cancelled(),
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    const outgoing = httpRequest(at, { agent: false }).end();
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    const next = async () => String((await once(incoming, "data"))[0]);
    expect(await next()).toBe("data: 1\n\n");
    const second = next();
    send("data: 2\n\n");
    expect(await second).toBe("data: 2\n\n");
    outgoing.destroy();
    await hungUp;
  });

  test("answers HEAD without a body, and leaves no stream open behind it", async () => {
    let cancelled = false;
    const at = await serve(
      () =>
        new Response(
          new ReadableStream({
            cancel: () => {
              cancelled = true;
            },
          }),
          { headers: { "content-type": "text/event-stream" } },
        ),
    );
    const answer = await fetch(at, { method: "HEAD" });
    expect([answer.status, cancelled]).toEqual([200, true]);
  });

  test("knows the address of who connected, unless a proxy stands between", async () => {
    const at = await serve((_, context) => Response.json(context));
    expect(await (await fetch(at)).json()).toEqual({ remoteAddress: "127.0.0.1" });
    for (const name of ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]) {
      expect(await (await fetch(at, { headers: { [name]: "127.0.0.1" } })).json()).toEqual({});
    }
  });

  test("has an address of its own making when the request's is none", async () => {
    const at = await serve((request) => new Response(request.url));
    const outgoing = httpRequest(at, { agent: false, headers: { host: "a b" } }).end();
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    expect(String(Buffer.concat(chunks))).toBe("http://localhost/");
  });
});
