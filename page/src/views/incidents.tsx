import { useState } from "preact/hooks";
import type { IncidentResult, IncidentSide } from "../../../src/page/incident.ts";
import type { IncidentAnswer } from "../../../src/page/wire.ts";
import { type Data, fetchJson, Refused } from "../data.ts";
import { age, day, milliseconds, rate, second, tick, whole } from "../format.ts";
import type { Layer, PaneSpec } from "../pane.tsx";
import { Bones, Section, useNarrow } from "../parts.tsx";
import { Plot } from "../plot.tsx";
import { link, type Route } from "../route.ts";
import { decades, linear } from "../scales.ts";
import type { Theme } from "../theme.ts";
import { KillPlot } from "./kill-plot.tsx";

interface IncidentsProps {
  readonly data: Data;
  readonly route: Route;
  readonly theme: Theme;
}

export function Incidents({ data, route, theme }: IncidentsProps) {
  const { incidents } = data;
  if (incidents === undefined) return <Bones title="Incidents" />;
  const [asked] = route.path;
  const incident = incidents.incidents.find(({ name }) => name === asked) ?? incidents.incidents[0];
  if (incident === undefined) return <p class="s">This service replays no incidents.</p>;
  const { last } = incident;
  return (
    <>
      <div class="head">
        <div>
          <h1>{last?.headline ?? incident.title}</h1>
          <p class="lede">
            {incident.story}{" "}
            <span class="t">
              {last === null
                ? "It has not been replayed yet."
                : `Replayed on ${day(Date.parse(last.at))} at ${second(Date.parse(last.at))} in scratch processes; nothing here touched production.`}
            </span>
          </p>
        </div>
        <div class="acting">
          <nav class="seg" aria-label="Incident">
            {incidents.incidents.map(({ name, title }) => (
              <a
                key={name}
                href={link(route, "incidents", [name])}
                aria-current={name === incident.name ? "true" : undefined}
              >
                {title}
              </a>
            ))}
          </nav>
          <Replay data={data} incident={incident} startable={incidents.startable} />
        </div>
      </div>
      <Progress data={data} incident={incident} />
      {incident.failed === null ? null : (
        <div class="notice bad" role="alert">
          <span>
            <b>The last replay came to nothing.</b> {incident.failed}
          </span>
        </div>
      )}
      {last === null ? null : <Result name={incident.name} result={last} theme={theme} />}
    </>
  );
}

interface ReplayProps {
  readonly data: Data;
  readonly incident: IncidentAnswer;
  readonly startable: boolean;
}

/** The one thing that this page can do. It says what will happen, and how long it takes, before it does. */
function Replay({ data, incident, startable }: ReplayProps) {
  const [refusal, setRefusal] = useState<string | undefined>(undefined);
  const [asked, setAsked] = useState(false);
  const running = data.live?.incident ?? data.incidents?.running ?? null;
  const start = () => {
    setAsked(true);
    setRefusal(undefined);
    fetchJson(`/incidents/${encodeURIComponent(incident.name)}/start`, { method: "POST" })
      .then(data.refreshIncidents, (error: unknown) =>
        setRefusal(error instanceof Refused ? error.message : "The service did not answer."),
      )
      .finally(() => setAsked(false));
  };
  const off = !startable || running !== null || asked || data.connection !== "live";
  const title = startable
    ? `Starts scratch processes on this machine for about ${incident.takesSeconds} s. Nothing of this service is touched.`
    : "Only from the machine that the service runs on.";
  return (
    <>
      <button type="button" class="btn" disabled={off} title={title} onClick={start}>
        {running?.name === incident.name ? "Replaying" : `Replay, ${incident.takesSeconds} s`}
      </button>
      {refusal === undefined ? null : (
        <span class="small bad" role="alert">
          {refusal}
        </span>
      )}
    </>
  );
}

function Progress({ data, incident }: { readonly data: Data; readonly incident: IncidentAnswer }) {
  const running = data.live?.incident ?? null;
  if (running === null || data.live === undefined) return null;
  return (
    <div class="notice" role="status">
      <span class="progress">
        <b>{running.name === incident.name ? "Replaying" : `Replaying ${running.name}`}</b>
        <progress value={running.share} max={1} aria-label="How far it is" />
        {Math.round(running.share * 100)}% · {age(data.live.at - running.since)} · {running.line}
      </span>
    </div>
  );
}

interface ResultProps {
  readonly name: string;
  readonly result: IncidentResult;
  readonly theme: Theme;
}

function Result({ name, result, theme }: ResultProps) {
  const most = Math.max(1, ...result.sides.flatMap(({ kills }) => (kills?.events ?? []).map(({ count }) => count)));
  return (
    <div class="cols">
      {result.sides.map((side, index) => (
        <section class="c6 side" key={side.title}>
          <header>
            <h3>
              {side.title} <span class="t">{side.note}</span>
            </h3>
          </header>
          <Outcome side={side} />
          {side.panes.length === 0 ? null : (
            <IncidentPlot id={`${name}-${index}`} sync={name} sides={result.sides} side={side} theme={theme} />
          )}
          {side.kills === undefined ? null : <KillPlot kills={side.kills} most={most} />}
        </section>
      ))}
      {result.rows.length === 0 ? null : (
        <Section class="c6" title={result.rowsTitle}>
          <Rows result={result} />
        </Section>
      )}
      <Section class={result.rows.length === 0 ? "c12" : "c6"} title="How it was replayed">
        <dl class="says">
          {result.facts.map((fact) => [
            <dt key={`${fact.name}-name`}>{fact.name}</dt>,
            <dd key={fact.name}>{fact.value}</dd>,
          ])}
          <dt>Again</dt>
          <dd>
            <code>{result.again}</code>
          </dd>
        </dl>
      </Section>
    </div>
  );
}

function Outcome({ side }: { readonly side: IncidentSide }) {
  return (
    <dl class="figs out">
      {side.figures.map(({ label, value, unit, bad }) => (
        <div class="fig" key={label}>
          <dt>{label}</dt>
          <dd class={bad ? "bad" : ""}>
            {value}
            {unit === "" ? null : <small>{unit}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Rows({ result }: { readonly result: IncidentResult }) {
  return (
    <div class="tw rows">
      <table>
        <caption class="vh">{result.rowsTitle}</caption>
        <thead>
          <tr>
            <th scope="col">{result.rowsOf}</th>
            {result.rowHeads.map((head) => (
              <th scope="col" class="r" key={head}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {result.rows.map(({ taken, figures }) => (
            <tr key={taken}>
              <td class="wrap">{taken}</td>
              {result.rowHeads.map((head, index) => (
                <td class="r" key={head}>
                  {written(figures[index])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const written = (value: number | null | undefined) =>
  value === null || value === undefined ? (
    <span class="t">–</span>
  ) : Number.isInteger(value) ? (
    whole(value)
  ) : value < 100 ? (
    value.toFixed(1)
  ) : (
    whole(value)
  );

/** Heights by what weighs: the pane with the limit is the one that the story is about. */
function heightOf(pane: IncidentSide["panes"][number], index: number): number {
  if (pane.limit !== undefined) return 150;
  if (pane.scale === "log") return 110;
  return index === 0 ? 34 : 44;
}

const colours = (title: string, name: string, index: number): Pick<Layer, "fill" | "edge"> => {
  if (/error|fail/i.test(`${title} ${name}`)) return { fill: "bad", edge: "bad" };
  if (/p99|slow/i.test(name)) return { fill: "ink3", edge: "ink" };
  if (/p50|middle|median/i.test(name)) return { fill: "shared", edge: "shared-e" };
  if (/quer|load|database/i.test(`${title} ${name}`)) return { fill: "source", edge: "source-e" };
  return index === 0 ? { fill: "line", edge: "ink3" } : { fill: "stale", edge: "stale-e" };
};

function paneOf(pane: IncidentSide["panes"][number], index: number, sides: IncidentResult["sides"]): PaneSpec {
  // both sides have the same axes: else the quiet one would look as wild as the other
  const same = sides.flatMap(({ panes }) => panes.filter(({ title }) => title === pane.title));
  const values = same.flatMap(({ lines, limit }) => [...lines.flatMap((line) => line.values), limit?.value ?? null]);
  const log = pane.scale === "log";
  const height = heightOf(pane, index);
  const time = log || pane.unit === "ms" || pane.unit === "s";
  const inMs = (value: number) => milliseconds(pane.unit === "s" ? value * 1_000 : value);
  const format = (value: number) => (time ? inMs(value) : figure(value));
  const unit = time
    ? ""
    : pane.unit.startsWith("/")
      ? `, per ${pane.unit.slice(1)}`
      : pane.unit === ""
        ? ""
        : `, ${pane.unit}`;
  return {
    ...(log ? decades(values) : linear(values, height > 100 ? 3 : 1, 1)),
    title: `${pane.title}${pane.title.includes(unit.replace(/^, /, "")) ? "" : unit}${log ? ", log scale" : ""}`,
    ...{ titled: true, height, scale: pane.scale, format },
    tick: (value) => (time ? inMs(value).replace(".0 ", " ") : tick(value)),
    layers: pane.lines.map((line, place) => ({ ...line, ...colours(pane.title, line.name, index + place) })),
    limit: pane.limit,
    tagged: pane.lines.length > 1,
    peak: pane.limit === undefined ? undefined : (value) => `${figure(value)} at the peak`,
  };
}

const figure = (value: number) => (Number.isInteger(value) ? whole(value) : rate(value));

interface IncidentPlotProps {
  readonly id: string;
  readonly sync: string;
  readonly sides: IncidentResult["sides"];
  readonly side: IncidentSide;
  readonly theme: Theme;
}

function IncidentPlot({ sync, sides, side, theme }: IncidentPlotProps) {
  const narrow = useNarrow();
  const [first] = side.panes;
  const x = first?.x ?? [];
  const ends = sides.flatMap(({ panes }) => panes.flatMap((pane) => [pane.x[0] ?? 0, pane.x.at(-1) ?? 0]));
  const min = Math.min(...ends);
  const max = Math.max(...ends);
  return (
    <Plot
      id={sync}
      label={`${side.title}: ${side.figures.map(({ label, value, unit }) => `${label} ${value} ${unit}`).join(", ")}`}
      theme={theme}
      x={x}
      min={min}
      max={max}
      ticks={storyTicks(min, max, narrow ? 4 : 7)}
      marks={side.marks}
      band={
        side.outage === undefined ? undefined : { ...side.outage, label: `outage, ${whole(side.outage.seconds)} s` }
      }
      reserve={sides.some(({ outage }) => outage !== undefined)}
      panes={side.panes.map((pane, index) => paneOf(pane, index, sides))}
      xName="Story time"
      formatX={story}
    />
  );
}

/** Seconds of the story, as people say them: `−30 s`, `0`, `1 min`. */
function story(seconds: number): string {
  if (seconds === 0) return "0";
  const sign = seconds < 0 ? "−" : "";
  const size = Math.abs(seconds);
  if (size < 60) return `${sign}${Math.round(size)} s`;
  return size % 60 === 0 ? `${sign}${size / 60} min` : `${sign}${Math.floor(size / 60)} min ${Math.round(size % 60)} s`;
}

function storyTicks(min: number, max: number, atMost: number) {
  const length = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((one) => (max - min) / one <= atMost) ?? 600;
  const ticks: { readonly at: number; readonly label: string }[] = [];
  const first = Math.ceil(min / length) * length;
  // the first one stands at the edge only where there is room beside the next
  if ((first - min) / (max - min) > 0.6 / atMost) ticks.push({ at: min, label: story(min) });
  for (let at = first; at <= max; at += length) ticks.push({ at, label: story(at) });
  return ticks;
}
