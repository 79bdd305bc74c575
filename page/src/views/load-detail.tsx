import type { LoadRow, LoadRunRow, WindowRow } from "../../../src/admin/load-rows.ts";
import type { LoadAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { age, full, milliseconds, plural, whole } from "../format.ts";
import { Fig, goes, Meter, quiet, Section, Unknown } from "../parts.tsx";
import { link, type Route } from "../route.ts";
import { boundsOf, stateOf, WindowLegend, WindowStrip } from "../window-strip.tsx";
import { Refusals } from "./act-end.tsx";
import { ActPanel } from "./act-panel.tsx";
import { Facts } from "./facts.tsx";

interface LoadDetailProps {
  readonly answer: LoadAnswer;
  readonly at: number;
  readonly route: Route;
  readonly narrow: boolean;
  readonly administration: Administration;
  readonly askUnlock: () => void;
  readonly done: (answer: LoadAnswer) => void;
}

export function LoadDetail({ answer, at, route, narrow, administration, askUnlock, done }: LoadDetailProps) {
  const { load, runs, shown, asked, choices } = answer;
  const act = (
    <ActPanel
      key={load.name}
      kind="load"
      name={load.name}
      timeZone={null}
      {...{ choices, asked, administration, askUnlock, done }}
    />
  );
  const refused =
    load.refusal === null || asked?.does === "run" ? null : (
      <div class="asked">
        <p class="t">The last run, {age(at - load.refusal.at)} ago</p>
        <Refusals because={load.refusal.because} />
      </div>
    );
  if (shown === null) {
    return (
      <Section title={<span class="m">{load.name}</span>}>
        {refused}
        <p class="s">It has not run yet, or longer ago than runs are kept.</p>
        {act}
      </Section>
    );
  }
  return (
    <div class="cols job">
      <Section class="c3" title="Runs" aside={`of ${load.name}`}>
        <RunList runs={runs} selected={shown.run.run} at={at} route={route} load={load.name} />
      </Section>
      <div class="c9">
        {refused}
        <RunDetail load={load} shown={shown} at={at} narrow={narrow} />
        {act}
      </div>
    </div>
  );
}

interface RunListProps {
  readonly runs: readonly LoadRunRow[];
  readonly selected: string;
  readonly at: number;
  readonly route: Route;
  readonly load: string;
}

function RunList({ runs, selected, at, route, load }: RunListProps) {
  return (
    <table class="runs">
      <caption class="vh">Runs of {load}, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">State</th>
          <th scope="col" class="r">
            Begun
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr key={run.run} {...goes(link(route, "loads", [load, run.run]))} aria-selected={run.run === selected}>
            <td class="wrap">
              <span class="name m">{run.run.startsWith(`${load}#`) ? run.run.slice(load.length) : run.run}</span>
              <span class="sub">{rangeOf(run)}</span>
            </td>
            <td class={`wrap${run.is === "unfinished" ? " warn" : ""}`}>
              {run.is === "done"
                ? "done"
                : `${run.is === "running" ? "running" : "stopped"}, ${run.windows.done} of ${run.windows.of}`}
            </td>
            <td class="r t n" title={full(run.startedAt)}>
              {age(at - run.startedAt)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface RunDetailProps {
  readonly load: LoadRow;
  readonly shown: NonNullable<LoadAnswer["shown"]>;
  readonly at: number;
  readonly narrow: boolean;
}

function RunDetail({ load, shown: { run, windows }, at, narrow }: RunDetailProps) {
  const { is, counts, rows, startedAt, endedAt, holder } = run;
  const facts: readonly (readonly [string, string])[] = [
    ["From, into", `${load.from} → ${load.into}`],
    ["Range", rangeOf(run)],
    ["Rows of the source", `${whole(rows)} when it began`],
    ["Begun", full(startedAt)],
    ...(endedAt === null ? [] : [["Took", milliseconds(endedAt - startedAt)] as const]),
    ...(holder === null ? [] : [["Running at", holder] as const]),
  ];
  const figures = [
    ["Read", counts.read, undefined],
    ["Inserted", counts.inserted, undefined],
    ["Updated", counts.updated, undefined],
    ["Unchanged", counts.unchanged, "were there already"],
    ["Refused, older", counts.refusedOlder, "the table's row stays"],
  ] as const;
  const odd = [
    ["Tied", counts.tied, "same version, other content"],
    ["Repeated", counts.duplicates, "of one key, not the newest"],
    ["Keyless", counts.keyless, "not written"],
    ["Not marked", run.windows.markRefused, "windows that lost too many"],
  ] as const;
  return (
    <Section
      title={
        <>
          <span class="m">{run.run}</span>{" "}
          <span class={`light ${is === "unfinished" ? "warn" : "s"}`}>
            {is === "unfinished" ? "stopped half way: the next call goes on" : is}
          </span>
        </>
      }
      aside="times on the ledger's clock"
    >
      <Facts facts={facts} />
      {is === "done" ? null : <Progress run={run} at={at} narrow={narrow} />}
      <WindowStrip windows={windows} />
      <WindowLegend />
      <dl class="figs counts">
        {figures.map(([label, value, note]) => (
          <Fig key={label} label={label} value={whole(value)} note={note} />
        ))}
        {odd
          .filter(([, value]) => value > 0)
          .map(([label, value, note]) => (
            <Fig key={label} label={label} value={whole(value)} note={note} tone="warn" />
          ))}
        {counts.lost === 0 ? null : (
          <Fig label="Lost by the source" value={whole(counts.lost)} note={`${whole(counts.marked)} marked`} />
        )}
      </dl>
      <WindowTable windows={windows} />
    </Section>
  );
}

/** How far it is, how fast, and how long still. */
function Progress({ run, at, narrow }: { readonly run: LoadRunRow; readonly at: number; readonly narrow: boolean }) {
  const { windows, counts, rows, pace } = run;
  const share = windows.done / Math.max(1, windows.of);
  return (
    <p class="how-far">
      <Meter share={share} width={narrow ? 120 : 240} />{" "}
      <b>
        {whole(windows.done)} of {whole(windows.of)} {plural(windows.of, "window")}
      </b>
      <span class="s">
        , {whole(counts.read)} of about {whole(rows)} rows
        {windows.skipped === 0
          ? ""
          : `; ${whole(windows.skipped)} ${plural(windows.skipped, "window")} done by an earlier call`}
        {pace === null ? "" : `; ${whole(pace.rowsPerSecond)} rows/s, about ${age(pace.remainingMs)} left`}
        {windows.lastAt === null ? "" : `; the last one ${age(at - windows.lastAt)} ago`}
      </span>
    </p>
  );
}

function WindowTable({ windows }: { readonly windows: readonly WindowRow[] }) {
  const names = boundsOf(windows);
  return (
    <details class="plot-table">
      <summary>Table</summary>
      <div class="tw">
        <table>
          <caption class="vh">What became of the rows of each window</caption>
          <thead>
            <tr>
              <th scope="col">Window</th>
              <th scope="col">State</th>
              {["Read", "Inserted", "Updated", "Unchanged", "Older", "Tied", "Repeated", "Keyless"].map((name) => (
                <th scope="col" class="r" key={name}>
                  {name}
                </th>
              ))}
              <th scope="col" class="r">
                Committed
              </th>
            </tr>
          </thead>
          <tbody>
            {windows.map((window, index) => {
              const { counts, done, of, lastAt } = window;
              const state = stateOf(window);
              const cells = [
                ...[counts.read, counts.inserted, counts.updated, counts.unchanged, counts.refusedOlder],
                ...[counts.tied, counts.duplicates, counts.keyless],
              ];
              return (
                <tr key={index}>
                  <td class="m n">{names[index]}</td>
                  <td>{state === "to-do" ? (done > 0 ? `${done} of ${of}` : "to do") : state}</td>
                  {cells.map((value, place) => (
                    <td key={place} class={`r${place > 4 && value > 0 ? " warn" : ""}`}>
                      {done === 0 ? <Unknown /> : quiet(value)}
                    </td>
                  ))}
                  <td class="r t n">{lastAt === null ? "" : full(lastAt)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}

const rangeOf = ({ from, to }: { readonly from: string | null; readonly to: string | null }): string =>
  from === null && to === null
    ? "everything"
    : [from === null ? "" : `from ${from}`, to === null ? "" : `before ${to}`].filter(Boolean).join(" ");
