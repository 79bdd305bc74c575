import { RepriseError } from "../../base/errors.ts";
import { type Watching, type WatchOptions, watch } from "./routes.ts";

/** What is used of a Hono application. */
export interface HonoRoutes {
  readonly routes: readonly HonoRoute[];
  readonly router: { add(method: string, path: string, handled: [Handle, HonoRoute]): void };
}
interface HonoRoute {
  readonly method: string;
  readonly path: string;
}
// biome-ignore lint/suspicious/noExplicitAny: whatever the application's own handlers take
type Handle = (...given: any[]) => any;

/**
 * Lists in `decisions()` the routes of an application that change something (POST, PUT, PATCH, DELETE) and are neither an
 * operation's nor guarded, each with how often it was asked: of each, nobody has decided what happens if it runs again.
 * `decided` says it of those that may, and why. Routes for all methods look like middlewares and do not count. Call it
 * before the routes are added: Hono counts only later ones.
 *
 * @example
 * const app = new Hono();
 * watchRoutes(app, reprise, { decided: { "POST /login": "a second session does no harm" } });
 * @throws REPRISE_BAD_DECLARATION for a decision without a reason, and where routes that change something stand already
 */
export function watchRoutes(app: HonoRoutes, reprise: Watching, options: WatchOptions = {}): void {
  const see = watch(reprise, options);
  for (const { method, path } of app.routes) {
    if (see({ methods: [method], path, handlers: [] }) === undefined) continue;
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: "watchRoutes",
      why: `the route ${method} ${path} was added before, and its requests cannot be counted any more.`,
      mend: "Call watchRoutes right after new Hono().",
    });
  }
  const { router } = app;
  const add = router.add.bind(router);
  // every application below adds its routes here too, under their whole paths
  router.add = (method, path, [handler, ...rest]) => {
    const count = see({ methods: [method], path, handlers: [innermost(handler)] });
    const handle: Handle =
      count === undefined
        ? handler
        : (...given) => {
            count(method);
            return handler(...given);
          };
    add(method, path, [handle, ...rest]);
  };
}

/** Of an application with an error handler of its own, Hono wraps what is mounted from it. */
function innermost(handler: unknown): unknown {
  const wrapped = typeof handler === "function" ? Reflect.get(handler, "__COMPOSED_HANDLER") : undefined;
  return wrapped === undefined ? handler : innermost(wrapped);
}
