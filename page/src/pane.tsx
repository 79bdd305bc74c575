import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { drawBand, drawPoints, drawRules, drawWords, labelFont } from "./pane-draw.ts";
import { colourOf, type Theme } from "./theme.ts";

/** One drawing of a plot. Lines are not smoothed and a gap stays a gap. */

export interface Layer {
  readonly name: string;
  readonly kind: "area" | "line" | "bars";
  readonly values: readonly (number | null)[];
  /** Tokens. */
  readonly fill: string;
  readonly edge: string;
}

export interface PaneSpec {
  readonly title: string;
  /** Whether the title is drawn; else it is for the table alone. */
  readonly titled: boolean;
  readonly height: number;
  readonly scale: "linear" | "log";
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  readonly format: (value: number) => string;
  /** At the axis, where digits after the point are noise. */
  readonly tick: (value: number) => string;
  /** From the bottom to the top where they are stacked. */
  readonly layers: readonly Layer[];
  readonly stacked?: boolean;
  readonly limit?: { readonly value: number; readonly label: string } | undefined;
  /** Names and last values at the right edge, where there is room. */
  readonly edges?: boolean;
  /** Names of lines, on the lines. */
  readonly tagged?: boolean;
  /** The highest value of the first layer, written beside it. */
  readonly peak?: ((value: number) => string) | undefined;
  /** What stands on a line, with its words. */
  readonly points?: readonly PlotPoint[] | undefined;
}

export interface PlotPoint {
  readonly at: number;
  readonly value: number;
  readonly label: string;
  /** What might be, where a full one is what is. */
  readonly hollow: boolean;
}

export interface PlotMark {
  readonly at: number;
  readonly label: string;
}

/** What all panes of a plot have in common. */
export interface Frame {
  readonly id: string;
  readonly theme: Theme;
  readonly x: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  readonly marks: readonly PlotMark[];
  readonly band?: { readonly from: number; readonly to: number; readonly label: string } | undefined;
}

export const left = 46;
/** For names and last values at the right edge. */
export const edgeRoom = 124;

export interface PaneProps extends Frame {
  readonly pane: PaneSpec;
  readonly last: boolean;
  readonly width: number;
  readonly right: number;
  readonly onCursor: (index: number | undefined) => void;
}

const axisHeight = 22;
const topPad = 6;
/** Half a line, so that the zero at the foot of a pane is not cut. */
const footPad = 6;

const heightOf = ({ pane, last }: PaneProps) => pane.height + topPad + (last ? axisHeight : footPad);

/** One uPlot. It is made again when its shape changes, and only told when its figures do. */
export function Pane(props: PaneProps) {
  const { pane, last, width, right, theme, id } = props;
  const element = useRef<HTMLDivElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const current = useRef(props);
  current.current = props;
  const shape = [
    width,
    right,
    theme,
    id,
    last,
    pane.height,
    pane.scale,
    pane.layers.map(({ name }) => name).join(),
  ].join();

  useEffect(() => {
    const { current: target } = element;
    if (target === null) return;
    const made = new uPlot(optionsOf(current, gutter), dataOf(current.current), target);
    chart.current = made;
    return () => {
      made.destroy();
      chart.current = undefined;
    };
  }, [shape]);
  useEffect(() => {
    chart.current?.setData(dataOf(current.current));
  });

  return (
    <div class="pane">
      {pane.titled ? <div class="pane-title">{pane.title}</div> : null}
      <div class="pane-draw" ref={element} style={{ height: `${heightOf(props)}px` }}>
        {pane.edges && right === edgeRoom ? <div class="pane-edges" ref={gutter} aria-hidden="true" /> : null}
      </div>
    </div>
  );
}

/** Where layers are stacked, each is drawn up to the sum of all below it, the highest first. */
function drawn({ pane }: PaneProps): readonly (readonly (number | null)[])[] {
  if (pane.scale === "log") {
    return pane.layers.map(({ values }) => values.map((value) => (value === null ? null : Math.max(value, pane.min))));
  }
  if (pane.stacked !== true) return pane.layers.map(({ values }) => values);
  const sums: (number | null)[][] = [];
  for (const { values } of pane.layers) {
    const below = sums.at(-1);
    sums.push(
      values.map((value, index) => {
        const base = below === undefined ? 0 : (below[index] ?? null);
        return value === null || base === null ? null : value + base;
      }),
    );
  }
  return sums.reverse();
}

function dataOf(props: PaneProps): uPlot.AlignedData {
  return [props.x, ...drawn(props)] as unknown as uPlot.AlignedData;
}

const bars = uPlot.paths.bars?.({ size: [0.86, 12] });

function optionsOf(
  current: { readonly current: PaneProps },
  gutter: { readonly current: HTMLDivElement | null },
): uPlot.Options {
  const { pane, last, width, right, id } = current.current;
  const ink2 = colourOf("ink2");
  const ink3 = colourOf("ink3");
  const ordered = pane.stacked === true ? [...pane.layers].reverse() : pane.layers;
  return {
    width,
    height: heightOf(current.current),
    padding: [topPad, right, last ? 0 : footPad, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false }, sync: { key: id } },
    scales: {
      x: { time: false, range: () => [current.current.min, current.current.max] },
      y: {
        ...(pane.scale === "log" ? { distr: 3 as const, log: 10 as const } : {}),
        range: () => [current.current.pane.min, current.current.pane.max],
      },
    },
    axes: [
      {
        show: last,
        size: axisHeight,
        gap: 4,
        font: labelFont,
        stroke: ink3,
        grid: { show: false },
        ticks: { show: false },
        splits: () => current.current.ticks.map(({ at }) => at),
        values: () => current.current.ticks.map(({ label }) => label),
      },
      {
        size: left,
        gap: 6,
        font: labelFont,
        stroke: ink3,
        ticks: { show: false },
        grid: { stroke: colourOf("grid"), width: 1 },
        splits: () => [...current.current.pane.ticks],
        filter: (_, splits) => splits,
        values: (_, splits) => splits.map((value) => current.current.pane.tick(value)),
      },
    ],
    series: [
      {},
      ...ordered.map(({ name, kind, fill, edge }): uPlot.Series => {
        const stroke = colourOf(edge);
        if (kind === "line") return { label: name, stroke, width: 1.5, points: { show: false } };
        if (kind === "area") return { label: name, stroke, fill: colourOf(fill), width: 1, points: { show: false } };
        return {
          label: name,
          fill: colourOf(fill),
          width: 0,
          points: { show: false },
          ...(bars === undefined ? {} : { paths: bars }),
        };
      }),
    ],
    hooks: {
      drawClear: [(chart) => drawBand(chart, current.current, colourOf("bad-bg"))],
      draw: [
        (chart) => {
          drawRules(chart, current.current, { rule: ink3, base: colourOf("line2"), limit: ink2, bg: colourOf("bg") });
          drawWords(chart, current.current, { ink: colourOf("ink"), ink2, bg: colourOf("bg") });
          drawPoints(chart, current.current, { ink: colourOf("ink"), ink2, rule: ink3, bg: colourOf("bg") });
          placeEdges(chart, current.current, gutter.current);
        },
      ],
      setCursor: [(chart) => current.current.onCursor(chart.cursor.idx ?? undefined)],
    },
  };
}

/** Values at the right edge, each at the height of its layer, moved apart where they would meet. */
function placeEdges(chart: uPlot, props: PaneProps, gutter: HTMLDivElement | null): void {
  if (gutter === null) return;
  const { pane } = props;
  const sums = pane.stacked === true ? [...drawn(props)].reverse() : drawn(props);
  const entries = pane.layers.flatMap((layer, index) => {
    const at = layer.values.findLastIndex((value) => value !== null);
    const value = layer.values[at];
    const top = sums[index]?.[at];
    if (typeof value !== "number" || typeof top !== "number") return [];
    return [{ layer, value, y: chart.valToPos(pane.stacked === true ? top - value / 2 : top, "y") + topPad }];
  });
  entries.sort((a, b) => a.y - b.y);
  // from the bottom up: what is close to zero stands at the bottom, in order
  let floor = pane.height + topPad + 6;
  const places = [...entries].reverse().map(({ y }) => {
    floor = Math.min(floor - 15, y - 8);
    return floor;
  });
  places.reverse();
  gutter.replaceChildren(
    ...entries.map(({ layer, value }, index) => {
      const row = document.createElement("div");
      row.style.top = `${places[index]}px`;
      const box = document.createElement("i");
      box.style.background = `var(--${layer.fill})`;
      box.style.borderColor = `var(--${layer.edge})`;
      const name = document.createElement("span");
      name.textContent = layer.name;
      const amount = document.createElement("b");
      amount.textContent = pane.format(value);
      row.append(box, name, amount);
      return row;
    }),
  );
}
