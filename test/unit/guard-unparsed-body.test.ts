import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import Koa from "koa";
import { expect, test } from "vitest";
import { createReprise } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { idempotent as guardExpress } from "../../src/transports/http/express.ts";
import { idempotent as guardKoa } from "../../src/transports/http/koa.ts";

const guard = { name: "orders", principal: "everyone", retention: "1d", effects: "database" } as const;

function createHandlers(called: () => void): Readonly<Record<string, RequestListener>> {
  const reprise = () => createReprise({ service: "guards", undecided: "listed", ledger: memoryLedger() });
  const app = express();
  app.post(
    "/",
    guardExpress(reprise(), guard, (_, response: express.Response) => {
      called();
      response.status(201).end();
    }),
  );
  app.use(((_, __, response, ___) => {
    response.status(500).end();
  }) satisfies express.ErrorRequestHandler);
  const koa = new Koa();
  koa.silent = true;
  koa.use(
    guardKoa(reprise(), guard, (context) => {
      called();
      context.status = 201;
    }),
  );
  return { express: app as RequestListener, koa: koa.callback() };
}

test.each(["express", "koa"])(
  "%s: a guard refuses a body that nobody has parsed, and takes none for none",
  async (name) => {
    let calls = 0;
    const server = createServer(
      createHandlers(() => {
        calls += 1;
      })[name],
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const post = async (body?: string) => {
      const headers = { "idempotency-key": `"${body === undefined ? "without" : "with"}"` };
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        method: "POST",
        headers,
        ...(body === undefined ? {} : { body }),
      });
      return answer.status;
    };
    expect(await post('{"amount":1}')).toBe(500);
    expect(calls).toBe(0);
    expect([await post(), await post()]).toEqual([201, 201]);
    expect(calls).toBe(1);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  },
);
