import type { ComponentChildren } from "preact";
import type { Metrics, ReadSeries, RunSeries, Series } from "../../src/observe/metrics.ts";
import { minute, rate, tick } from "./format.ts";
import type { Layer, PaneSpec } from "./pane.tsx";
import { useNarrow } from "./parts.tsx";
import { Plot } from "./plot.tsx";
import { linear, times } from "./scales.ts";
import type { Theme } from "./theme.ts";

/** How far a read had to travel: nearer is paler, the source is the only loud one. From the bottom up. */
const origins = [
  { key: "source", name: "source" },
  { key: "shared", name: "shared load" },
  { key: "stale", name: "stale" },
  { key: "memory", name: "memory" },
] as const satisfies readonly { key: keyof ReadSeries; name: string }[];

const endings = [
  { key: "failed", name: "failed", fill: "source", edge: "source-e" },
  { key: "told", name: "told only", fill: "stale", edge: "stale-e" },
  { key: "refused", name: "refused", fill: "line2", edge: "ink3" },
  { key: "replayed", name: "replayed", fill: "memory", edge: "memory-e" },
  { key: "ran", name: "ran", fill: "store", edge: "store-e" },
] as const satisfies readonly { key: keyof RunSeries; name: string; fill: string; edge: string }[];

interface SeriesPlotProps {
  readonly id: string;
  readonly metrics: Metrics;
  readonly theme: Theme;
  readonly children?: ComponentChildren;
}

function axis({ from, until, ends, marks }: Metrics, narrow: boolean) {
  const min = ends[0] ?? from;
  return {
    x: ends,
    min,
    max: until,
    ticks: times(min, until, narrow ? 4 : 7),
    marks: marks.map(({ at, what, instance }) => ({ at, label: narrow ? what : `${what} ${instance}` })),
    xName: "Until",
    formatX: minute,
  };
}

const failedLayer = (values: ReadSeries["failed"]): readonly Layer[] =>
  values.some((value) => value !== null && value > 0)
    ? [{ name: "failed", kind: "area", values, fill: "bad", edge: "bad" }]
    : [];

/** Stacked, from the bottom up. */
function barsPane(
  title: string,
  layers: readonly { readonly name: string; readonly values: Series; readonly fill: string }[],
): PaneSpec {
  const totals = (layers[0]?.values ?? []).map((_, index) =>
    layers.reduce((sum, { values }) => sum + (values[index] ?? 0), 0),
  );
  return {
    ...linear(totals, 1, 10),
    ...{ title, titled: true, height: 34, scale: "linear", format: rate, tick, stacked: true },
    layers: layers.map(({ name, values, fill }): Layer => ({ name, kind: "bars", values, fill, edge: fill })),
  };
}

export function ReadsPlot({
  id,
  metrics,
  theme,
  reads,
  detailed,
  children,
}: SeriesPlotProps & { readonly reads: ReadSeries; readonly detailed: boolean }) {
  const narrow = useNarrow();
  const layers: readonly Layer[] = [
    ...failedLayer(reads.failed),
    ...origins.map(({ key, name }): Layer => ({ name, kind: "area", values: reads[key], fill: key, edge: `${key}-e` })),
  ];
  const totals = metrics.ends.map((_, index) => layers.reduce((sum, { values }) => sum + (values[index] ?? 0), 0));
  const panes: readonly PaneSpec[] = [
    {
      ...linear(totals, 2, 2),
      ...{ title: "Reads by origin, per second", titled: false, height: 150, scale: "linear", format: rate, tick },
      ...{ layers, stacked: true, edges: true },
    },
    {
      ...linear(reads.loads, 2, 1),
      ...{ title: "Loads from the source, per second", titled: true, height: 64, scale: "linear", format: rate, tick },
      layers: [{ name: "loads", kind: "area", values: reads.loads, fill: "source", edge: "source-e" }],
    },
    ...(detailed
      ? [
          barsPane("Refreshed before expiry, per minute: by reads (strong), in the background (faint)", [
            { name: "early by reads", values: reads.earlyPerMinute, fill: "shared" },
            { name: "in the background", values: reads.refreshesPerMinute, fill: "store" },
          ]),
          barsPane("Left memory, per minute: as it was full (strong), as their time was over (faint)", [
            { name: "full", values: reads.evictedPerMinute, fill: "ink3" },
            { name: "expired", values: reads.lapsedPerMinute, fill: "line2" },
          ]),
        ]
      : [
          barsPane("Evicted because memory was full, per minute", [
            { name: "evicted", values: reads.evictedPerMinute, fill: "ink3" },
          ]),
        ]),
  ];
  return (
    <Plot
      id={id}
      label="Reads per second by origin, with the loads from the source on their own scale below"
      theme={theme}
      panes={panes}
      {...axis(metrics, narrow)}
    >
      {children}
    </Plot>
  );
}

export function OriginLegend({
  values,
}: {
  readonly values: Readonly<Record<(typeof origins)[number]["key"], number>>;
}) {
  return (
    <div class="legend only-s">
      {origins.map(({ key, name }) => (
        <span key={key}>
          <i class={`box box-${key}`} />
          {name} <b>{rate(values[key])}</b>
        </span>
      ))}
    </div>
  );
}

export function OperationsPlot({ id, metrics, theme, runs }: SeriesPlotProps & { readonly runs: RunSeries }) {
  const narrow = useNarrow();
  const layers = endings
    .filter(({ key }) => key === "ran" || key === "replayed" || runs[key].some((value) => value !== null && value > 0))
    .map(({ key, name, fill, edge }): Layer => ({ name, kind: "area", values: runs[key], fill, edge }));
  const totals = metrics.ends.map((_, index) => layers.reduce((sum, { values }) => sum + (values[index] ?? 0), 0));
  return (
    <Plot
      id={id}
      label="Operations per minute by outcome"
      theme={theme}
      panes={[
        {
          ...linear(totals, 3, 3),
          ...{
            title: "Operations by outcome, per minute",
            titled: false,
            height: 120,
            scale: "linear",
            format: rate,
            tick,
          },
          ...{ layers, stacked: true, edges: true },
        },
      ]}
      {...axis(metrics, narrow)}
    />
  );
}

const spans = { "15m": "last 15 min", "1h": "last hour", "24h": "last 24 h", "7d": "last 7 days" } as const;
const lengths = { "15m": 900_000, "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000 } as const;

/** The window, as it is: what the journal cannot fill is not claimed. */
export function windowOf({ range, from, until }: Metrics): string {
  return until - from > lengths[range] * 0.9 ? spans[range] : `since ${minute(from)}`;
}
