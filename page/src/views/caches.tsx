import type { Metrics } from "../../../src/observe/metrics.ts";
import type { Data } from "../data.ts";
import { bytes, duration, inWords, milliseconds, percent, plural, rate, whole } from "../format.ts";
import { Bones, goes, Nobody, Spark, useNarrow } from "../parts.tsx";
import { link, parse, type Route, withQuery } from "../route.ts";
import { windowOf } from "../series-plot.tsx";
import type { Theme } from "../theme.ts";
import { valueIn } from "./answers.ts";
import { CacheDetail, type Row } from "./cache-detail.tsx";

interface CachesProps {
  readonly data: Data;
  readonly route: Route;
  readonly theme: Theme;
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
        <CacheDetail key={selected.name} row={selected} data={data} metrics={metrics} theme={theme} />
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
      {selected === undefined ? null : (
        <CacheDetail key={selected.name} row={selected} data={data} metrics={metrics} theme={theme} />
      )}
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
  const bound = boundOf(metrics);
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
  /** What all caches of all instances together may hold, in words. */
  readonly bound: string;
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
      <td class="r hide-s" title={`${bound} for all caches of all instances`}>
        {whole(now?.entries ?? 0)}
      </td>
      <td class="r" title={`because memory was full; ${rate(now?.lapsedPerMinute)} more because their time was over`}>
        {quiet(now?.evictedPerMinute)}
      </td>
      <td
        class="r hide-s"
        title={`${rate(now?.earlyPerMinute)} begun by reads, ${rate(now?.refreshesPerMinute)} in the background`}
      >
        {quiet(now === undefined ? undefined : now.earlyPerMinute + now.refreshesPerMinute)}
      </td>
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

/** Instances of one declaration share its unit; while it changes, the sum over one of them would tell nothing. */
function boundOf({ instances }: Metrics): string {
  const units = new Set(instances.list.map(({ bound }) => bound.unit));
  const most = instances.list.reduce((sum, { bound }) => sum + bound.most, 0);
  if (units.size !== 1) return "one bound";
  return units.has("bytes") ? `${bytes(most)} at most` : `${whole(most)} entries at most`;
}

/** Zero is no news. */
function quiet(value: number | undefined) {
  return value === undefined || value < 0.05 ? <span class="t">0</span> : rate(value);
}
