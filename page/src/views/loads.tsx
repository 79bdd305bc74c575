import type { LoadRow, LoadRunRow, WindowRow } from "../../../src/admin/load-rows.ts";
import type { Decided } from "../../../src/decisions/decided.ts";
import type { LoadAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { type Data, useJob } from "../data.ts";
import { age, full, inWords, milliseconds, plural, whole } from "../format.ts";
import { Bones, Fig, goes, Meter, Section, useNarrow } from "../parts.tsx";
import { link, type Route } from "../route.ts";
import { boundsOf, oddIn, stateOf, WindowLegend, WindowStrip } from "../window-strip.tsx";
import { Refusals } from "./act-end.tsx";
import { ActPanel } from "./act-panel.tsx";
import { valueIn } from "./answers.ts";
import { NothingDeclared } from "./nothing-declared.tsx";

interface LoadsProps {
  readonly data: Data;
  readonly route: Route;
  readonly administration: Administration;
  readonly askUnlock: () => void;
}

const first = `const sales = reprise.load({
  name: "sales.fact", owner: "reporting", ifRunsAgain: "converges",
  from: "staging.transactions", into: "reporting.fact_sales",
  identity: ["txn_ref", "txn_date"], newer: "source_version",
  ifSameVersionDiffers: "refuse", ifSourceRepeatsKey: "refuse", ifSourceLost: "keep",
  windows: { by: "txn_date", each: "1mo" },
});`;

export function Loads({ data, route, administration, askUnlock }: LoadsProps) {
  const narrow = useNarrow();
  const { decisions, loads } = data;
  const declared = decisions?.decisions.filter(({ kind }) => kind === "load") ?? [];
  const [asked, run] = route.path;
  const chosen = asked ?? (narrow ? undefined : declared[0]?.name);
  const query = run === undefined ? "" : `?run=${encodeURIComponent(run)}`;
  const [answer, refused, replace] = useJob("load", chosen, query, data.connection === "live", isRunning);
  if (declared.length === 0) {
    return (
      <NothingDeclared title="No load is declared." code={first}>
        A load brings rows from a staging table or a query into a table of facts: rerun, killed half way or replayed in
        any order, the table is the same.
      </NothingDeclared>
    );
  }
  const at = data.live?.at ?? loads?.at ?? 0;
  const detail =
    answer !== undefined ? (
      <Detail {...{ answer, at, route, administration, askUnlock, done: replace, narrow }} />
    ) : refused === undefined ? (
      <Bones title="Run" />
    ) : (
      <Section title={chosen}>
        <p class="s">
          The ledger does not tell: <code>{refused}</code>.
        </p>
      </Section>
    );
  if (narrow && asked !== undefined) {
    return (
      <>
        <p class="back">
          <a class="l" href={link(route, "loads")}>
            ← All loads
          </a>
        </p>
        {detail}
      </>
    );
  }
  return (
    <>
      <Headline loads={loads?.loads} declared={declared.length} />
      <LoadTable declared={declared} loads={loads?.loads ?? []} selected={chosen} at={at} route={route} />
      {narrow ? null : <div class="detail">{detail}</div>}
    </>
  );
}

const isRunning = ({ load, asked }: LoadAnswer): boolean =>
  load.newest?.is === "running" || (asked !== null && asked.ended === null);

function Headline({ loads, declared }: { readonly loads: readonly LoadRow[] | undefined; readonly declared: number }) {
  const newest = loads?.flatMap((load) => load.newest ?? []) ?? [];
  const sum = (of: (run: LoadRunRow) => number) => newest.reduce((total, run) => total + of(run), 0);
  const read = sum(({ counts }) => counts.read);
  const written = sum(({ counts }) => counts.inserted + counts.updated);
  const older = sum(({ counts }) => counts.refusedOlder);
  const unfinished = newest.filter(({ is }) => is === "unfinished").length;
  const running = newest.filter(({ is }) => is === "running").length;
  return (
    <div class="head">
      <div>
        <h1>
          {newest.length === 0
            ? `${inWords(declared)} ${plural(declared, "load")}, not run yet.`
            : `${whole(read)} ${plural(read, "row")} read, ${whole(written)} written.`}
        </h1>
        <p class="lede">
          In the newest run of each of {inWords(declared).toLowerCase()} {plural(declared, "load")}; the rest was there
          already{older === 0 ? "" : `, and ${whole(older)} older ${plural(older, "one")} overwrote nothing`}.{" "}
          {running === 0 ? "" : `${inWords(running)} ${plural(running, "runs", "run")} now. `}
          {unfinished === 0 ? (
            running === 0 ? (
              "None is unfinished."
            ) : (
              ""
            )
          ) : (
            <span class="warn">
              {inWords(unfinished)} stopped half way, and {plural(unfinished, "goes", "go")} on with the next call.
            </span>
          )}
        </p>
      </div>
    </div>
  );
}

interface LoadTableProps {
  readonly declared: readonly Decided[];
  readonly loads: readonly LoadRow[];
  readonly selected: string | undefined;
  readonly at: number;
  readonly route: Route;
}

function LoadTable({ declared, loads, selected, at, route }: LoadTableProps) {
  return (
    <div class="tw">
      <table>
        <caption class="vh">Loads, each with its newest run</caption>
        <thead>
          <tr>
            <th scope="col">Load</th>
            <th scope="col" class="hide-s">
              From, into
            </th>
            <th scope="col" class="hide-s">
              Owner
            </th>
            <th scope="col" class="hide-s">
              Windows
            </th>
            <th scope="col">Newest run</th>
            <th scope="col" class="r hide-s">
              Read
            </th>
            <th scope="col" class="r hide-s">
              Inserted
            </th>
            <th scope="col" class="r hide-s">
              Updated
            </th>
            <th scope="col" class="r hide-s">
              Unchanged
            </th>
            <th scope="col" class="r hide-s">
              Older
            </th>
            <th scope="col" class="r hide-s">
              Otherwise refused
            </th>
            <th scope="col" class="r">
              Begun
            </th>
          </tr>
        </thead>
        <tbody>
          {declared.map(({ name, owner, answers }) => {
            const newest = loads.find((load) => load.name === name)?.newest ?? null;
            const odd = newest === null ? 0 : oddOf(newest);
            const count = (key: "read" | "inserted" | "updated" | "unchanged" | "refusedOlder") => (
              <td class="r hide-s">{newest === null ? <Unknown /> : quiet(newest.counts[key])}</td>
            );
            return (
              <tr key={name} {...goes(link(route, "loads", [name]))} aria-selected={name === selected}>
                <td>
                  <span class="name m">{name}</span>
                  <span class="sub only-s">{owner ?? "no owner"}</span>
                </td>
                <td class="hide-s">
                  <span class="m">{valueIn(answers["from"])}</span> → <span class="m">{valueIn(answers["into"])}</span>
                </td>
                <td class="hide-s">{owner ?? <span class="warn">nobody</span>}</td>
                <td class="hide-s">{valueIn(answers["windows"])}</td>
                <td class={newest?.is === "unfinished" ? "warn" : ""}>
                  {newest === null ? <span class="t">not yet</span> : stateWords(newest)}
                </td>
                {count("read")}
                {count("inserted")}
                {count("updated")}
                {count("unchanged")}
                {count("refusedOlder")}
                <td class={`r hide-s${odd > 0 ? " warn" : ""}`}>{newest === null ? <Unknown /> : quiet(odd)}</td>
                <td class="r n t" title={newest === null ? "" : full(newest.startedAt)}>
                  {newest === null ? "–" : age(at - newest.startedAt)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const Unknown = () => <span class="t">–</span>;
const quiet = (value: number) => (value === 0 ? <span class="t">0</span> : whole(value));
const oddOf = ({ counts, windows }: LoadRunRow): number => oddIn({ counts, markRefused: windows.markRefused });

function stateWords({ is, windows: { done, of } }: LoadRunRow): string {
  if (is === "done") return `done, ${whole(of)} ${plural(of, "window")}`;
  return `${is === "running" ? "running" : "stopped"}, ${whole(done)} of ${whole(of)}`;
}

const rangeOf = ({ from, to }: { readonly from: string | null; readonly to: string | null }): string =>
  from === null && to === null
    ? "everything"
    : [from === null ? "" : `from ${from}`, to === null ? "" : `before ${to}`].filter(Boolean).join(" ");

interface DetailProps {
  readonly answer: LoadAnswer;
  readonly at: number;
  readonly route: Route;
  readonly narrow: boolean;
  readonly administration: Administration;
  readonly askUnlock: () => void;
  readonly done: (answer: LoadAnswer) => void;
}

function Detail({ answer, at, route, narrow, administration, askUnlock, done }: DetailProps) {
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
      <dl class="figs facts">
        {facts.map(([name, value]) => (
          <div class="small" key={name}>
            <dt class="t">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
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
                  <td class="m n">{boundsOf(window, index)}</td>
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
