import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
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

interface PaneProps extends Frame {
  readonly pane: PaneSpec;
  readonly last: boolean;
  readonly width: number;
  readonly right: number;
  readonly onCursor: (index: number | undefined) => void;
}

export const labelFont = "11px ui-sans-serif, Inter, system-ui, sans-serif";
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
          placeEdges(chart, current.current, gutter.current);
        },
      ],
      setCursor: [(chart) => current.current.onCursor(chart.cursor.idx ?? undefined)],
    },
  };
}

function drawBand(chart: uPlot, { band }: PaneProps, colour: string): void {
  if (band === undefined) return;
  const { ctx, bbox } = chart;
  const from = chart.valToPos(band.from, "x", true);
  const to = chart.valToPos(band.to, "x", true);
  ctx.fillStyle = colour;
  ctx.fillRect(from, bbox.top, Math.max(1, to - from), bbox.height);
}

function drawRules(
  chart: uPlot,
  { marks, pane }: PaneProps,
  colours: { readonly rule: string; readonly base: string; readonly limit: string; readonly bg: string },
): void {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  const line = (x1: number, y1: number, x2: number, y2: number, colour: string, dash: readonly number[]) => {
    ctx.beginPath();
    ctx.setLineDash(dash.map((length) => length * ratio));
    ctx.strokeStyle = colour;
    ctx.lineWidth = ratio;
    ctx.moveTo(x1, y1);
    ctx.lineTo(x2, y2);
    ctx.stroke();
  };
  ctx.save();
  const bottom = Math.round(bbox.top + bbox.height) + 0.5;
  line(bbox.left, bottom, bbox.left + bbox.width, bottom, colours.base, []);
  for (const { at } of marks) {
    const x = chart.valToPos(at, "x", true);
    line(x, bbox.top, x, bottom, colours.rule, [1.5, 2.5]);
  }
  if (pane.limit !== undefined && pane.limit.value <= pane.max) {
    const y = chart.valToPos(pane.limit.value, "y", true);
    line(bbox.left, y, bbox.left + bbox.width, y, colours.limit, [4, 3]);
    ctx.font = labelFont.replace("11px", `${11 * ratio}px`);
    const room = ctx.measureText(pane.limit.label).width + 8 * ratio;
    // it stands where the area is high as well, and a halo alone is no ground to read on
    ctx.fillStyle = colours.bg;
    ctx.fillRect(bbox.left + bbox.width - room, y - 17 * ratio, room, 15 * ratio);
    text(
      chart,
      pane.limit.label,
      bbox.left + bbox.width - 4 * ratio,
      y - 6 * ratio,
      "right",
      colours.limit,
      colours.bg,
    );
  }
  ctx.restore();
}

function drawWords(
  chart: uPlot,
  props: PaneProps,
  colours: { readonly ink: string; readonly ink2: string; readonly bg: string },
): void {
  const { pane, x } = props;
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  if (pane.tagged) {
    let lower = Number.NEGATIVE_INFINITY;
    const tags = pane.layers.flatMap(({ name, values }) => {
      const value = values.findLast((one) => one !== null);
      return typeof value === "number" ? [{ name, y: chart.valToPos(Math.max(value, pane.min), "y", true) }] : [];
    });
    for (const [order, { name, y }] of tags.sort((a, b) => a.y - b.y).entries()) {
      // the highest line has its name above, the others below
      const place = Math.max(y + (order === 0 ? -6 : 14) * ratio, lower + 13 * ratio);
      lower = place;
      text(chart, name, bbox.left + bbox.width - 2 * ratio, place, "right", colours.ink2, colours.bg);
    }
  }
  const [first] = pane.layers;
  if (pane.peak !== undefined && first !== undefined) {
    const highest = Math.max(...first.values.map((value) => value ?? Number.NEGATIVE_INFINITY));
    const index = first.values.indexOf(highest);
    const at = x[index];
    if (at !== undefined) {
      const px = chart.valToPos(at, "x", true);
      const py = chart.valToPos(highest, "y", true);
      ctx.beginPath();
      ctx.fillStyle = colours.ink;
      ctx.arc(px, py, 4 * ratio, 0, Math.PI * 2);
      ctx.fill();
      const late = px > bbox.left + bbox.width * 0.7;
      const limit = pane.limit === undefined ? undefined : chart.valToPos(pane.limit.value, "y", true);
      const above = Math.max(py - 6 * ratio, bbox.top + 8 * ratio);
      // the limit has its own label just above its line
      const meets = limit !== undefined && Math.abs(above - limit) < 20 * ratio;
      const y = meets ? limit - 22 * ratio : above;
      text(
        chart,
        pane.peak(highest),
        px + (late ? -8 : 8) * ratio,
        y,
        late ? "right" : "left",
        colours.ink,
        colours.bg,
        600,
      );
    }
  }
  ctx.restore();
}

function text(
  chart: uPlot,
  words: string,
  x: number,
  y: number,
  align: CanvasTextAlign,
  colour: string,
  halo: string,
  weight = 400,
): void {
  const { ctx } = chart;
  const ratio = devicePixelRatio;
  ctx.setLineDash([]);
  ctx.font = `${weight} ${labelFont.replace("11px", `${11 * ratio}px`)}`;
  ctx.textAlign = align;
  ctx.textBaseline = "alphabetic";
  ctx.lineJoin = "round";
  ctx.lineWidth = 3 * ratio;
  ctx.strokeStyle = halo;
  ctx.strokeText(words, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(words, x, y);
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
