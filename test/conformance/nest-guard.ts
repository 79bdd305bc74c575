import { type ArgumentsHost, Catch, type ExceptionFilter, Post, UseInterceptors } from "@nestjs/common";
import type { Request, Response } from "express";
import { idempotent } from "../../src/transports/http/nest.ts";
import type { AnyGuard, GuardAdapter } from "./guards.ts";
import { controllerOf, createNest, type NestPlatform, serveNest } from "./nest-applications.ts";

class Thrown implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(418).send("thrown");
  }
}
Catch()(Thrown);

export function nestGuard(platform: NestPlatform): GuardAdapter {
  return {
    name: `nest on ${platform}`,
    serve: async (reprise, guard, act) => {
      const guarding = idempotent(reprise, {
        ...(guard as AnyGuard),
        principal: (request: Request) => String(request.headers["x-session"] ?? ""),
      });
      const handle = async (request: Request, response: Response) => {
        const { item } = request.body as { item: string };
        const { status = 200, headers = {}, body } = await act({ item, ...guarding.offered(request) });
        response.status(status);
        for (const [name, value] of Object.entries(headers)) response.header(name, value);
        // either way of answering
        if (!(body instanceof Uint8Array)) return body;
        response.send(Buffer.from(body));
        return undefined;
      };
      const app = await createNest(platform, [controllerOf(handle, [Post(), UseInterceptors(guarding)], true)]);
      app.useGlobalFilters(new Thrown());
      return serveNest(app);
    },
  };
}
