import { type Watching, type WatchOptions, watch } from "./routes.ts";

/** What is used of a Fastify instance. */
export interface FastifyRoutes {
  addHook(name: "onRoute", hook: (route: FastifyRoute) => void): unknown;
}
export interface FastifyRoute {
  readonly method: string | readonly string[];
  readonly url: string;
  handler: unknown;
}
type Handle = (this: unknown, request: { readonly method: string }, ...rest: readonly unknown[]) => unknown;

/**
 * Lists in `decisions()` the routes that change something (POST, PUT, PATCH, DELETE) and are neither an operation's nor
 * guarded, each with how often its handler was reached: of each, nobody has decided what happens if it runs again.
 * `decided` says it of those that may, and why. Nothing is refused. Call it before the routes and plugins are registered:
 * Fastify tells only of later ones.
 *
 * @example
 * const app = fastify();
 * watchRoutes(app, reprise, { decided: { "POST /login": "a second session does no harm" } });
 * @throws REPRISE_BAD_DECLARATION for a decision without a reason
 */
export function watchRoutes(app: FastifyRoutes, reprise: Watching, options: WatchOptions = {}): void {
  watchHandlers(app, reprise, options, () => []);
}

/** @param beside what else decides about a route, by its handler */
export function watchHandlers(
  app: FastifyRoutes,
  reprise: Watching,
  options: WatchOptions,
  beside: (handler: unknown) => readonly unknown[],
): void {
  const see = watch(reprise, options);
  app.addHook("onRoute", (route) => {
    const { method, url, handler } = route;
    const count = see({ methods: [method].flat(), path: url, handlers: [handler, ...beside(handler)] });
    if (count === undefined || typeof handler !== "function") return;
    const handle = handler as Handle;
    route.handler = function (this: unknown, ...given: Parameters<Handle>) {
      count(given[0].method);
      return handle.apply(this, given);
    };
  });
}
