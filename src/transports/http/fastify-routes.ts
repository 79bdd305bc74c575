import { type Handled, undecidedOf, type Watching } from "./routes.ts";

/** What is used of a Fastify instance. */
export interface FastifyRoutes {
  addHook(name: "onRoute", hook: (route: FastifyRoute) => void): unknown;
}
export interface FastifyRoute {
  readonly method: string | readonly string[];
  readonly url: string;
  readonly handler: unknown;
}

/**
 * Lists in `decisions()` the routes that change something (POST, PUT, PATCH, DELETE) and are neither an operation's nor
 * guarded: of each, nobody has decided what happens if it runs again. Nothing is refused. Call it before the routes and
 * plugins are registered: Fastify tells only of later ones.
 *
 * @example
 * const app = fastify();
 * watchRoutes(app, reprise);
 */
export function watchRoutes(app: FastifyRoutes, reprise: Watching): void {
  const handled: Handled[] = [];
  app.addHook("onRoute", ({ method, url, handler }) => {
    for (const one of [method].flat()) handled.push({ method: one, path: url, handler });
  });
  reprise["~inside"].watchRoutes(() => undecidedOf(handled));
}
