import { RepriseError } from "../../base/errors.ts";
import type { WatchedRoute } from "../../observe/inside.ts";
import type { Reprise } from "../../reprise.ts";

/** Which routes change something, whose handlers say what happens if they run again, and how often the others run. */

/** What an instance is told of: of whatever it is, only that it lists routes. */
export type Watching = Pick<Reprise<never>, "~inside">;

export interface WatchOptions {
  /**
   * Routes whose handlers may run again as they are, and why: `{ "POST /login": "a second session does no harm" }`. The
   * name is the method and the pattern, as `decisions()` lists it; the reason is kept there.
   */
  readonly decided?: Readonly<Record<string, string>> | undefined;
}

const changing: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);
const deciding = new WeakSet<object>();

/** Remembers a handler as one of an operation's, or of a guard's. */
export function decide<H extends object>(handler: H): H {
  deciding.add(handler);
  return handler;
}

/** A route as its framework lists it: under one method or several, with any of its handlers. */
export interface Handled {
  readonly methods: readonly string[];
  /** The pattern, never a path with values. */
  readonly path: string;
  readonly handlers: readonly unknown[];
}

/** Counts a request that reaches a route's first handler. */
export type Count = (method: string) => void;

interface Counted extends WatchedRoute {
  requests: number;
  isDecided: boolean;
}

/**
 * Begins to watch the routes that change something. What it returns is told of each route, or of each handler of it, once;
 * it answers what counts the route's requests, or `undefined` where nothing is to be counted: it changes nothing, or an
 * earlier handler counts.
 *
 * @param look called before the routes are listed, to find those that were added since
 * @throws REPRISE_BAD_DECLARATION for a decision without a reason
 */
export function watch(
  reprise: Watching,
  { decided = {} }: WatchOptions,
  look: () => void = () => {},
): (handled: Handled) => Count | undefined {
  for (const [name, because] of Object.entries(decided)) checkReason(name, because);
  const routes = new Map<string, Counted>();
  reprise["~inside"].watchRoutes(() => {
    look();
    return [...routes.values()].filter(({ isDecided }) => !isDecided);
  });

  return ({ methods, path, handlers }) => {
    const isDecided = handlers.some((handler) => deciding.has(handler as object));
    const counted: Counted[] = [];
    for (const method of methods) {
      if (!changing.has(method)) continue;
      const name = `${method} ${path}`;
      const known = routes.get(name);
      if (known !== undefined) {
        known.isDecided ||= isDecided;
        continue;
      }
      const because = Object.hasOwn(decided, name) ? decided[name] : undefined;
      const route = { method, path, because, requests: 0, isDecided };
      routes.set(name, route);
      counted.push(route);
    }
    const [only, ...others] = counted;
    if (only === undefined) return undefined;
    // on every request: nothing but the counter
    if (others.length === 0) {
      return () => {
        only.requests += 1;
      };
    }
    return (method) => {
      const route = counted.find((one) => one.method === method);
      if (route !== undefined) route.requests += 1;
    };
  };
}

function checkReason(name: string, because: unknown): void {
  const [method = "", path = ""] = name.split(" ");
  if (changing.has(method) && path !== "" && typeof because === "string" && because.trim() !== "") return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `watchRoutes, decided['${name}']`,
    why: "it is no decision: a method that changes something, a pattern, and a reason.",
    mend: 'Write { "POST /login": "why running it again does no harm" }.',
  });
}
