import "reflect-metadata";
import type { Server } from "node:http";
import { Controller, type INestApplication, Module, Req, Res } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import type { Request, Response } from "express";
import type { HttpServer } from "../../src/testing/http-adapter.ts";
import { serveOn } from "./http-sockets.ts";

/** NestJS applications of one controller, on either platform. */

export type NestPlatform = "express" | "fastify";

/** Decorators as functions: the sources run as they stand, and Node strips types only. */
export function decorate(target: object, method: string, decorators: readonly MethodDecorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, method);
  if (descriptor === undefined) throw new Error(`no method ${method}`);
  for (const decorator of decorators) decorator(target, method, descriptor);
}

/** A controller of one method, which takes `@Req()` and `@Res()`; `passthrough`: Nest sends what it returns. */
export function controllerOf(
  handle: (request: Request, response: Response) => unknown,
  decorators: readonly MethodDecorator[],
  passthrough: boolean,
) {
  class OneController {
    answer(request: Request, response: Response): unknown {
      return handle(request, response);
    }
  }
  Controller()(OneController);
  decorate(OneController.prototype, "answer", decorators);
  Req()(OneController.prototype, "answer", 0);
  Res({ passthrough })(OneController.prototype, "answer", 1);
  return OneController;
}

export async function createNest(
  platform: NestPlatform,
  controllers: readonly (new () => object)[],
  bodyLimitBytes = 2_048,
): Promise<INestApplication<Server>> {
  class ServedModule {}
  Module({ controllers: [...controllers] })(ServedModule);
  if (platform === "fastify") {
    const adapter = new FastifyAdapter({ bodyLimit: bodyLimitBytes });
    return NestFactory.create<NestFastifyApplication>(ServedModule, adapter, { logger: false, abortOnError: false });
  }
  const app = await NestFactory.create<NestExpressApplication>(ServedModule, {
    logger: false,
    abortOnError: false,
    bodyParser: false,
  });
  app.useBodyParser("json", { limit: bodyLimitBytes });
  return app;
}

export async function serveNest(app: INestApplication<Server>): Promise<HttpServer> {
  await app.init();
  // Fastify's platform is ready once its plugins are
  await (app.getHttpAdapter().getInstance() as { ready?: () => Promise<void> }).ready?.();
  return serveOn(app.getHttpServer(), () => app.close());
}
