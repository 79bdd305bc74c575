import { type Handled, undecidedOf, type Watching } from "./routes.ts";

/** What is used of an Express application or router. */
export interface ExpressRoutes {
  readonly router?: unknown;
  readonly stack?: unknown;
}

/** As Express 5's router keeps its layers; what is not as expected is passed over. */
interface Layer {
  readonly rawPath?: unknown;
  readonly handle?: unknown;
  readonly method?: string;
  readonly route?: { readonly path: unknown; readonly stack: readonly Layer[] };
}

/**
 * Lists in `decisions()` the routes of an application that change something (POST, PUT, PATCH, DELETE) and are neither an
 * operation's nor guarded: of each, nobody has decided what happens if it runs again. Routers below it count, applications
 * that are mounted on it do not. Nothing is refused; it may be called before the routes are added or after.
 *
 * @example
 * watchRoutes(app, reprise);
 */
export function watchRoutes(app: ExpressRoutes, reprise: Watching): void {
  reprise["~inside"].watchRoutes(() => undecidedOf(handledBy((app.router ?? app) as ExpressRoutes, "")));
}

function handledBy(router: ExpressRoutes, mountedAt: string): readonly Handled[] {
  const layers = (Array.isArray(router.stack) ? router.stack : []) as readonly Layer[];
  return layers.flatMap(({ rawPath, handle, route }): readonly Handled[] => {
    if (route !== undefined) {
      const path = join(mountedAt, route.path);
      return route.stack.map(({ method = "", handle: handler }) => ({ method: method.toUpperCase(), path, handler }));
    }
    return typeof handle === "function" && "stack" in handle ? handledBy(handle, join(mountedAt, rawPath)) : [];
  });
}

function join(mountedAt: string, path: unknown): string {
  const below = typeof path === "string" ? path : path === undefined ? "…" : String(path);
  return below === "/" && mountedAt !== "" ? mountedAt : `${mountedAt}${below}`.replace(/^\/\//, "/");
}
