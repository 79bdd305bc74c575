import {
  type CanActivate,
  type ExecutionContext,
  HttpException,
  Post,
  UseGuards,
  UseInterceptors,
} from "@nestjs/common";
import type { Request } from "express";
import type { HttpAdapter } from "../../src/testing/http-adapter.ts";
import { nestHandler } from "../../src/transports/http/nest.ts";
import { controllerOf, createNest, type NestPlatform, serveNest } from "./nest-applications.ts";

class OpenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const status = context.switchToHttp().getRequest<Request>().headers["x-guard"];
    if (status !== undefined) throw new HttpException("stop", Number(status));
    return true;
  }
}

/** The operation called by a method, or as an interceptor in its place. */
export function nestAdapter(platform: NestPlatform, as: "method" | "interceptor"): HttpAdapter {
  return {
    name: `nest on ${platform}, ${as}`,
    bodyErrors: "framework",
    serve: async ({ operation, carrier, principal, bodyLimitBytes }) => {
      const handle = nestHandler(operation, {
        ...carrier,
        input: (request: Request) => request.body as unknown,
        principal: principal === "everyone" ? principal : (request) => String(request.headers["x-session"] ?? ""),
      });
      const controller =
        as === "method"
          ? controllerOf(handle, [Post(), UseGuards(OpenGuard)], false)
          : controllerOf(() => "never", [Post(), UseGuards(OpenGuard), UseInterceptors(handle.interceptor)], true);
      return serveNest(await createNest(platform, [controller], bodyLimitBytes));
    },
  };
}
