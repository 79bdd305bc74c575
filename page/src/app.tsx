import { useEffect, useRef, useState } from "preact/hooks";
import type { Range } from "../../src/observe/metrics.ts";
import { type Administration, useAdministration } from "./administration.ts";
import { type Data, service, useData } from "./data.ts";
import { age, second } from "./format.ts";
import { keys, useKeys } from "./keys.ts";
import { needsOf } from "./needs.ts";
import { Bones } from "./parts.tsx";
import { link, type Route, useRoute, type View, views, withQuery } from "./route.ts";
import { type Theme, useTheme } from "./theme.ts";
import { Caches } from "./views/caches.tsx";
import { Decisions } from "./views/decisions.tsx";
import { Empty } from "./views/empty.tsx";
import { Incidents } from "./views/incidents.tsx";
import { Loads } from "./views/loads.tsx";
import { Messages } from "./views/messages.tsx";
import { Operations } from "./views/operations.tsx";
import { Overview } from "./views/overview.tsx";
import { Schedules } from "./views/schedules.tsx";
import { Unlock } from "./views/unlock.tsx";

const rangeWords = { "15m": "15 min", "1h": "1 h", "24h": "24 h", "7d": "7 d" } as const satisfies Record<
  Range,
  string
>;
const isRange = (text: string | null): text is Range => text !== null && text in rangeWords;

export function App() {
  const route = useRoute();
  const [theme, toggleTheme] = useTheme();
  const asked = route.query.get("range");
  const state = route.query.get("state") ?? "";
  const data = useData(isRange(asked) ? asked : undefined, runsQuery(route, state));
  const administration = useAdministration(data.connection === "live");
  const [unlocking, setUnlocking] = useState(false);
  const askUnlock = () => setUnlocking(true);
  const help = useRef<HTMLDialogElement>(null);
  const showHelp = () => help.current?.showModal();
  const tabs = tabsOf(data);
  useKeys(toggleTheme, showHelp, tabs);
  const needs = data.decisions === undefined ? 0 : needsOf(data, route).length;
  useEffect(() => {
    document.title = `${needs > 0 ? `(${needs}) ` : ""}${route.view} · ${service} · Reprise`;
  }, [needs, route.view]);
  document.body.dataset["state"] = data.connection === "lost" ? "disconnected" : "ready";
  return (
    <>
      <TopBar {...{ data, route, theme, toggleTheme, needs, tabs, administration, askUnlock }} />
      <main>
        <StateNotice data={data} />
        <Shown {...{ data, route, theme, administration, askUnlock }} />
      </main>
      <footer class="foot">
        <span>
          Reprise, served by {service}.{" "}
          <button type="button" class="key" onClick={showHelp} aria-label="Keys">
            <kbd>?</kbd>
          </button>{" "}
          for keys.
        </span>
      </footer>
      <Unlock administration={administration} open={unlocking} close={() => setUnlocking(false)} />
      <dialog ref={help} aria-labelledby="keys">
        <h2 id="keys">Keys</h2>
        <dl>
          {keys.map(([key, what]) => [
            <dt key={key}>{key.split(" ").map((one) => (one === "…" ? " … " : <kbd key={one}>{one}</kbd>))}</dt>,
            <dd key={what}>{what}</dd>,
          ])}
        </dl>
        <form method="dialog">
          <button type="submit" class="btn">
            Close
          </button>
        </form>
      </dialog>
    </>
  );
}

/** A kind of which nothing is declared has no tab. */
function tabsOf({ incidents, decisions }: Data): readonly View[] {
  const has: Partial<Record<View, boolean>> = {
    incidents: (incidents?.incidents.length ?? 0) > 0,
    loads: decisions?.decisions.some(({ kind }) => kind === "load") === true,
    schedules: decisions?.decisions.some(({ kind }) => kind === "schedule") === true,
    messages: decisions?.decisions.some(({ kind }) => kind === "consumer" || kind === "outbox") === true,
  };
  return views.filter((view) => has[view] ?? true);
}

function runsQuery({ view, path, query: asked }: Route, state: string): string {
  const query = new URLSearchParams();
  const [operation] = path;
  if (operation !== undefined && view === "operations") query.set("operation", operation);
  // what is looked for is found among the newest, however many are listed
  if (view === "operations" && asked.has("find")) query.set("limit", "200");
  if (state !== "") query.set("state", state);
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

interface ShownProps {
  readonly data: Data;
  readonly route: Route;
  readonly theme: Theme;
  readonly administration: Administration;
  readonly askUnlock: () => void;
}

function Shown({ data, route, theme, administration, askUnlock }: ShownProps) {
  const { decisions } = data;
  if (decisions === undefined) return <Loading data={data} />;
  if (route.view === "incidents") return <Incidents data={data} route={route} theme={theme} />;
  if (decisions.decisions.length === 0) return <Empty />;
  if (route.view === "caches") return <Caches data={data} route={route} theme={theme} />;
  if (route.view === "operations") return <Operations {...{ data, route, administration, askUnlock }} />;
  if (route.view === "loads") return <Loads {...{ data, route, administration, askUnlock }} />;
  if (route.view === "schedules") return <Schedules {...{ data, route, administration, askUnlock }} />;
  if (route.view === "messages") return <Messages {...{ data, route, administration, askUnlock }} />;
  if (route.view === "decisions") return <Decisions data={data} route={route} />;
  return <Overview data={data} route={route} theme={theme} />;
}

function Loading({ data }: { readonly data: Data }) {
  const instances = data.live?.instances;
  return (
    <>
      <div class="head">
        <div>
          <h1 class="t">Reading {service}</h1>
          <p class="lede">
            {instances === undefined
              ? "Nobody has answered yet."
              : `${instances.seen} of ${instances.expected} instances have answered.`}
          </p>
        </div>
      </div>
      <div class="cols">
        <div class="c5">
          <Bones title="Needs a person" />
        </div>
        <div class="c7">
          <Bones title="Reads" />
        </div>
        <div class="c12">
          <Bones title="If this runs again, what happens?" />
        </div>
      </div>
    </>
  );
}

interface TopBarProps {
  readonly data: Data;
  readonly route: Route;
  readonly theme: Theme;
  readonly toggleTheme: () => void;
  readonly needs: number;
  readonly tabs: readonly View[];
  readonly administration: Administration;
  readonly askUnlock: () => void;
}

function TopBar({ data, route, theme, toggleTheme, needs, tabs, administration, askUnlock }: TopBarProps) {
  const { connection, metrics, live, newsAt } = data;
  const ranges = metrics?.ranges ?? [];
  const tabsElement = useRef<HTMLElement>(null);
  // where it is narrow, tabs go beyond the edge
  useEffect(() => {
    const [here] = tabsElement.current?.querySelectorAll("[aria-current]") ?? [];
    here?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [route.view, tabs.length]);
  const windowed = ["overview", "caches", "operations", "messages"].includes(route.view) && ranges.length > 1;
  return (
    <header class="bar">
      <div>
        <a class="mark" href={link(route, "overview")} aria-label={`Reprise, service ${service}`}>
          <svg width="16" height="18" viewBox="0 0 16 18" aria-hidden="true">
            <path d="M1.5 1v16" stroke="currentColor" stroke-width="3" />
            <path d="M6 1v16" stroke="currentColor" stroke-width="1.2" />
            <circle cx="11" cy="6.2" r="1.7" fill="currentColor" />
            <circle cx="11" cy="11.8" r="1.7" fill="currentColor" />
          </svg>
          reprise <span class="t">{service}</span>
        </a>
        <nav ref={tabsElement} class="tabs" aria-label="Views">
          {tabs.map((view) => (
            <a key={view} href={link(route, view)} aria-current={view === route.view ? "page" : undefined}>
              {view.replace(/^./, (letter) => letter.toUpperCase())}
              {view === "overview" && needs > 0 ? (
                <span class="count">
                  {needs}
                  <span class="vh"> need a person</span>
                </span>
              ) : null}
            </a>
          ))}
        </nav>
        <div class="right">
          <span class="conn">
            <i aria-hidden="true" />
            <span aria-live="polite">
              {connection === "lost" ? (
                <span class="bad">Disconnected</span>
              ) : connection === "live" ? (
                "Live"
              ) : (
                "Connecting"
              )}
            </span>
            <span class="t hide">
              {connection === "lost"
                ? newsAt === undefined
                  ? ""
                  : second(newsAt)
                : live === undefined
                  ? ""
                  : second(live.at)}
            </span>
          </span>
          {windowed ? (
            <nav class="seg hide" aria-label="Window">
              {ranges.map((range) => (
                <a
                  key={range}
                  href={withQuery(route, { range })}
                  aria-current={range === metrics?.range ? "true" : undefined}
                >
                  {rangeWords[range]}
                </a>
              ))}
            </nav>
          ) : null}
          <button type="button" class="btn ghost" onClick={toggleTheme} title="Theme (t)">
            {theme === "dark" ? "Light" : "Dark"}
          </button>
          <button type="button" class="btn" onClick={askUnlock} title="Decisions need a token">
            {administration.unlocked ? "Unlocked" : "Read-only"}
          </button>
        </div>
      </div>
    </header>
  );
}

function StateNotice({ data }: { readonly data: Data }) {
  const { connection, newsAt, retryAt, live, reconnect } = data;
  if (connection === "lost") {
    return (
      <div class="notice bad" role="status">
        <span>
          <b>
            No news from {service}
            {newsAt === undefined ? "" : ` since ${second(newsAt)}`}.
          </b>{" "}
          {newsAt === undefined ? "It does not answer." : "Everything below is from then."}{" "}
          <Countdown until={retryAt} />
        </span>
        <button type="button" class="btn" onClick={reconnect}>
          Try now
        </button>
      </div>
    );
  }
  const away = live?.ledger?.away;
  if (away === undefined || away === null) return null;
  return (
    <div class="notice bad" role="alert">
      <span>
        <b>The ledger does not answer</b> (<code>{away.code}</code>, since {second(away.since)}). New operations are
        refused with 503; nothing runs unguarded. Reads go on.
      </span>
    </div>
  );
}

function Countdown({ until }: { readonly until: number | undefined }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return until === undefined || until <= now ? (
    <>Trying again now.</>
  ) : (
    <>Trying again in {age(Math.ceil((until - now) / 1_000) * 1_000).replace(".0", "")}.</>
  );
}
