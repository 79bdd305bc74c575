import { type ExpressRoutes, watchLayers } from "./express-routes.ts";
import { type FastifyRoutes, watchHandlers } from "./fastify-routes.ts";
import type { Watching, WatchOptions } from "./routes.ts";

/** What is used of a NestJS application. */
export interface NestRoutes {
  getHttpAdapter(): { getInstance(): unknown };
}

/**
 * Lists in `decisions()` the routes of an application that change something (POST, PUT, PATCH, DELETE) and are neither an
 * operation's nor guarded, each with how often its method was reached: of each, nobody has decided what happens if it runs
 * again. An operation or a guard is known by the interceptor on the method: `@UseInterceptors`. `decided` says it of those
 * that may, and why. Nothing is refused. Call it before the application is initialized, as `listen` does.
 *
 * @example
 * const app = await NestFactory.create(AppModule);
 * watchRoutes(app, reprise, { decided: { "POST /login": "a second session does no harm" } });
 * await app.listen(3000);
 * @throws REPRISE_BAD_DECLARATION for a decision without a reason
 */
export function watchRoutes(app: NestRoutes, reprise: Watching, options: WatchOptions = {}): void {
  const platform: unknown = app.getHttpAdapter().getInstance();
  if (typeof platform === "function") watchLayers(platform as ExpressRoutes, reprise, options, interceptorsOf);
  else watchHandlers(platform as FastifyRoutes, reprise, options, interceptorsOf);
}

interface WithMetadata {
  getMetadata?(key: string, target: object): unknown;
}

/** Nest copies what a method's decorators say to the handler that it gives its platform. */
function interceptorsOf(handler: unknown): readonly unknown[] {
  if (typeof handler !== "function") return [];
  const found = (Reflect as WithMetadata).getMetadata?.("__interceptors__", handler);
  return Array.isArray(found) ? found : [];
}
