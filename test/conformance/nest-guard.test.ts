import type { ServerResponse } from "node:http";
import {
  BadRequestException,
  type CallHandler,
  Header,
  HttpCode,
  type NestInterceptor,
  Post,
  UseInterceptors,
} from "@nestjs/common";
import type { FastifyInstance } from "fastify";
import { map } from "rxjs";
import { afterEach, describe, expect, test } from "vitest";
import { createReprise } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { idempotent } from "../../src/transports/http/nest.ts";
import { controllerOf, createNest, type NestPlatform, serveNest } from "./nest-applications.ts";

/** What only Nest has between a method and its answer. */

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** As a serializer does that leaves out what a class marks. */
const withoutPassword: NestInterceptor = {
  intercept: (_, next: CallHandler) =>
    next.handle().pipe(map((user) => (user instanceof User ? { name: user.name } : user))),
};
class User {
  readonly name = "ann";
  readonly password = "4711";
}

function guarding() {
  const ledger = memoryLedger();
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger });
  closing.push(() => reprise.close());
  const guard = idempotent(reprise, {
    name: "user.add",
    principal: () => "alice",
    retention: "1d",
    effects: "external",
    ifUnknown: "retry",
  });
  return { guard };
}

describe.each(["express", "fastify"] as const)("a guarded method on %s", (platform: NestPlatform) => {
  const start = async (
    handle: (request: unknown, response: unknown) => unknown,
    decorators: readonly MethodDecorator[],
  ) => {
    const app = await createNest(platform, [controllerOf(handle, [Post(), ...decorators], true)]);
    app.useGlobalInterceptors(withoutPassword);
    // what a platform's own plugins set, before Nest
    if (platform === "fastify") {
      (app.getHttpAdapter().getInstance() as FastifyInstance).addHook("onRequest", async (_, reply) => {
        reply.header("access-control-allow-origin", "https://a.example");
      });
    } else app.enableCors({ origin: "https://a.example" });
    const server = await serveNest(app);
    closing.push(server.close);
    /** As a log of requests reads it. */
    const logged: unknown[] = [];
    app.getHttpServer().on("request", (_, response: ServerResponse) => {
      response.once("finish", () => logged.push([response.headersSent, response.statusCode]));
    });
    const post = async () => {
      const answer = await server.send({
        headers: [
          ["content-type", "application/json"],
          ["idempotency-key", '"k1"'],
        ],
        body: "{}",
      });
      return {
        status: answer.status,
        text: Buffer.from(answer.body).toString(),
        type: answer.headers.get("content-type"),
        origin: answer.headers.get("access-control-allow-origin"),
        replayed: answer.headers.get("idempotency-replayed") === "true",
      };
    };
    return Object.assign(post, { logged });
  };

  test("is repeated as the interceptors around it left it: what they leave out is not kept", async () => {
    const { guard } = guarding();
    let calls = 0;
    const post = await start(() => {
      calls += 1;
      return new User();
    }, [UseInterceptors(guard)]);
    const first = await post();
    expect(first).toMatchObject({ status: 201, text: '{"name":"ann"}', origin: "https://a.example", replayed: false });
    expect(await post()).toEqual({ ...first, replayed: true });
    expect(calls).toBe(1);
  });

  test("keeps the status that its decorator gives", async () => {
    const { guard } = guarding();
    const post = await start(() => "done", [UseInterceptors(guard), HttpCode(202)]);
    const first = await post();
    expect(first).toMatchObject({ status: 202, text: "done", replayed: false });
    expect(await post()).toEqual({ ...first, replayed: true });
  });

  test("keeps the type that its decorator gives", async () => {
    const { guard } = guarding();
    const post = await start(() => "a,b", [UseInterceptors(guard), Header("content-type", "text/csv")]);
    const first = await post();
    expect(first).toMatchObject({ text: "a,b", type: expect.stringMatching(/^text\/csv/), replayed: false });
    expect(await post()).toEqual({ ...first, replayed: true });
  });

  test("keeps nothing of what it throws: Nest's own filters answer, each time", async () => {
    const { guard } = guarding();
    let calls = 0;
    const post = await start(() => {
      calls += 1;
      throw new BadRequestException("no name");
    }, [UseInterceptors(guard)]);
    for (const answer of [await post(), await post()]) {
      expect(answer).toMatchObject({ status: 400, replayed: false, origin: "https://a.example" });
      expect(JSON.parse(answer.text)).toMatchObject({ message: "no name" });
    }
    expect(calls).toBe(2);
  });

  test("is logged with the status that was sent, the first time and again", async () => {
    const { guard } = guarding();
    const post = await start(() => "done", [UseInterceptors(guard), HttpCode(202)]);
    await post();
    await post();
    expect(post.logged).toEqual([
      [true, 202],
      [true, 202],
    ]);
  });

  test("is told by its guard alone what it is offered", async () => {
    const { guard } = guarding();
    const request = { method: "POST", url: "/", rawHeaders: [], headers: {}, params: {} };
    expect(() => guard.offered(request)).toThrow("@UseInterceptors(guard)");
  });
});
