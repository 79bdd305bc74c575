import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { afterEach, expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import * as onExpress from "../../src/transports/http/express.ts";
import * as onFastify from "../../src/transports/http/fastify.ts";
import * as onHono from "../../src/transports/http/hono.ts";

/** Which routes of a real application are listed as undecided. */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function declare() {
  const reprise = createReprise({ service: "shop", owner: "team", undecided: "listed", ledger: memoryLedger() });
  closing.push(() => reprise.close());
  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<{ user: string }>(),
    principal: ({ user }) => user,
    identity: "callers-key",
    retention: "1d",
    effects: "external",
    run: async () => "done",
  });
  const routes = () =>
    reprise
      .decisions()
      .filter(({ kind }) => kind === "route")
      .map(({ name, undecided }) => {
        expect(undecided).toEqual(["owner", "ifRunsAgain"]);
        return name;
      });
  return { reprise, book, routes };
}
const carrier = { principal: () => "alice", input: () => ({ user: "alice" }) };
const guard = {
  name: "order.place",
  principal: () => "alice",
  retention: "1d",
  effects: "external",
  ifUnknown: "retry",
} as const;

test("Express: those that change something and are neither carried nor guarded, also in routers below", () => {
  const { reprise, book, routes } = declare();
  const app = express();
  onExpress.watchRoutes(app, reprise);
  const orders = express.Router();
  orders.post(
    "/",
    express.json(),
    onExpress.idempotent(reprise, guard, (_, response) => response.end()),
  );
  orders.patch("/:id", (_, response) => void response.end());
  app.use("/orders", orders);
  app.get("/seats", (_, response) => void response.end());
  app.post("/seats", onExpress.expressHandler(book, carrier));
  app
    .route("/sessions")
    .post((_, response) => void response.end())
    .delete((_, response) => void response.end());
  expect(routes()).toEqual(["PATCH /orders/:id", "POST /sessions", "DELETE /sessions"]);
});

test("Fastify: those that change something and are neither carried nor guarded, also in plugins", async () => {
  const { reprise, book, routes } = declare();
  const app = fastify();
  closing.push(() => app.close());
  onFastify.watchRoutes(app, reprise);
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
  await app.ready();
  expect(routes()).toEqual(["PATCH /orders/:id", "POST /sessions", "DELETE /sessions"]);
});

test("Hono: those that change something and are neither carried nor guarded, also in applications below", () => {
  const { reprise, book, routes } = declare();
  const app = new Hono();
  onHono.watchRoutes(app, reprise);
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
  expect(routes()).toEqual(["PATCH /orders/:id", "POST /sessions", "DELETE /sessions"]);
});

test("an instance that refuses what is undecided starts all the same: a route is the application's, no declaration", async () => {
  const reprise = createReprise({ service: "shop", owner: "team" });
  closing.push(() => reprise.close());
  const app = express();
  onExpress.watchRoutes(app, reprise);
  app.post("/orders", (_, response) => void response.end());
  await reprise.start();
  expect(reprise.decisions()).toMatchObject([{ kind: "route", name: "POST /orders" }]);
});
