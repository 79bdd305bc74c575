import "reflect-metadata";
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  HttpException,
  Module,
  Post,
  Req,
  Res,
  UseGuards,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import type { Request, Response } from "express";
import type { HttpAdapter } from "../../src/testing/http-adapter.ts";
import { nestHandler } from "../../src/transports/http/nest.ts";
import { serveOn } from "./http-sockets.ts";

/** Decorators as functions: the sources run as they stand, and Node strips types only. */
function decorate(target: object, method: string, decorators: readonly MethodDecorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, method);
  if (descriptor === undefined) throw new Error(`no method ${method}`);
  for (const decorator of decorators) decorator(target, method, descriptor);
}

export const nestAdapter: HttpAdapter = {
  name: "nest",
  bodyErrors: "framework",
  serve: async ({ operation, carrier, principal, bodyLimitBytes }) => {
    const handle = nestHandler(operation, {
      ...carrier,
      input: (request: Request) => request.body as unknown,
      principal: principal === "everyone" ? principal : (request) => String(request.headers["x-session"] ?? ""),
    });
    class OpenGuard implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        const status = context.switchToHttp().getRequest<Request>().headers["x-guard"];
        if (status !== undefined) throw new HttpException("stop", Number(status));
        return true;
      }
    }
    class SeatsController {
      book(request: Request, response: Response): Promise<void> {
        return handle(request, response);
      }
    }
    Controller()(SeatsController);
    decorate(SeatsController.prototype, "book", [Post(), UseGuards(OpenGuard)]);
    Req()(SeatsController.prototype, "book", 0);
    Res()(SeatsController.prototype, "book", 1);
    class ServedModule {}
    Module({ controllers: [SeatsController] })(ServedModule);
    const app = await NestFactory.create<NestExpressApplication>(ServedModule, { logger: false, bodyParser: false });
    app.useBodyParser("json", { limit: bodyLimitBytes });
    await app.init();
    return serveOn(app.getHttpServer(), () => app.close());
  },
};
