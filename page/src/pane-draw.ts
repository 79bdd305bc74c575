import type uPlot from "uplot";
import type { PaneProps, PlotPoint } from "./pane.tsx";

/** What is drawn on a pane beside its lines: bands, rules, words and points. */

export const labelFont = "11px ui-sans-serif, Inter, system-ui, sans-serif";

export function drawBand(chart: uPlot, { band }: PaneProps, colour: string): void {
  if (band === undefined) return;
  const { ctx, bbox } = chart;
  const from = chart.valToPos(band.from, "x", true);
  const to = chart.valToPos(band.to, "x", true);
  ctx.fillStyle = colour;
  ctx.fillRect(from, bbox.top, Math.max(1, to - from), bbox.height);
}

export function drawRules(
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

export function drawWords(
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

/** With a rule from its words down to the axis, which tells whose words they are. */
function dot(
  { ctx, bbox }: uPlot,
  { hollow }: PlotPoint,
  { x, y, top }: { readonly x: number; readonly y: number; readonly top: number },
  colours: { readonly ink: string; readonly rule: string; readonly bg: string },
): void {
  const ratio = devicePixelRatio;
  ctx.beginPath();
  ctx.setLineDash([1.5 * ratio, 2.5 * ratio]);
  ctx.strokeStyle = colours.rule;
  ctx.lineWidth = ratio;
  ctx.moveTo(x, top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.beginPath();
  ctx.setLineDash([]);
  ctx.arc(x, y, 3.5 * ratio, 0, Math.PI * 2);
  ctx.fillStyle = hollow ? colours.bg : colours.ink;
  ctx.fill();
  ctx.strokeStyle = colours.ink;
  ctx.lineWidth = 1.25 * ratio;
  ctx.stroke();
}

/** Two labels that would meet stand one above the other. */
const labelHeight = 15;

/** Each with a rule down to its place on the axis, and its words on the side that has room. */
export function drawPoints(
  chart: uPlot,
  { pane }: PaneProps,
  colours: { readonly ink: string; readonly ink2: string; readonly rule: string; readonly bg: string },
): void {
  const { points = [] } = pane;
  if (points.length === 0) return;
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  const placed: { readonly left: number; readonly right: number; readonly y: number }[] = [];
  const place = ({ at, value }: PlotPoint) => ({
    x: chart.valToPos(at, "x", true),
    y: chart.valToPos(value, "y", true),
  });
  for (const point of points) {
    const { x, y } = place(point);
    const weight = point.hollow ? 400 : 600;
    ctx.font = `${weight} ${labelFont.replace("11px", `${11 * ratio}px`)}`;
    const room = ctx.measureText(point.label).width;
    const late = x + room + 8 * ratio > bbox.left + bbox.width;
    const span = late ? { left: x - room, right: x } : { left: x, right: x + room };
    let baseline = y - 9 * ratio;
    // each step up is a step away from all that stand there
    for (let step = 0; step <= placed.length; step += 1) {
      const meets = placed.some(
        (other) =>
          other.left < span.right + 8 * ratio &&
          span.left < other.right + 8 * ratio &&
          Math.abs(other.y - baseline) < labelHeight * ratio,
      );
      if (!meets) break;
      baseline -= labelHeight * ratio;
    }
    placed.push({ ...span, y: baseline });
    const above = Math.max(baseline, bbox.top + 8 * ratio);
    dot(chart, point, { x, y, top: above + 3 * ratio }, colours);
    const colour = point.hollow ? colours.ink2 : colours.ink;
    text(chart, point.label, x + (late ? -2 : 2) * ratio, above, late ? "right" : "left", colour, colours.bg, weight);
  }
  ctx.restore();
}
