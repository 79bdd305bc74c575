import type { LoadRow, LoadRunRow } from "../../../src/admin/load-rows.ts";
import type { Decided } from "../../../src/decisions/decided.ts";
import type { LoadAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { type Data, useJob } from "../data.ts";
import { age, full, inWords, plural, whole } from "../format.ts";
import { goes, quiet, Unknown, useNarrow } from "../parts.tsx";
import { link, type Route } from "../route.ts";
import { oddIn } from "../window-strip.tsx";
import { valueIn } from "./answers.ts";
import { JobFrame } from "./job-frame.tsx";
import { LoadDetail } from "./load-detail.tsx";
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
  const detail = answer && <LoadDetail {...{ answer, at, route, administration, askUnlock, done: replace, narrow }} />;
  return (
    <JobFrame view="loads" waiting="Run" {...{ route, chosen, narrow, detail, refused }}>
      <Headline loads={loads?.loads} declared={declared.length} />
      <LoadTable declared={declared} loads={loads?.loads ?? []} selected={chosen} at={at} route={route} />
    </JobFrame>
  );
}

const isRunning = ({ load, asked }: LoadAnswer): boolean =>
  load.newest?.is === "running" || (asked !== null && asked.ended === null);

function Headline({ loads, declared }: { readonly loads: readonly LoadRow[] | undefined; readonly declared: number }) {
  const newest = loads?.flatMap((load) => load.newest ?? []) ?? [];
  const sum = (of: (run: LoadRunRow) => number) => newest.reduce((total, run) => total + of(run), 0);
  const read = sum(({ counts }) => counts.read);
  const written = sum(({ counts }) => counts.inserted + counts.updated);
  const left = [
    [sum(({ counts }) => counts.unchanged), "were there already"],
    [sum(({ counts }) => counts.refusedOlder), "were older and overwrote nothing"],
    [sum(({ counts }) => counts.tied + counts.duplicates + counts.keyless), "were refused for another reason"],
  ] as const;
  const told = left.flatMap(([count, words]) => (count === 0 ? [] : [`${whole(count)} ${words}`]));
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
          {newest.length === 0
            ? ""
            : `In the newest run of ${declared === 1 ? "the one load" : `each of ${inWords(declared).toLowerCase()} loads`}${told.length === 0 ? "" : `: ${told.join(", ")}`}. `}
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
                <td class="named">
                  <span class="name m">{name}</span>
                  <span class="sub only-s">{owner ?? "no owner"}</span>
                </td>
                <td class="hide-s wrap">
                  <span class="m">{valueIn(answers["from"])}</span> → <span class="m">{valueIn(answers["into"])}</span>
                </td>
                <td class="hide-s">{owner ?? <span class="warn">nobody</span>}</td>
                <td class="hide-s wrap">{valueIn(answers["windows"])}</td>
                <td class={newest?.is === "unfinished" ? "wrap warn" : "wrap"}>
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

const oddOf = ({ counts, windows }: LoadRunRow): number => oddIn({ counts, markRefused: windows.markRefused });

function stateWords({ is, windows: { done, of } }: LoadRunRow): string {
  if (is === "done") return `done, ${whole(of)} ${plural(of, "window")}`;
  return `${is === "running" ? "running" : "stopped"}, ${whole(done)} of ${whole(of)}`;
}
