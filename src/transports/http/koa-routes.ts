import { type Watching, type WatchOptions, watch } from "./routes.ts";

/** What is used of a router of `@koa/router`. */
export interface KoaRoutes {
  readonly stack: readonly object[];
  // biome-ignore lint/suspicious/noExplicitAny: passed through as it is
  match(...given: any[]): any;
}
interface Layer {
  readonly methods: readonly string[];
  readonly path: string | RegExp;
  stack: readonly Handle[];
}
type Handle = (this: unknown, context: { readonly method: string }, next: unknown) => unknown;

/**
 * Lists in `decisions()` the routes of a router that change something (POST, PUT, PATCH, DELETE) and are neither an
 * operation's nor guarded, each with how often it was asked: of each, nobody has decided what happens if it runs again.
 * `decided` says it of those that may, and why. Give it the router whose `routes()` the application uses; those that are
 * used by it count too. Nothing is refused; it may be called before the routes are added or after. A route that is added
 * after the first request is counted from the next listing on.
 *
 * @example
 * const router = new Router();
 * watchRoutes(router, reprise, { decided: { "POST /login": "a second session does no harm" } });
 * app.use(router.routes());
 * @throws REPRISE_BAD_DECLARATION for a decision without a reason
 */
export function watchRoutes(router: KoaRoutes, reprise: Watching, options: WatchOptions = {}): void {
  const seen = new WeakSet<object>();
  const look = () => {
    for (const layer of router.stack as readonly Layer[]) {
      if (seen.has(layer)) continue;
      seen.add(layer);
      const { methods, path, stack } = layer;
      const count = see({ methods, path: String(path), handlers: stack });
      const last = stack.at(-1);
      if (count === undefined || last === undefined) continue;
      // what checks a parameter stands before, and is known by a mark of its own
      layer.stack = stack.with(-1, function (context, next) {
        count(context.method);
        return last.call(this, context, next);
      });
    }
  };
  const see = watch(reprise, options, look);
  // the routes may be added later, and the first request must be counted too
  const { match } = router;
  router.match = (...given) => {
    router.match = match;
    look();
    return match.apply(router, given);
  };
}
