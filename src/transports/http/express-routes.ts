import { type Count, type Watching, type WatchOptions, watch } from "./routes.ts";

/** What is used of an Express application or router. */
export interface ExpressRoutes {
  readonly router?: unknown;
  readonly stack?: unknown;
}

/** As Express 5's router keeps its layers; what is not as expected is passed over. */
interface Layer {
  readonly rawPath?: unknown;
  handle?: unknown;
  readonly method?: string;
  readonly route?: { readonly path: unknown; readonly stack: readonly Layer[] };
}
type Handle = (this: unknown, request: unknown, response: unknown, next: unknown) => unknown;

/**
 * Lists in `decisions()` the routes of an application that change something (POST, PUT, PATCH, DELETE) and are neither an
 * operation's nor guarded, each with how often it was asked: of each, nobody has decided what happens if it runs again.
 * `decided` says it of those that may, and why. Routers below it count, applications that are mounted on it do not. Nothing
 * is refused; it may be called before the routes are added or after. A route that is added after the first request is
 * counted from the next listing on.
 *
 * @example
 * watchRoutes(app, reprise, { decided: { "POST /login": "a second session does no harm" } });
 * @throws REPRISE_BAD_DECLARATION for a decision without a reason
 */
export function watchRoutes(app: ExpressRoutes, reprise: Watching, options: WatchOptions = {}): void {
  watchLayers(app, reprise, options, () => []);
}

/** @param beside what else decides about a route, by one of its handlers */
export function watchLayers(
  app: ExpressRoutes,
  reprise: Watching,
  options: WatchOptions,
  beside: (handler: unknown) => readonly unknown[],
): void {
  const seen = new WeakSet<Layer>();
  const look = () => {
    for (const { layer, path } of handling((app.router ?? app) as ExpressRoutes, "")) {
      if (seen.has(layer)) continue;
      seen.add(layer);
      const { handle, method = "" } = layer;
      const named = method.toUpperCase();
      const count = see({ methods: [named], path, handlers: [handle, ...beside(handle)] });
      if (count !== undefined && typeof handle === "function") layer.handle = counting(handle as Handle, named, count);
    }
  };
  const see = watch(reprise, options, look);
  lookBeforeFirst(app as { handle?: Handle }, look);
}

/** The routes may be added later, and the first request must be counted too. */
function lookBeforeFirst(app: { handle?: Handle }, look: () => void): void {
  const { handle } = app;
  if (handle === undefined) return;
  app.handle = function (...given) {
    app.handle = handle;
    look();
    return handle.apply(this, given);
  };
}

function counting(handle: Handle, method: string, count: Count): Handle {
  return function (request, response, next) {
    count(method);
    return handle.call(this, request, response, next);
  };
}

function handling(router: ExpressRoutes, mountedAt: string): readonly { layer: Layer; path: string }[] {
  const layers = (Array.isArray(router.stack) ? router.stack : []) as readonly Layer[];
  return layers.flatMap(({ rawPath, handle, route }) => {
    if (route !== undefined) {
      const path = join(mountedAt, route.path);
      // an error's handler has four parameters, and is no answer to a request
      const answering = route.stack.filter((layer) => typeof layer.handle !== "function" || layer.handle.length < 4);
      return answering.map((layer) => ({ layer, path }));
    }
    return typeof handle === "function" && "stack" in handle ? handling(handle, join(mountedAt, rawPath)) : [];
  });
}

function join(mountedAt: string, path: unknown): string {
  const below = typeof path === "string" ? path : path === undefined ? "…" : String(path);
  return below === "/" && mountedAt !== "" ? mountedAt : `${mountedAt}${below}`.replace(/^\/\//, "/");
}
