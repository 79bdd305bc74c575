import { useEffect, useState } from "preact/hooks";

export type Theme = "light" | "dark";

const key = "reprise-theme";
const preferred = matchMedia("(prefers-color-scheme: dark)");

function stored(): Theme | undefined {
  const asked = new URLSearchParams(location.search).get("theme");
  const chosen = asked ?? localStorage.getItem(key);
  return chosen === "light" || chosen === "dark" ? chosen : undefined;
}

export function useTheme(): readonly [Theme, () => void] {
  const [chosen, setChosen] = useState(stored);
  const [dark, setDark] = useState(preferred.matches);
  useEffect(() => {
    const changed = () => setDark(preferred.matches);
    preferred.addEventListener("change", changed);
    return () => preferred.removeEventListener("change", changed);
  }, []);
  const theme = chosen ?? (dark ? "dark" : "light");
  document.documentElement.dataset["theme"] = theme;
  const toggle = () => {
    const next = theme === "dark" ? "light" : "dark";
    localStorage.setItem(key, next);
    setChosen(next);
  };
  return [theme, toggle];
}

/** A canvas knows no custom properties: what a token is, now, in this theme. */
export function colourOf(token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
