import { useEffect } from "preact/hooks";
import { link, parse, type Route, type View, views } from "./route.ts";

export const keys = [
  ["1 … 8", "views"],
  ["j k", "next, previous row"],
  ["Enter", "open"],
  ["/", "filter"],
  ["t", "light or dark"],
  ["Esc", "back"],
  ["?", "this"],
] as const;

const rows = "[data-go], .q a, .needs a";

/** `shown`: the views that have a tab. A view keeps its key, whichever others are there. */
export function useKeys(toggleTheme: () => void, help: () => void, shown: readonly View[]): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const { target, key } = event;
      // of the address, not of the last drawing: two keys may come before the next one
      const route = parse(location.hash);
      if (event.metaKey || event.ctrlKey || event.altKey) return;
      if (target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) {
        if (key === "Escape") target.blur();
        return;
      }
      const view = views[Number(key) - 1];
      if (view !== undefined && shown.includes(view)) location.hash = link(route, view);
      else if (key === "t") toggleTheme();
      else if (key === "?") help();
      else if (key === "j" || key === "k") move(key === "j" ? 1 : -1);
      else if (key === "Escape" && document.querySelector("dialog[open]") === null) up(route);
      else if (key === "/") {
        const filter = document.querySelector<HTMLInputElement>("input.filter");
        if (filter !== null) event.preventDefault();
        filter?.focus();
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}

function move(by: 1 | -1): void {
  const all = [...document.querySelectorAll<HTMLElement>(rows)].filter((row) => row.offsetParent !== null);
  const at = all.indexOf(document.activeElement as HTMLElement);
  all[Math.max(0, Math.min(all.length - 1, at + by))]?.focus();
}

/** Up by one, not back by one: who came by a link must not be sent away from the page. */
function up(route: Route): void {
  location.hash = link(route, route.path.length === 0 ? "overview" : route.view, route.path.slice(0, -1));
}
