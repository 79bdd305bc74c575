import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import Router from "@koa/router";
import { Controller, Delete, Get, Patch, Post, UseInterceptors } from "@nestjs/common";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import type { Carried } from "../../src/operation/carry.ts";
import * as onExpress from "../../src/transports/http/express.ts";
import * as onFastify from "../../src/transports/http/fastify.ts";
import * as onHono from "../../src/transports/http/hono.ts";
import * as onKoa from "../../src/transports/http/koa.ts";
import * as onNest from "../../src/transports/http/nest.ts";
import type { WatchOptions } from "../../src/transports/http/routes.ts";
import type { Guardable } from "./guards.ts";
import { closeServer } from "./http-sockets.ts";
import { createNest, decorate, type NestPlatform } from "./nest-applications.ts";

/**
 * The same routes in each framework, watched: POST /orders guarded, POST /seats an operation's, GET /seats, and without
 * either PATCH /orders/:id in a router below, POST and DELETE /sessions, and POST /login.
 */
export interface WatchedApplication {
  readonly name: string;
  readonly start: (given: {
    readonly reprise: Guardable;
    readonly book: Carried<{ readonly user: string }, string, never>;
    readonly options: WatchOptions;
  }) => Promise<{ readonly url: string; readonly close: () => Promise<unknown> }>;
}

const carrier = { principal: () => "alice", input: () => ({ user: "alice" }) };
const guard = {
  name: "order.place",
  principal: () => "alice",
  retention: "1d",
  effects: "external",
  ifUnknown: "retry",
} as const;

async function listening(server: Server, close = () => closeServer(server)) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await close();
    },
  };
}

const done = (_: unknown, response: express.Response) => void response.end();
const failed: express.ErrorRequestHandler = (_, __, response, ___) => void response.end();

const expressApplication: WatchedApplication = {
  name: "express",
  start: async ({ reprise, book, options }) => {
    const app = express();
    onExpress.watchRoutes(app, reprise, options);
    const orders = express.Router();
    orders.post("/", express.json(), onExpress.idempotent(reprise, guard, done));
    orders.patch("/:id", (_, __, next) => next(), done);
    app.use("/orders", orders);
    app.get("/seats", done);
    app.post("/seats", onExpress.expressHandler(book, carrier));
    app.route("/sessions").post(failed, done).delete(done);
    app.post("/login", done);
    return listening(createServer(app));
  },
};

const fastifyApplication: WatchedApplication = {
  name: "fastify",
  start: async ({ reprise, book, options }) => {
    const app = fastify();
    onFastify.watchRoutes(app, reprise, options);
    await app.register(
      async (orders) => {
        orders.post(
          "/",
          onFastify.idempotent(reprise, guard, async () => "done"),
        );
        orders.patch("/:id", async () => "done");
      },
      { prefix: "/orders" },
    );
    app.get("/seats", async () => "done");
    app.post("/seats", onFastify.fastifyHandler(book, carrier));
    app.route({ method: ["POST", "DELETE"], url: "/sessions", handler: async () => "done" });
    app.post("/login", async () => "done");
    return { url: await app.listen({ host: "127.0.0.1", port: 0 }), close: () => app.close() };
  },
};

const honoApplication: WatchedApplication = {
  name: "hono",
  start: async ({ reprise, book, options }) => {
    const app = new Hono();
    onHono.watchRoutes(app, reprise, options);
    const orders = new Hono();
    orders.onError((_, context) => context.text("no", 500));
    orders.post(
      "/",
      onHono.idempotent(reprise, guard, () => new Response("done")),
    );
    orders.patch("/:id", (context) => context.text("done"));
    app.use(async (_, next) => next());
    app.route("/orders", orders);
    app.get("/seats", (context) => context.text("done"));
    app.post("/seats", async (_, next) => next(), onHono.honoHandler(book, carrier));
    app.on(["POST", "DELETE"], "/sessions", (context) => context.text("done"));
    app.post("/login", (context) => context.text("done"));
    return listening(createServer(getRequestListener(app.fetch)));
  },
};

const koaApplication: WatchedApplication = {
  name: "koa",
  start: async ({ reprise, book, options }) => {
    const router = new Router();
    onKoa.watchRoutes(router, reprise, options);
    const answer = (context: Koa.Context) => {
      context.body = "done";
    };
    const orders = new Router();
    orders.param("id", (_, __, next) => next());
    orders.post("/", onKoa.idempotent(reprise, guard, answer));
    orders.patch("/:id", (_, next) => next(), answer);
    router.use("/orders", orders.routes());
    router.get("/seats", answer);
    router.post("/seats", onKoa.koaHandler(book, carrier));
    router.register("/sessions", ["POST", "DELETE"], [answer]);
    router.post("/login", answer);
    const app = new Koa();
    app.use(router.routes());
    return listening(createServer(app.callback()));
  },
};

const nestApplication = (platform: NestPlatform): WatchedApplication => ({
  name: `nest on ${platform}`,
  start: async ({ reprise, book, options }) => {
    class OrdersController {
      change(): string {
        return "done";
      }
      add(): string {
        return "done";
      }
    }
    Controller("orders")(OrdersController);
    decorate(OrdersController.prototype, "add", [Post(), UseInterceptors(onNest.idempotent(reprise, guard))]);
    decorate(OrdersController.prototype, "change", [Patch(":id")]);
    class ShopController {
      seats(): string {
        return "done";
      }
      book(): void {}
      open(): string {
        return "done";
      }
      end(): string {
        return "done";
      }
      login(): string {
        return "done";
      }
    }
    Controller()(ShopController);
    const shop = ShopController.prototype;
    decorate(shop, "seats", [Get("seats")]);
    decorate(shop, "book", [Post("seats"), UseInterceptors(onNest.nestHandler(book, carrier).interceptor)]);
    decorate(shop, "open", [Post("sessions")]);
    decorate(shop, "end", [Delete("sessions")]);
    decorate(shop, "login", [Post("login")]);
    const app = await createNest(platform, [OrdersController, ShopController]);
    onNest.watchRoutes(app, reprise, options);
    await app.listen(0, "127.0.0.1");
    const { port } = app.getHttpServer().address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, close: () => app.close() };
  },
});

export const watchedApplications: readonly WatchedApplication[] = [
  expressApplication,
  fastifyApplication,
  honoApplication,
  koaApplication,
  nestApplication("express"),
  nestApplication("fastify"),
];
