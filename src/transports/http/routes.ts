import type { Reprise } from "../../reprise.ts";

/** Which routes change something, and whose handlers say what happens if they run again. */

/** What an instance is told of: of whatever it is, only that it lists routes. */
export type Watching = Pick<Reprise<never>, "~inside">;

export interface Route {
  readonly method: string;
  readonly path: string;
}

const changing: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);
const decided = new WeakSet<object>();

/** Remembers a handler as one of an operation's, or of a guard's. */
export function decide<H extends object>(handler: H): H {
  decided.add(handler);
  return handler;
}

/** One handler of a route, as its framework lists it. */
export interface Handled extends Route {
  readonly handler: unknown;
}

/** The routes that change something and of whose handlers none is an operation's, each once. */
export function undecidedOf(handled: readonly Handled[]): readonly Route[] {
  const routes = new Map<string, Route & { isDecided: boolean }>();
  for (const { method, path, handler } of handled) {
    if (!changing.has(method)) continue;
    const name = `${method} ${path}`;
    const route = routes.get(name) ?? { method, path, isDecided: false };
    route.isDecided ||= typeof handler === "function" && decided.has(handler);
    routes.set(name, route);
  }
  return [...routes.values()].filter(({ isDecided }) => !isDecided).map(({ method, path }) => ({ method, path }));
}
