import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { edgeRoom, type Frame, left, Pane, type PaneSpec, type PlotMark } from "./pane.tsx";
import { useNarrow, useWidth } from "./parts.tsx";

/** Panes one below the other that share an axis and a cursor. Lines are not smoothed and a gap stays a gap. */

interface PlotProps extends Frame {
  readonly label: string;
  /** Room for a band's label, also where there is none: two plots side by side stand level. */
  readonly reserve?: boolean;
  readonly panes: readonly PaneSpec[];
  readonly xName: string;
  readonly formatX: (value: number) => string;
  readonly children?: ComponentChildren;
}

/** Half of "now" stands to the right of the last instant. */
const plainRoom = 12;
const marksAtMost = 5;

export function Plot(props: PlotProps) {
  const { id, label, panes, marks, band, x, min, max, children, formatX, reserve = false } = props;
  const [element, width] = useWidth<HTMLDivElement>();
  const narrow = useNarrow();
  const [at, setAt] = useState<number | undefined>(undefined);
  const right = !narrow && panes.some(({ edges }) => edges) ? edgeRoom : plainRoom;
  const shown = width > left + right + 40 ? width : 0;
  const place = (value: number) => left + ((value - min) / (max - min)) * (shown - left - right);
  if (x.length < 2) return <p class="s note">Nothing to draw yet: the first figures are seconds away.</p>;
  const within = marks.filter((mark) => mark.at > min && mark.at < max);
  const labelled = grouped(within, (a, b) => place(b.at) - place(a.at));
  return (
    <figure>
      <div ref={element} class="plot" role="img" aria-label={label}>
        {shown === 0 ? null : (
          <>
            {labelled.length > 0 || reserve ? (
              <div class={`plot-marks${reserve ? " plot-marks-two" : ""}`} aria-hidden="true">
                {labelled.map((mark) => (
                  <span key={mark.at} class={`lean-${mark.anchor}`} style={{ left: `${place(mark.at)}px` }}>
                    {mark.label}
                  </span>
                ))}
                {band === undefined ? null : (
                  <span class="bad" style={{ left: `${place(Math.min(band.to, max))}px` }}>
                    {band.label}
                  </span>
                )}
              </div>
            ) : null}
            {panes.map((pane, index) => (
              <Pane
                key={pane.title}
                {...props}
                id={id}
                pane={pane}
                last={index === panes.length - 1}
                width={shown}
                right={right}
                marks={within}
                onCursor={setAt}
              />
            ))}
          </>
        )}
      </div>
      {children === undefined ? null : <figcaption>{children}</figcaption>}
      <div class="plot-foot">
        <PlotTable {...props} />
        <p class="read hide-s" aria-hidden="true">
          {at === undefined || x[at] === undefined ? "" : readout(panes, x[at], at, formatX)}
        </p>
      </div>
    </figure>
  );
}

/** Which lines, at the cursor. */
function readout(panes: readonly PaneSpec[], x: number, at: number, formatX: (value: number) => string): string {
  const figures = panes.flatMap((pane) =>
    pane.layers.map(({ name, values }) => `${name} ${written(pane, values[at])}`),
  );
  return [formatX(x), ...figures].join("  ");
}

const written = (pane: PaneSpec, value: number | null | undefined) =>
  value === null || value === undefined ? "–" : pane.format(value);

interface LabelledMark extends PlotMark {
  readonly anchor: "left" | "middle" | "right";
}

/** Nearer than this, two labels would meet; nearer than that, two rules look like one. */
const labelRoom = 64;
const ruleRoom = 12;
const joinedAtMost = 24;

/** Two that stand close lean away from each other, more are one with a count; at most five, or they are a texture. */
function grouped(marks: readonly PlotMark[], gap: (a: PlotMark, b: PlotMark) => number): readonly LabelledMark[] {
  const sorted = [...marks].sort((a, b) => a.at - b.at);
  const groups = chained(sorted, (a, b) => gap(a, b) < labelRoom);
  return groups.slice(-marksAtMost).flatMap((group): readonly LabelledMark[] => {
    const some = group.length < 3 ? group : chained(group, (a, b) => gap(a, b) < ruleRoom).flatMap(joined);
    const [first, second, third] = some;
    if (first === undefined) return [];
    if (second === undefined) return [{ ...first, anchor: "middle" }];
    if (third === undefined) {
      return [
        { ...first, anchor: "left" },
        { ...second, anchor: "right" },
      ];
    }
    const same = group.every(({ label }) => label === first.label);
    const label = same ? `${group.length} × ${first.label}` : `${first.label} and ${group.length - 1} more`;
    return [{ at: first.at, label, anchor: "middle" }];
  });
}

/** Each with those that are close to the first of its group. */
function chained(marks: readonly PlotMark[], close: (a: PlotMark, b: PlotMark) => boolean): readonly PlotMark[][] {
  const groups: PlotMark[][] = [];
  for (const mark of marks) {
    const group = groups.at(-1);
    const first = group?.[0];
    if (group !== undefined && first !== undefined && close(first, mark)) group.push(mark);
    else groups.push([mark]);
  }
  return groups;
}

/** Marks whose rules look like one, under one label, if that is short. */
function joined(marks: readonly PlotMark[]): readonly PlotMark[] {
  const [first] = marks;
  const label = [...new Set(marks.map((mark) => mark.label))].join(", ");
  return first === undefined || label.length > joinedAtMost ? marks : [{ at: first.at, label }];
}

/** The same figures for who reads rather than sees, and for who wants the number. */
function PlotTable({ id, label, x, panes, xName, formatX }: PlotProps) {
  const [open, setOpen] = useState(false);
  const every = Math.max(1, Math.ceil(x.length / 60));
  return (
    <details class="plot-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Table</summary>
      {open ? (
        <div class="tw" id={`${id}-table`}>
          <table>
            <caption class="vh">{label}</caption>
            <thead>
              <tr>
                <th scope="col">{xName}</th>
                {panes.flatMap((pane) =>
                  pane.layers.map((layer) => (
                    <th scope="col" class="r" key={pane.title + layer.name} title={pane.title}>
                      {layer.name}
                    </th>
                  )),
                )}
              </tr>
            </thead>
            <tbody>
              {x.map((value, index) =>
                index % every === 0 ? (
                  <tr key={value}>
                    <td class="m">{formatX(value)}</td>
                    {panes.flatMap((pane) =>
                      pane.layers.map((layer) => (
                        <td class="r" key={pane.title + layer.name}>
                          {written(pane, layer.values[index])}
                        </td>
                      )),
                    )}
                  </tr>
                ) : null,
              )}
            </tbody>
          </table>
        </div>
      ) : null}
    </details>
  );
}
