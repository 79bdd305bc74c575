import { useEffect, useState } from "preact/hooks";

export const views = [
  ...(["overview", "caches", "operations", "loads", "schedules", "messages", "incidents", "decisions"] as const),
] as const;
export type View = (typeof views)[number];

/** The address is the state: what is seen can be sent to a colleague. */
export interface Route {
  readonly view: View;
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/").map(decodeURIComponent);
  return {
    view: views.find((name) => name === view) ?? "overview",
    path: rest.filter((part) => part !== ""),
    query: new URLSearchParams(query),
  };
}

/** The address of a view; what the query says of the whole page (the range) goes along. */
export function link(
  route: Route,
  view: View,
  path: readonly string[] = [],
  query: Record<string, string> = {},
): string {
  const range = route.query.get("range");
  const parameters = new URLSearchParams({ ...(range === null ? {} : { range }), ...query });
  const text = parameters.toString();
  return `#/${[view, ...path].map(encodeURIComponent).join("/")}${text === "" ? "" : `?${text}`}`;
}

/** The same view with some parameters changed; an empty one is left out. */
export function withQuery(route: Route, changes: Record<string, string>): string {
  const query = new URLSearchParams(route.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return `#/${[route.view, ...route.path].map(encodeURIComponent).join("/")}${text === "" ? "" : `?${text}`}`;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parse(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parse(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
