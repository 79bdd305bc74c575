import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import type { Reprise } from "../../src/index.ts";
import type { MemoryTransaction } from "../../src/stores/memory/index.ts";
import type { HttpServer } from "../../src/testing/http-adapter.ts";
import { idempotent as idempotentExpress } from "../../src/transports/http/express.ts";
import { idempotent as idempotentFastify } from "../../src/transports/http/fastify.ts";
import { idempotent as idempotentHono } from "../../src/transports/http/hono.ts";
import { idempotent as idempotentKoa } from "../../src/transports/http/koa.ts";
import { idempotent as idempotentWeb } from "../../src/transports/http/web.ts";
import { closeServer, jsonReader, serveOn } from "./http-sockets.ts";
import { nestGuard } from "./nest-guard.ts";

/** The same handler in the words of each framework, behind its guard and on a listening server. */

export interface Shown {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | object;
}
export type Act = (given: {
  readonly item: string;
  readonly tx: MemoryTransaction | undefined;
  readonly signal: AbortSignal;
}) => Promise<Shown>;

export type Guardable = Reprise<{
  dimension: never;
  personal: never;
  owner: undefined;
  undecided: "listed";
  ledger: true;
  tx: MemoryTransaction;
}>;

type Way = { readonly effects: "database" } | { readonly effects: "external"; readonly ifUnknown: "retry" | "park" };
export type Guard = Way & {
  readonly name: string;
  readonly retention: "1d";
  readonly answerLimit?: "1kb";
  readonly failed?: (error: Error) => void;
};

export interface GuardAdapter {
  readonly name: string;
  readonly serve: (reprise: Guardable, guard: Guard, act: Act) => Promise<HttpServer>;
}

/** One guard of each kind: what is offered is typed by `effects`, and a test wants both. */
export type AnyGuard = Guard & { readonly effects: "database"; readonly ifUnknown?: undefined };

const web: GuardAdapter = {
  name: "web",
  serve: async (reprise, guard, act) => {
    const handle = idempotentWeb(
      reprise,
      { ...(guard as AnyGuard), principal: (request: Request) => request.headers.get("x-session") ?? "" },
      async (request, { tx, signal }) => {
        const { item } = (await request.json()) as { item: string };
        const { status = 200, headers = {}, body } = await act({ item, tx, signal });
        if (typeof body !== "object" || body instanceof Uint8Array || body instanceof ReadableStream) {
          return new Response((body ?? null) as BodyInit | null, { status, headers });
        }
        return Response.json(body, { status, headers });
      },
    );
    const server = createServer(
      getRequestListener((request) => handle(request).catch(() => new Response("thrown", { status: 418 }))),
    );
    return serveOn(server, () => closeServer(server));
  },
};

const hono: GuardAdapter = {
  name: "hono",
  serve: async (reprise, guard, act) => {
    const app = new Hono();
    app.onError((_, context) => context.text("thrown", 418));
    app.post(
      "/",
      idempotentHono(
        reprise,
        { ...(guard as AnyGuard), principal: (context) => context.req.header("x-session") ?? "" },
        async (context, { tx, signal }) => {
          const { item } = (await context.req.json()) as { item: string };
          const { status = 200, headers = {}, body } = await act({ item, tx, signal });
          if (typeof body !== "object" || body instanceof Uint8Array || body instanceof ReadableStream) {
            return new Response((body ?? null) as BodyInit | null, { status, headers });
          }
          return Response.json(body, { status, headers });
        },
      ),
    );
    const server = createServer(getRequestListener(app.fetch));
    return serveOn(server, () => closeServer(server));
  },
};

const fastifyGuard: GuardAdapter = {
  name: "fastify",
  serve: async (reprise, guard, act) => {
    const app = fastify();
    app.setErrorHandler((_, __, reply) => reply.code(418).send("thrown"));
    app.post(
      "/",
      idempotentFastify(
        reprise,
        { ...(guard as AnyGuard), principal: (request) => String(request.headers["x-session"] ?? "") },
        async (request, reply, { tx, signal }) => {
          const { item } = request.body as { item: string };
          const { status = 200, headers = {}, body } = await act({ item, tx, signal });
          reply.code(status);
          for (const [name, value] of Object.entries(headers)) reply.header(name, value);
          // either way of answering
          if (status === 200) return body;
          reply.send(body);
          return reply;
        },
      ),
    );
    await app.ready();
    return serveOn(app.server, () => app.close());
  },
};

const expressGuard: GuardAdapter = {
  name: "express",
  serve: async (reprise, guard, act) => {
    const app = express();
    app.use(express.json());
    app.post(
      "/",
      idempotentExpress(
        reprise,
        { ...(guard as AnyGuard), principal: (request: express.Request) => request.get("x-session") ?? "" },
        async (request, response: express.Response, _, { tx, signal }) => {
          const { item } = request.body as { item: string };
          const { status = 200, headers = {}, body } = await act({ item, tx, signal });
          response.status(status).set(headers);
          if (body instanceof ReadableStream) for await (const chunk of body) response.write(chunk);
          if (body === undefined || body instanceof ReadableStream) response.end();
          else if (body instanceof Uint8Array) response.end(body);
          else response.send(body);
        },
      ),
    );
    app.use(((_, __, response, ___) => {
      response.status(418).send("thrown");
    }) satisfies express.ErrorRequestHandler);
    const server = createServer(app);
    return serveOn(server, () => closeServer(server));
  },
};

const koaGuard: GuardAdapter = {
  name: "koa",
  serve: async (reprise, guard, act) => {
    const app = new Koa();
    app.silent = true;
    const readJson = jsonReader(2_048);
    app.use(async (context, next) => {
      // an earlier middleware that reads and sets cookies, and answers for what is thrown
      context.cookies.get("a");
      await readJson(context.req, context.res);
      await next().catch(() => {
        context.status = 418;
        context.body = "thrown";
      });
    });
    app.use(
      idempotentKoa(
        reprise,
        { ...(guard as AnyGuard), principal: (context: Koa.Context) => context.get("x-session") },
        async (context, { tx, signal }) => {
          const { item } = (context.req as unknown as { readonly body: { readonly item: string } }).body;
          const { status = 200, headers = {}, body } = await act({ item, tx, signal });
          const { "set-cookie": cookie, ...others } = headers;
          if (cookie !== undefined) context.cookies.set("a", "b");
          context.set(others);
          context.body = body instanceof Uint8Array ? Buffer.from(body) : (body ?? null);
          // after the body: without one, Koa says 204
          context.status = status;
        },
      ),
    );
    const server = createServer(app.callback());
    return serveOn(server, () => closeServer(server));
  },
};

export const guards: readonly GuardAdapter[] = [
  web,
  hono,
  fastifyGuard,
  expressGuard,
  koaGuard,
  nestGuard("express"),
  nestGuard("fastify"),
];
