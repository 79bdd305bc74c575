import Router from "@koa/router";
import express from "express";
import { Hono } from "hono";
import { afterEach, describe, expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { readMetrics } from "../../src/observe/read.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import * as onExpress from "../../src/transports/http/express.ts";
import * as onHono from "../../src/transports/http/hono.ts";
import * as onKoa from "../../src/transports/http/koa.ts";
import { watchedApplications } from "./watched-applications.ts";

/** Which routes of a real application are listed as undecided, and how often they are asked. */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function declare() {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
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
  const routes = () => reprise.decisions().filter(({ kind }) => kind === "route");
  const undecided = () =>
    routes()
      .filter(({ undecided }) => undecided.includes("ifRunsAgain"))
      .map(({ name, requests }) => [name, requests]);
  return { reprise, book, routes, undecided };
}

const harmless = "a second session does no harm";
const options = { decided: { "POST /login": harmless } };

describe.each(watchedApplications)("the routes of an application of $name", ({ start }) => {
  test("are listed if they change something and are neither carried nor guarded, also below", async () => {
    const { reprise, book, undecided } = declare();
    const { close } = await start({ reprise, book, options: {} });
    closing.push(close);
    const names = undecided().map(([name]) => name);
    expect(new Set(names)).toEqual(new Set(["PATCH /orders/:id", "POST /sessions", "DELETE /sessions", "POST /login"]));
    expect(names.length).toBe(4);
  });

  test("count their requests from the first one on, by pattern and never by path", async () => {
    const { reprise, book, routes, undecided } = declare();
    const { url, close } = await start({ reprise, book, options });
    closing.push(close);
    const ask = async (method: string, path: string, headers = {}) => {
      const answer = await fetch(`${url}${path}`, { method, headers });
      await answer.text();
      return answer.status;
    };
    expect(await ask("PATCH", "/orders/4711")).toBeLessThan(300);
    await ask("PATCH", "/orders/4712");
    await ask("POST", "/sessions");
    await ask("POST", "/login");
    await ask("GET", "/seats");
    expect(await ask("POST", "/orders", { "idempotency-key": '"k1"' })).toBeLessThan(300);
    expect(await ask("POST", "/seats", { "idempotency-key": '"k1"' })).toBe(200);
    expect(new Map(undecided() as [string, number][])).toEqual(
      new Map([
        ["PATCH /orders/:id", 2],
        ["POST /sessions", 1],
        ["DELETE /sessions", 0],
      ]),
    );
    expect(JSON.stringify(routes())).not.toContain("471");
    // what all instances count together
    const { routes: counted } = await readMetrics(reprise["~inside"], { range: "15m" });
    expect(counted).toEqual([
      { name: "PATCH /orders/:id", requests: 2 },
      { name: "POST /sessions", requests: 1 },
    ]);
    await ask("DELETE", "/sessions");
    expect(undecided()).toContainEqual(["DELETE /sessions", 1]);
    expect(undecided()).toContainEqual(["POST /sessions", 1]);
  });

  test("may be decided on purpose, and the reason is kept", async () => {
    const { reprise, book, routes } = declare();
    const { close } = await start({ reprise, book, options });
    closing.push(close);
    expect(routes().find(({ name }) => name === "POST /login")).toMatchObject({
      answers: { ifRunsAgain: { is: "declared", value: harmless } },
      undecided: ["owner"],
    });
  });
});

test("a decision about a route needs a method that changes something, a pattern and a reason", () => {
  const { reprise } = declare();
  for (const decided of [{ "POST /login": " " }, { "/login": harmless }, { "GET /seats": harmless }, { POST: "x" }]) {
    expect(() => onExpress.watchRoutes(express(), reprise, { decided })).toThrow("it is no decision");
  }
});

test("a route that somebody decided is its instance's owner's", () => {
  const reprise = createReprise({ service: "shop", owner: "team" });
  closing.push(() => reprise.close());
  const app = express();
  onExpress.watchRoutes(app, reprise, options);
  app.post("/login", (_, response) => void response.end());
  expect(reprise.decisions()).toMatchObject([{ name: "POST /login", owner: "team", undecided: [] }]);
});

test("Hono: routes that were added before cannot be counted, and are refused", () => {
  const { reprise } = declare();
  const app = new Hono();
  app.get("/seats", (context) => context.text("done"));
  onHono.watchRoutes(app, reprise);
  app.post("/sessions", (context) => context.text("done"));
  expect(() => onHono.watchRoutes(app, reprise)).toThrow("POST /sessions");
});

test("Express and Koa: routes may stand before they are watched", () => {
  const { reprise, undecided } = declare();
  const app = express();
  app.post("/a", (_, response) => void response.end());
  onExpress.watchRoutes(app, reprise);
  const router = new Router();
  router.post("/b", () => {});
  onKoa.watchRoutes(router, reprise);
  expect(undecided()).toEqual([
    ["POST /a", 0],
    ["POST /b", 0],
  ]);
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
