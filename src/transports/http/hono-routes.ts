import { undecidedOf, type Watching } from "./routes.ts";

/** What is used of a Hono application. */
export interface HonoRoutes {
  readonly routes: readonly { readonly method: string; readonly path: string; readonly handler: unknown }[];
}

/**
 * Lists in `decisions()` the routes of an application that change something (POST, PUT, PATCH, DELETE) and are neither an
 * operation's nor guarded: of each, nobody has decided what happens if it runs again. Routes for all methods look like
 * middlewares and do not count. Nothing is refused; it may be called before the routes are added or after.
 *
 * @example
 * watchRoutes(app, reprise);
 */
export function watchRoutes(app: HonoRoutes, reprise: Watching): void {
  reprise["~inside"].watchRoutes(() =>
    undecidedOf(app.routes.map(({ method, path, handler }) => ({ method, path, handler: innermost(handler) }))),
  );
}

/** Of an application with an error handler of its own, Hono wraps what is mounted from it. */
function innermost(handler: unknown): unknown {
  const wrapped = typeof handler === "function" ? Reflect.get(handler, "__COMPOSED_HANDLER") : undefined;
  return wrapped === undefined ? handler : innermost(wrapped);
}
