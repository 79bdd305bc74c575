import type { IncidentSide, Kill } from "../../../src/page/incident.ts";
import { labelFont } from "../pane-draw.ts";
import { useNarrow, useWidth } from "../parts.tsx";
import { linear } from "../scales.ts";

type Kills = NonNullable<IncidentSide["kills"]>;

interface KillPlotProps {
  readonly kills: Kills;
  /** The most that was counted on either side: both have one scale. */
  readonly most: number;
}

const [left, right, top, height] = [46, 8, 10, 96];
const lineHeight = 13;
const linesAtMost = 3;
/** Up to here each number has its line. */
const linesEach = 5;

/** A dot for each kill, placed where in the run it fell; its height is what it led to. */
export function KillPlot({ kills, most }: KillPlotProps) {
  const [element, width] = useWidth<HTMLElement>();
  const narrow = useNarrow();
  const steps = stepsOf(kills.events);
  const ordered = steps.flatMap((step) => step.kills);
  const above = Math.max(2, most + 1);
  const { max: ceiling, ticks } = linear([above], Math.min(above, linesEach), 1);
  const each = Math.max(0, width - left - right) / ordered.length;
  const x = (index: number) => left + (index + 0.5) * each;
  const y = (value: number) => top + height - (value / ceiling) * height;
  let start = 0;
  const spans = steps.map(({ name, kills }) => {
    const span = { name, from: x(start - 0.5), middle: x(start + kills.length / 2 - 0.5) };
    start += kills.length;
    return { ...span, lines: linesOf(name, kills.length * each - apart) };
  });
  // one name that does not fit, and all are numbers: two kinds of labels on one axis would be none
  const numbered = !standApart(
    spans.map(({ lines }) => lines),
    spans.map(({ middle }) => middle),
  );
  const foot = 8 + lineHeight * (numbered ? 1 : Math.max(1, ...spans.map(({ lines }) => lines.length)));
  return (
    <figure ref={element}>
      {width === 0 ? null : (
        <svg
          width={width}
          height={top + height + foot}
          role="img"
          aria-label={`${kills.heads[0]} by the moment the process was killed`}
        >
          {ticks.map((value) => (
            <g key={`${value}-tick`}>
              <path d={`M${left} ${y(value)}H${width - right}`} stroke={value === 0 ? "var(--line2)" : "var(--grid)"} />
              <text x={left - 6} y={y(value) + 4} text-anchor="end">
                {value}
              </text>
            </g>
          ))}
          {spans.map(({ name, from, middle, lines }, index) => (
            <g key={name}>
              {index === 0 ? null : (
                <path d={`M${from} ${top}V${top + height}`} stroke="var(--line2)" stroke-dasharray="1.5 2.5" />
              )}
              {(numbered ? [String(index + 1)] : lines).map((line, row) => (
                <text key={line} x={middle} y={top + height + 15 + row * lineHeight} text-anchor="middle">
                  {line}
                </text>
              ))}
            </g>
          ))}
          {ordered.map(({ count, bad }, index) => (
            <circle
              key={`${x(index)}`}
              cx={x(index)}
              cy={y(count)}
              r={narrow ? 2.5 : 4}
              fill={bad ? "var(--bad)" : "var(--ink2)"}
            />
          ))}
        </svg>
      )}
      {numbered && width > 0 ? (
        <ol class="steps">
          {steps.map(({ name }, index) => (
            <li key={name}>
              <span class="t">{index + 1}</span> {name}
            </li>
          ))}
        </ol>
      ) : null}
      <figcaption>
        Each dot is one of {ordered.length} kills, placed where in the run it fell. Height: {kills.height}.
      </figcaption>
      <KillTable events={ordered} heads={kills.heads} />
    </figure>
  );
}

interface Step {
  readonly name: string;
  readonly kills: readonly Kill[];
}

/** Steps in the order of the run, the moments within each in theirs; a kill is told as `step: moment`. */
function stepsOf(events: readonly Kill[]): readonly Step[] {
  const points = [...new Set(events.map(({ point }) => point))];
  const stepOf = (point: string) => /^([^:]+):/.exec(point)?.[1]?.trim() ?? point;
  return [...new Set(points.map(stepOf))].map((name) => ({
    name,
    kills: points
      .filter((point) => stepOf(point) === name)
      .flatMap((point) => events.filter((event) => event.point === point)),
  }));
}

const ruler = document.createElement("canvas").getContext("2d");
/** Between two names. */
const apart = 4;

function widthOf(words: string): number {
  if (ruler === null) return Number.POSITIVE_INFINITY;
  ruler.font = labelFont;
  return ruler.measureText(words).width;
}

/** A name on lines, each as full as there is room. */
function linesOf(name: string, room: number): readonly string[] {
  const lines: string[] = [];
  for (const word of name.split(" ")) {
    const before = lines.at(-1);
    const longer = `${before} ${word}`;
    if (before !== undefined && widthOf(longer) <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Whether no name meets the next one, and none is a paragraph. */
function standApart(names: readonly (readonly string[])[], middles: readonly number[]): boolean {
  let free = 0;
  return names.every((lines, index) => {
    const half = Math.max(...lines.map(widthOf)) / 2;
    const middle = middles[index] ?? 0;
    const fits = lines.length <= linesAtMost && middle - half >= free;
    free = middle + half + apart;
    return fits;
  });
}

function KillTable({ events, heads: [count, beside, told] }: Pick<Kills, "events" | "heads">) {
  return (
    <details class="plot-table">
      <summary>Table</summary>
      <div class="tw">
        <table>
          <caption class="vh">Kills</caption>
          <thead>
            <tr>
              <th scope="col">Killed at</th>
              <th scope="col" class="r">
                {count}
              </th>
              <th scope="col" class="r">
                {beside}
              </th>
              <th scope="col">{told}</th>
            </tr>
          </thead>
          <tbody>
            {events.map((kill, index) => (
              <tr key={`${kill.point}${index}`}>
                <td class="wrap">{kill.point}</td>
                <td class={`r${kill.bad ? " bad" : ""}`}>{kill.count}</td>
                <td class="r">{kill.beside}</td>
                <td class="wrap">{kill.told}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
