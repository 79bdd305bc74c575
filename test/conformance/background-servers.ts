import "reflect-metadata";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { All, Controller, Module, Post, Req, Res } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import express, { type Request as ExpressRequest, type Response as ExpressResponse } from "express";
import fastify, { type FastifyRequest } from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import type { Carried } from "../../src/operation/carry.ts";
import type { AnyRefused } from "../../src/operation/outcome.ts";
import { expressHandler, expressStatus } from "../../src/transports/http/express.ts";
import { fastifyHandler, fastifyStatus } from "../../src/transports/http/fastify.ts";
import { honoHandler, honoStatus } from "../../src/transports/http/hono.ts";
import { koaHandler, koaStatus } from "../../src/transports/http/koa.ts";
import { nestHandler, nestStatus } from "../../src/transports/http/nest.ts";
import { webHandler, webStatus } from "../../src/transports/http/web.ts";

/** Each framework with one background operation at `POST /exports` and its status resource at `/exports/:id`. */

type Operation = Carried<unknown, unknown, AnyRefused>;
export interface BackgroundServer {
  readonly name: string;
  /** Who the header `x-session` names is the principal; what becomes of the value is `{ file }`. */
  readonly serve: (operation: Operation) => Promise<{ readonly url: string; readonly close: () => Promise<unknown> }>;
}

const status = (id: string) => `/exports/${id}`;
const result = (value: unknown) => ({ file: value });
const lastPart = (url: string) => new URL(url, "http://localhost").pathname.split("/").at(-1) ?? "";

async function listen(server: Server, close: () => Promise<unknown>) {
  if (!server.listening) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close };
}

function listenPlain(server: Server) {
  return listen(server, async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
}

const web: BackgroundServer = {
  name: "web",
  serve: async (operation) => {
    const principal = (request: Request) => request.headers.get("x-session") ?? "";
    const handle = webHandler(operation, { input: (request) => request.json(), principal, status });
    const tell = webStatus(operation, { id: (request) => lastPart(request.url), principal, result });
    return listenPlain(
      createServer(getRequestListener((request) => (request.method === "POST" ? handle(request) : tell(request)))),
    );
  },
};

const onFastify: BackgroundServer = {
  name: "fastify",
  serve: async (operation) => {
    const app = fastify();
    const principal = (request: FastifyRequest) => String(request.headers["x-session"] ?? "");
    app.post("/exports", fastifyHandler(operation, { input: (request) => request.body, principal, status }));
    app.route({
      method: ["GET", "HEAD", "DELETE", "PUT"],
      url: "/exports/:id",
      handler: fastifyStatus(operation, {
        id: (request: FastifyRequest<{ Params: { id: string } }>) => request.params.id,
        principal,
        result,
      }),
    });
    await app.listen({ host: "127.0.0.1", port: 0 });
    return listen(app.server, () => app.close());
  },
};

const sessionOf = (request: ExpressRequest) => String(request.headers["x-session"] ?? "");

const onExpress: BackgroundServer = {
  name: "express",
  serve: async (operation) => {
    const app = express();
    const carrier = { input: (request: ExpressRequest) => request.body as unknown, principal: sessionOf, status };
    app.post("/exports", express.json(), expressHandler(operation, carrier));
    app.all(
      "/exports/:id",
      expressStatus(operation, {
        id: (request: ExpressRequest) => String(request.params["id"]),
        principal: sessionOf,
        result,
      }),
    );
    return listenPlain(createServer(app));
  },
};

const onHono: BackgroundServer = {
  name: "hono",
  serve: async (operation) => {
    const app = new Hono();
    app.post(
      "/exports",
      honoHandler(operation, {
        input: (context) => context.req.json(),
        principal: (context) => context.req.header("x-session") ?? "",
        status,
      }),
    );
    app.all(
      "/exports/:id",
      honoStatus(operation, {
        id: (context) => lastPart(context.req.raw.url),
        principal: (context) => context.req.header("x-session") ?? "",
        result,
      }),
    );
    return listenPlain(createServer(getRequestListener(app.fetch)));
  },
};

const onKoa: BackgroundServer = {
  name: "koa",
  serve: async (operation) => {
    const app = new Koa();
    const handle = koaHandler(operation, {
      input: async (context) => {
        const chunks: Buffer[] = [];
        for await (const chunk of context.req as AsyncIterable<Buffer>) chunks.push(chunk);
        return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
      },
      principal: (context: Koa.Context) => context.get("x-session"),
      status,
    });
    const tell = koaStatus(operation, {
      id: (context: Koa.Context) => lastPart(context.url),
      principal: (context) => context.get("x-session"),
      result,
    });
    app.use((context) => (context.method === "POST" ? handle(context) : tell(context)));
    return listenPlain(createServer(app.callback()));
  },
};

const onNest: BackgroundServer = {
  name: "nest",
  serve: async (operation) => {
    const handle = nestHandler(operation, {
      input: (request: ExpressRequest) => request.body as unknown,
      principal: sessionOf,
      status,
    });
    const tell = nestStatus(operation, {
      id: (request: ExpressRequest) => String(request.params["id"]),
      principal: sessionOf,
      result,
    });
    class ExportsController {
      accept(request: ExpressRequest, response: ExpressResponse): Promise<void> {
        return handle(request, response);
      }
      tell(request: ExpressRequest, response: ExpressResponse): Promise<void> {
        return tell(request, response);
      }
    }
    Controller("exports")(ExportsController);
    const { prototype } = ExportsController;
    for (const [method, route] of [
      ["accept", Post()],
      ["tell", All(":id")],
    ] as const) {
      route(prototype, method, Object.getOwnPropertyDescriptor(prototype, method) as PropertyDescriptor);
      Req()(prototype, method, 0);
      Res()(prototype, method, 1);
    }
    class ExportsModule {}
    Module({ controllers: [ExportsController] })(ExportsModule);
    const app = await NestFactory.create<NestExpressApplication>(ExportsModule, { logger: false });
    await app.init();
    return listen(app.getHttpServer(), () => app.close());
  },
};

export const backgroundServers: readonly BackgroundServer[] = [web, onFastify, onExpress, onHono, onKoa, onNest];
