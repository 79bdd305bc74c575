import { once } from "node:events";
import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import fastify from "fastify";
import type { HttpAdapter, SuiteAnswer, SuiteRequest } from "../../src/testing/http-adapter.ts";
import { fastifyHandler } from "../../src/transports/http/fastify.ts";
import { webHandler } from "../../src/transports/http/web.ts";

export const webAdapter: HttpAdapter = {
  name: "web",
  bodyErrors: "problem",
  serve: async ({ operation, carrier, principal, bodyLimitBytes }) => {
    const handle = webHandler(operation, {
      ...carrier,
      bodyLimit: `${bodyLimitBytes}b`,
      input: (request) => request.json() as Promise<unknown>,
      principal: principal === "everyone" ? principal : (request) => request.headers.get("x-session") ?? "",
    });
    return {
      send: async ({ headers, body, signal = null }) => {
        const sent = new Headers();
        for (const [name, value] of headers) sent.append(name, value);
        const answered = handle(new Request("http://localhost/", { method: "POST", headers: sent, body, signal }));
        const response = await (signal === null ? answered : Promise.race([answered, aborted(signal)]));
        return {
          status: response.status,
          headers: response.headers,
          body: new Uint8Array(await response.arrayBuffer()),
        };
      },
      close: async () => {},
    };
  },
};

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

/** A real server and real sockets. */
export const fastifyAdapter: HttpAdapter = {
  name: "fastify",
  bodyErrors: "framework",
  serve: async ({ operation, carrier, principal, bodyLimitBytes }) => {
    const app = fastify({ bodyLimit: bodyLimitBytes });
    const left = { noticed: () => {} };
    app.addHook("onRequest", async (_, reply) => {
      reply.raw.once("close", () => {
        if (!reply.raw.writableFinished) left.noticed();
      });
    });
    app.post(
      "/",
      fastifyHandler(operation, {
        ...carrier,
        input: (request) => request.body,
        principal: principal === "everyone" ? principal : (request) => String(request.headers["x-session"] ?? ""),
      }),
    );
    await app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = app.server.address() as AddressInfo;
    return {
      send: async (request) => {
        const { signal } = request;
        if (signal === undefined) return post(port, request);
        const noticed = new Promise<void>((resolve) => {
          left.noticed = resolve;
        });
        return post(port, request).catch(async (error: unknown) => {
          await noticed;
          throw error;
        });
      },
      close: () => app.close(),
    };
  },
};

async function post(port: number, { headers, body, signal }: SuiteRequest): Promise<SuiteAnswer> {
  const lines = new Map<string, string[]>();
  for (const [name, value] of headers) lines.set(name, [...(lines.get(name) ?? []), value]);
  const outgoing = httpRequest({ host: "127.0.0.1", port, path: "/", method: "POST", agent: false, signal });
  for (const [name, values] of lines) outgoing.setHeader(name, values);
  outgoing.end(body);
  const [response] = await once(outgoing, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const received = new Headers();
  for (const [name, value] of Object.entries(response.headers)) {
    for (const line of [value].flat()) received.append(name, String(line));
  }
  return { status: response.statusCode, headers: received, body: new Uint8Array(Buffer.concat(chunks)) };
}
