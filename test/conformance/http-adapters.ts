import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import type { HttpAdapter } from "../../src/testing/http-adapter.ts";
import { expressHandler } from "../../src/transports/http/express.ts";
import { fastifyHandler } from "../../src/transports/http/fastify.ts";
import { honoHandler } from "../../src/transports/http/hono.ts";
import { koaHandler } from "../../src/transports/http/koa.ts";
import { webHandler } from "../../src/transports/http/web.ts";
import { azureAdapter, lambdaAdapters } from "./function-adapters.ts";
import { closeServer, jsonReader, serveOn } from "./http-sockets.ts";
import { nestAdapter } from "./nest-adapter.ts";

/** Each adapter in its framework as an application would use it, with the framework's own guard before it. */

const webAdapter: HttpAdapter = {
  name: "web",
  bodyErrors: "problem",
  serve: async ({ operation, carrier, principal, bodyLimitBytes }) => {
    const handle = webHandler(operation, {
      ...carrier,
      bodyLimit: `${bodyLimitBytes}b`,
      input: (request) => request.json() as Promise<unknown>,
      principal: principal === "everyone" ? principal : (request) => request.headers.get("x-session") ?? "",
    });
    const server = createServer(
      getRequestListener((request) => {
        const status = request.headers.get("x-guard");
        return status === null ? handle(request) : new Response("stop", { status: Number(status) });
      }),
    );
    return serveOn(server, () => closeServer(server));
  },
};

const fastifyAdapter: HttpAdapter = {
  name: "fastify",
  bodyErrors: "framework",
  serve: async ({ operation, carrier, principal, bodyLimitBytes }) => {
    const app = fastify({ bodyLimit: bodyLimitBytes });
    app.addHook("preHandler", async (request, reply) => {
      const status = request.headers["x-guard"];
      if (status !== undefined) await reply.code(Number(status)).send("stop");
    });
    app.post(
      "/",
      fastifyHandler(operation, {
        ...carrier,
        input: (request) => request.body,
        principal: principal === "everyone" ? principal : (request) => String(request.headers["x-session"] ?? ""),
      }),
    );
    await app.ready();
    return serveOn(app.server, () => app.close());
  },
};

const expressAdapter: HttpAdapter = {
  name: "express",
  bodyErrors: "framework",
  serve: async ({ operation, carrier, principal, bodyLimitBytes }) => {
    const app = express();
    // its error handler writes to the console otherwise
    app.set("env", "test");
    app.use(express.json({ limit: bodyLimitBytes }), (request, response, next) => {
      const status = request.headers["x-guard"];
      if (status === undefined) next();
      else response.status(Number(status)).send("stop");
    });
    app.post(
      "/",
      expressHandler(operation, {
        ...carrier,
        input: (request) => request.body,
        principal: principal === "everyone" ? principal : (request) => String(request.headers["x-session"] ?? ""),
      }),
    );
    const server = createServer(app);
    return serveOn(server, () => closeServer(server));
  },
};

const koaAdapter: HttpAdapter = {
  name: "koa",
  bodyErrors: "framework",
  serve: async ({ operation, carrier, principal, bodyLimitBytes }) => {
    const app = new Koa();
    app.silent = true;
    const readJson = jsonReader(bodyLimitBytes);
    app.use(async (context, next) => {
      await readJson(context.req, context.res);
      const status = context.get("x-guard");
      if (status === "") return next();
      context.status = Number(status);
      context.body = "stop";
    });
    app.use(
      koaHandler(operation, {
        ...carrier,
        input: (context) => (context.req as unknown as { readonly body: unknown }).body,
        principal: principal === "everyone" ? principal : (context) => context.get("x-session"),
      }),
    );
    const server = createServer(app.callback());
    return serveOn(server, () => closeServer(server));
  },
};

const honoAdapter: HttpAdapter = {
  name: "hono",
  bodyErrors: "problem",
  serve: async ({ operation, carrier, principal, bodyLimitBytes }) => {
    const app = new Hono();
    app.use(async (context, next) => {
      const status = context.req.header("x-guard");
      return status === undefined ? next() : new Response("stop", { status: Number(status) });
    });
    app.post(
      "/",
      honoHandler(operation, {
        ...carrier,
        bodyLimit: `${bodyLimitBytes}b`,
        input: (context) => context.req.json(),
        principal: principal === "everyone" ? principal : (context) => context.req.header("x-session") ?? "",
      }),
    );
    const server = createServer(getRequestListener(app.fetch));
    return serveOn(server, () => closeServer(server));
  },
};

export const httpAdapters: readonly HttpAdapter[] = [
  webAdapter,
  fastifyAdapter,
  expressAdapter,
  koaAdapter,
  honoAdapter,
  nestAdapter("express", "method"),
  nestAdapter("express", "interceptor"),
  nestAdapter("fastify", "method"),
  nestAdapter("fastify", "interceptor"),
  azureAdapter,
  ...lambdaAdapters,
];
