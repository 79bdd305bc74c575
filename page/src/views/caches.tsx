import type { Decided } from "../../../src/decisions/decided.ts";
import type { CacheMetrics, Metrics, Now } from "../../../src/observe/metrics.ts";
import type { Data } from "../data.ts";
import { duration, inWords, milliseconds, percent, plural, rate, whole } from "../format.ts";
import { Bones, goes, Nobody, Section, Spark, useNarrow } from "../parts.tsx";
import { link, parse, type Route, withQuery } from "../route.ts";
import { OriginLegend, ReadsPlot, windowOf } from "../series-plot.tsx";
import type { Theme } from "../theme.ts";
import { isNobodys, valueIn } from "./answers.ts";

interface CachesProps {
  readonly data: Data;
  readonly route: Route;
  readonly theme: Theme;
}

interface Row {
  readonly name: string;
  readonly decided: Decided;
  readonly metrics: CacheMetrics | undefined;
  readonly now: Now["caches"][string] | undefined;
}

const columns = [
  ["name", "Cache", (row: Row) => row.name],
  ["reads", "Reads/s", (row: Row) => row.now?.perSecond ?? 0],
  ["hit", "Hit", (row: Row) => row.now?.hit ?? -1],
  ["entries", "Entries", (row: Row) => row.now?.entries ?? 0],
  ["evicted", "Evicted", (row: Row) => row.now?.evictedPerMinute ?? 0],
  ["p99", "Load p99", (row: Row) => row.metrics?.loadMs.p99 ?? -1],
] as const;
type Column = (typeof columns)[number][0];

export function Caches({ data, route, theme }: CachesProps) {
  const narrow = useNarrow();
  const { decisions, metrics } = data;
  if (decisions === undefined || metrics === undefined) return <Bones title="Caches" />;
  const now = data.live?.now ?? metrics.now;
  const rows = decisions.decisions
    .filter(({ kind }) => kind === "cache")
    .map((decided): Row => {
      const { name } = decided;
      return { name, decided, metrics: metrics.caches.find((one) => one.name === name), now: now.caches[name] };
    });
  if (rows.length === 0) {
    return (
      <div class="head">
        <div>
          <h1>No cache is declared.</h1>
          <p class="lede">What is read through Reprise appears here with its first declaration.</p>
        </div>
      </div>
    );
  }
  const [asked] = route.path;
  const sorted = order(rows, route);
  const filter = (route.query.get("filter") ?? "").toLowerCase();
  const shown = sorted.filter(({ name, decided }) =>
    `${name} ${decided.owner ?? "nobody"}`.toLowerCase().includes(filter),
  );
  const selected = rows.find(({ name }) => name === asked) ?? (narrow ? undefined : shown[0]);
  if (narrow && asked !== undefined && selected !== undefined) {
    return (
      <>
        <p class="back">
          <a class="l" href={link(route, "caches")}>
            ← All caches
          </a>
        </p>
        <CacheDetail row={selected} metrics={metrics} theme={theme} />
      </>
    );
  }
  const owners = new Set(rows.flatMap(({ decided }) => (decided.owner === undefined ? [] : [decided.owner])));
  return (
    <>
      <div class="head">
        <div>
          <h1>
            {inWords(rows.length)} {plural(rows.length, "cache")}, {inWords(owners.size).toLowerCase()}{" "}
            {plural(owners.size, "owner")}.
          </h1>
          <p class="lede">
            Hit means answered without waiting for a load. Figures are for the last minute, over{" "}
            {metrics.sees === "all-instances" ? "all instances" : "this process"}; load times, {windowOf(metrics)}.
          </p>
        </div>
        <input
          class="filter"
          placeholder="Filter by name, owner"
          aria-label="Filter caches"
          value={route.query.get("filter") ?? ""}
          onInput={(event) => {
            history.replaceState(null, "", withQuery(parse(location.hash), { filter: event.currentTarget.value }));
            dispatchEvent(new HashChangeEvent("hashchange"));
          }}
        />
      </div>
      <CacheTable rows={shown} selected={selected?.name} route={route} metrics={metrics} />
      {selected === undefined ? null : <CacheDetail row={selected} metrics={metrics} theme={theme} />}
    </>
  );
}

function sortOf(route: Route): { readonly column: Column; readonly down: boolean } {
  const asked = route.query.get("sort") ?? "reads-down";
  const [name, direction] = asked.split("-");
  return { column: columns.find(([one]) => one === name)?.[0] ?? "reads", down: direction !== "up" };
}

function order(rows: readonly Row[], route: Route): readonly Row[] {
  const { column, down } = sortOf(route);
  const value = columns.find(([name]) => name === column)?.[2] ?? columns[1][2];
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    return left === right ? (a.name < b.name ? -1 : 1) : left < right ? -sign : sign;
  });
}

interface CacheTableProps {
  readonly rows: readonly Row[];
  readonly selected: string | undefined;
  readonly route: Route;
  readonly metrics: Metrics;
}

function CacheTable({ rows, selected, route, metrics }: CacheTableProps) {
  const { column, down } = sortOf(route);
  const head = (name: Column, right: boolean, className = "", suffix = "") => {
    const active = column === name;
    const title = columns.find(([one]) => one === name)?.[1] ?? name;
    const next = active ? (down ? "up" : "down") : name === "name" ? "up" : "down";
    return (
      <th
        scope="col"
        class={`${right ? "r " : ""}${className}`}
        aria-sort={active ? (down ? "descending" : "ascending") : "none"}
      >
        <a class={active ? "sorted" : ""} href={withQuery(route, { sort: `${name}-${next}` })}>
          {title}
          <span class="hide-s">{suffix}</span>
          {active ? (down ? " ↓" : " ↑") : ""}
        </a>
      </th>
    );
  };
  const lowest = lowestHit(metrics);
  const bound = metrics.instances.list.reduce((sum, { maxEntries }) => sum + maxEntries, 0);
  return (
    <div class="tw">
      <table>
        <caption class="vh">Caches</caption>
        <thead>
          <tr>
            {head("name", false)}
            <th scope="col" class="hide-s">
              Owner
            </th>
            <th scope="col" class="hide-s">
              Pattern
            </th>
            <th scope="col" class="hide-s">
              Differs by
            </th>
            <th scope="col" class="hide-s">
              Fresh + stale
            </th>
            {head("reads", true)}
            {head("hit", true)}
            <th scope="col" class="hide-s">
              Hit, {Math.round(lowest * 100)}–100%
            </th>
            {head("entries", true, "hide-s")}
            {head("evicted", true, "", "/min")}
            <th scope="col" class="r hide-s">
              Early/min
            </th>
            <th scope="col" class="r hide-s">
              Shared/s
            </th>
            {head("p99", true, "hide-s")}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <CacheRow
              key={row.name}
              row={row}
              selected={row.name === selected}
              route={route}
              bound={bound}
              lowest={lowest}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface CacheRowProps {
  readonly row: Row;
  readonly selected: boolean;
  readonly route: Route;
  /** Entries that all instances together may hold. */
  readonly bound: number;
  readonly lowest: number;
}

function CacheRow({ row, selected, route, bound, lowest }: CacheRowProps) {
  const { name, decided, now, metrics } = row;
  const { answers } = decided;
  const fresh = valueIn(answers["freshFor"]);
  const stale = answers["staleFor"]?.is === "declared" ? valueIn(answers["staleFor"]) : undefined;
  const query = Object.fromEntries([...route.query].filter(([key]) => key !== "range"));
  return (
    <tr {...goes(link(route, "caches", [name], query))} aria-selected={selected}>
      <td>
        <span class="name m">{name}</span>
        {decided.undecided.length > 0 ? <span class="tag flag"> undecided</span> : null}
        <span class="sub only-s">
          {decided.owner ?? "nobody"} · {valueIn(answers["pattern"])}
        </span>
      </td>
      <td class="hide-s">{decided.owner ?? <Nobody />}</td>
      <td class="hide-s">{valueIn(answers["pattern"])}</td>
      <td class="hide-s">
        {valueIn(answers["scope"])}
        {valueIn(answers["holds"]) === "personal" ? <span class="pill"> personal</span> : null}
      </td>
      <td class="hide-s">
        {fresh === undefined ? "–" : duration(fresh)}{" "}
        <span class="t">{stale === undefined ? "never stale" : `+ ${duration(stale)}`}</span>
      </td>
      <td class="r">{rate(now?.perSecond)}</td>
      <td class="r">{percent(now?.hit)}</td>
      <td class="hide-s">
        <Spark values={metrics?.hit ?? []} min={lowest} max={1} />
      </td>
      <td class="r hide-s" title={`of ${whole(bound)} for all caches of all instances`}>
        {whole(now?.entries ?? 0)}
      </td>
      <td class="r">{quiet(now?.evictedPerMinute)}</td>
      <td class="r hide-s">{quiet(now?.refreshesPerMinute)}</td>
      <td class="r hide-s">{quiet(now?.shared)}</td>
      <td class="r hide-s n">{milliseconds(metrics?.loadMs.p99)}</td>
    </tr>
  );
}

/** The column's sparklines share a scale, so that a fall in one row is a fall against the others. */
function lowestHit({ caches }: Metrics): number {
  const hits = caches.flatMap(({ hit }) => hit.filter((value) => value !== null));
  return Math.min(0.9, Math.floor(Math.min(1, ...hits) * 10) / 10);
}

/** Zero is no news. */
function quiet(value: number | undefined) {
  return value === undefined || value < 0.05 ? <span class="t">0</span> : rate(value);
}

function CacheDetail({ row, metrics, theme }: { row: Row; metrics: Metrics; theme: Theme }) {
  const { name, decided, now } = row;
  return (
    <div class="cols detail">
      <div class="c12">
        <h2 class="title">
          <span class="m">{name}</span> <span class="t">{decided.owner ?? "no owner"}</span>
          {decided.undecided.length > 0 ? <span class="warn"> undecided</span> : null}
        </h2>
      </div>
      <Section class="c4" title="What was decided" aside="declared in code">
        <CacheDecisions decided={decided} />
      </Section>
      <Section class="c8" title="Reads of this cache" aside={`per second by origin, ${windowOf(metrics)}`}>
        {row.metrics === undefined ? (
          <p class="s">Nothing has been read from it in this window.</p>
        ) : (
          <>
            <ReadsPlot id={`cache-${name}`} metrics={metrics} theme={theme} reads={row.metrics.reads} third="refreshed">
              Loads took {milliseconds(row.metrics.loadMs.p50)} at the middle and {milliseconds(row.metrics.loadMs.p99)}{" "}
              at the slowest of a hundred. {whole(row.metrics.total["discarded"] ?? 0)} loads were not stored: the data
              had changed since they began.
            </ReadsPlot>
            {now === undefined ? null : <OriginLegend values={now} />}
          </>
        )}
      </Section>
    </div>
  );
}

function CacheDecisions({ decided }: { readonly decided: Decided }) {
  const { answers } = decided;
  const fresh = valueIn(answers["freshFor"]);
  const stale = answers["staleFor"]?.is === "declared" ? valueIn(answers["staleFor"]) : undefined;
  const changed = answers["changedBy"]?.is === "declared" ? valueIn(answers["changedBy"]) : undefined;
  const refresh = answers["refresh"]?.is === "declared" ? valueIn(answers["refresh"]) : undefined;
  const same = valueIn(answers["sameForEvery"]);
  return (
    <dl class="says">
      <dt>Worst case</dt>
      <dd>{isNobodys(answers["ifStale"]) ? <Nobody /> : valueIn(answers["ifStale"])}</dd>
      <dt>Holds</dt>
      <dd>{isNobodys(answers["holds"]) ? <Nobody /> : valueIn(answers["holds"])}</dd>
      <dt>Pattern</dt>
      <dd>
        {valueIn(answers["pattern"]) === "read-through"
          ? "Read-through. A read that misses asks the source; callers never write here."
          : "Cache-aside. The caller asks the source and puts the answer here."}
      </dd>
      <dt>Age</dt>
      <dd>
        Fresh for {duration(fresh ?? "–")}
        {stale === undefined ? ", then loaded anew." : `, then up to ${duration(stale)} stale while one refresh runs.`}{" "}
        <em>
          Expiry jittered by {Number(valueIn(answers["jitter"]) ?? 0) * 100}%
          {answers["jitter"]?.is === "default" ? ", a default" : ""}.
        </em>
      </dd>
      <dt>Who sees it</dt>
      <dd>
        Everyone who asks for the same {valueIn(answers["scope"])}.
        {same === undefined ? "" : ` The same for every: ${same}.`}
      </dd>
      <dt>Changed by</dt>
      <dd>
        {changed === undefined ? (
          <>
            Time alone. <em>No operation is named.</em>
          </>
        ) : (
          <>
            Each commit of {changed}. <em>A writer that goes past it is not seen.</em>
          </>
        )}
      </dd>
      <dt>Kept warm</dt>
      <dd>
        {refresh === undefined
          ? "Nothing is refreshed before it is asked for."
          : `Refreshed before it expires: ${refresh}.`}
      </dd>
      <dt>When full</dt>
      <dd>The entry that was read longest ago goes first; nothing is protected.</dd>
    </dl>
  );
}
