import { useRef } from "preact/hooks";
import type { RunRow } from "../../../src/admin/rows.ts";
import type { Decided } from "../../../src/decisions/decided.ts";
import type { Metrics } from "../../../src/observe/metrics.ts";
import type { RunAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { type Data, useRun } from "../data.ts";
import { age, duration, full, inWords, milliseconds, plural, whole } from "../format.ts";
import { Bones, goes, Nobody, quiet, Section, useNarrow } from "../parts.tsx";
import { link, parse, type Route, withQuery } from "../route.ts";
import { windowOf } from "../series-plot.tsx";
import { valueIn } from "./answers.ts";
import { RunDetail, wordsOfRun } from "./run-detail.tsx";

interface OperationsProps {
  readonly data: Data;
  readonly route: Route;
  readonly administration: Administration;
  readonly askUnlock: () => void;
}

const states = ["unknown", "running", "open", "done"] as const;

export function Operations({ data, route, administration, askUnlock }: OperationsProps) {
  const narrow = useNarrow();
  const { decisions, metrics, runs } = data;
  const [operation, asked] = route.path;
  const listed = listOf(data, operation, route.query);
  // what is read must not be exchanged under the reader's eyes for a newer run
  const first = useRef<{ readonly of: string | undefined; readonly id: string } | undefined>(undefined);
  const newest = listed[0]?.id;
  if (newest !== undefined && (first.current === undefined || first.current.of !== operation)) {
    first.current = { of: operation, id: newest };
  }
  const chosen = asked ?? (narrow ? undefined : first.current?.id);
  const [run, replace] = useRun(chosen, runs?.at);
  if (decisions === undefined || metrics === undefined) return <Bones title="Operations" />;
  const operations = decisions.decisions.filter(({ kind }) => kind === "operation");
  if (operations.length === 0) {
    return (
      <div class="head">
        <div>
          <h1>No operation is declared.</h1>
          <p class="lede">What is run through Reprise appears here with its first declaration.</p>
        </div>
      </div>
    );
  }
  const decided = (answer: RunAnswer) => {
    replace(answer);
    data.refreshRuns();
  };
  const detail = (
    <RunDetail
      {...{ run, administration, askUnlock, decided }}
      decisions={operations}
      at={data.live?.at ?? metrics.at}
    />
  );
  if (narrow && asked !== undefined) {
    return (
      <>
        <p class="back">
          <a class="l" href={link(route, "operations", operation === undefined ? [] : [operation])}>
            ← All operations
          </a>
        </p>
        {detail}
      </>
    );
  }
  return (
    <>
      <Headline metrics={metrics} operations={operations} unknown={data.unknown?.runs.length} />
      <OperationTable
        consumers={decisions.decisions.filter(({ kind }) => kind === "consumer")}
        {...{ data, operations, metrics, route }}
        selected={operation}
      />
      <div class="cols detail">
        <Section class="c3" title="Runs" aside={operation === undefined ? "needing a person first" : `of ${operation}`}>
          <RunFilter route={route} />
          <RunList data={data} runs={listed} selected={chosen} route={route} />
        </Section>
        {narrow || chosen === undefined ? null : <div class="c9">{detail}</div>}
      </div>
    </>
  );
}

/** Those that need a person first, then the newest; of these, whose identity begins with what is looked for. */
function listOf({ runs, unknown }: Data, operation: string | undefined, query: URLSearchParams): readonly RunRow[] {
  const state = query.get("state");
  const found = (query.get("find") ?? "").trim().toLowerCase();
  const needing = state === null || state === "unknown" ? (unknown?.runs ?? []) : [];
  const known = new Set(needing.map(({ id }) => id));
  const others = (runs?.runs ?? []).filter(({ id }) => !known.has(id));
  return [...needing, ...others]
    .filter((run) => operation === undefined || run.operation === operation)
    .filter(({ identity, id }) => identity.toLowerCase().startsWith(found) || id.startsWith(found));
}

interface HeadlineProps {
  readonly metrics: Metrics;
  readonly operations: readonly Decided[];
  /** `undefined`: the ledger has not told. */
  readonly unknown: number | undefined;
}

function Headline({ metrics, operations, unknown }: HeadlineProps) {
  const total = (key: string) => metrics.operations.reduce((sum, one) => sum + (one.total[key] ?? 0), 0);
  const open = operations.filter(({ undecided }) => undecided.length > 0).length;
  const replayed = total("replayed");
  return (
    <div class="head">
      <div>
        <h1>
          {replayed === 0
            ? "No run has been repeated yet."
            : `${whole(replayed)} second ${plural(replayed, "run")}, answered from the ledger.`}
        </h1>
        <p class="lede">
          {windowOf(metrics).replace(/^./, (letter) => letter.toUpperCase())},{" "}
          {inWords(operations.length).toLowerCase()} {plural(operations.length, "operation")} ran {whole(total("ran"))}{" "}
          {plural(total("ran"), "time")}.{" "}
          {unknown === undefined ? (
            "Whether an outcome is unknown, nobody has told"
          ) : unknown === 0 ? (
            "No outcome is unknown"
          ) : (
            <span class="bad">
              {inWords(unknown)} {plural(unknown, "outcome is", "outcomes are")} unknown
            </span>
          )}
          {open === 0 ? (
            "."
          ) : (
            <>
              {" "}
              and{" "}
              <span class="warn">
                {whole(open)} {plural(open, "operation is", "operations are")} not decided in full
              </span>
              .
            </>
          )}
        </p>
      </div>
    </div>
  );
}

interface OperationTableProps {
  readonly data: Data;
  readonly operations: readonly Decided[];
  readonly consumers: readonly Decided[];
  readonly metrics: Metrics;
  readonly selected: string | undefined;
  readonly route: Route;
}

function OperationTable({ data, operations, consumers, metrics, selected, route }: OperationTableProps) {
  const now = data.live?.now ?? metrics.now;
  return (
    <div class="tw">
      <table>
        <caption class="vh">Operations, {windowOf(metrics)}</caption>
        <thead>
          <tr>
            <th scope="col">Operation</th>
            <th scope="col" class="hide-s">
              Effects
            </th>
            <th scope="col" class="hide-s">
              Owner
            </th>
            <th scope="col" class="hide-s">
              If it runs again
            </th>
            <th scope="col" class="hide-s">
              Cost if twice
            </th>
            <th scope="col" class="r">
              Ran
            </th>
            <th scope="col" class="r">
              Replayed
            </th>
            <th scope="col" class="r hide-s">
              Running
            </th>
            <th scope="col" class="r hide-s">
              Refused
            </th>
            <th scope="col" class="r hide-s">
              Mismatch
            </th>
            <th scope="col" class="r hide-s">
              Failed
            </th>
            <th scope="col" class="r hide-s">
              Taken over
            </th>
            <th scope="col" class="r">
              Unknown
            </th>
            <th scope="col" class="r hide-s">
              p99
            </th>
            <th scope="col" class="r hide-s">
              Kept
            </th>
          </tr>
        </thead>
        <tbody>
          {operations.map(({ name, owner, answers }) => {
            const counted = metrics.operations.find((one) => one.name === name);
            const of = (key: string) => counted?.total[key] ?? 0;
            const unknown = data.unknown?.runs.filter((run) => run.operation === name).length ?? 0;
            const kept = valueIn(answers["retention"]);
            const by = consumers.filter((consumer) => valueIn(consumer.answers["operation"]) === name);
            return (
              <tr key={name} {...goes(link(route, "operations", [name]))} aria-selected={name === selected}>
                <td>
                  <span class="name m">{name}</span>
                  <span class="sub only-s">
                    {valueIn(answers["effects"])} effects · {owner ?? "no owner"}
                  </span>
                  {by.length === 0 ? null : (
                    <span class="sub">by {by.map((consumer) => consumer.name).join(", ")}</span>
                  )}
                </td>
                <td class="hide-s">{valueIn(answers["effects"])}</td>
                <td class="hide-s">{owner ?? <Nobody />}</td>
                <td class="hide-s">{valueIn(answers["ifRunsAgain"]) ?? <Nobody />}</td>
                <td class="hide-s">{valueIn(answers["costIfTwice"]) ?? <Nobody />}</td>
                <td class="r">{quiet(of("ran"))}</td>
                <td class="r">{quiet(of("replayed"))}</td>
                <td class="r hide-s">{quiet(now.operations[name]?.underWay ?? 0)}</td>
                <td class="r hide-s">{quiet(of("refused"))}</td>
                <td class="r hide-s">{quiet(of("mismatch"))}</td>
                <td class="r hide-s">{quiet(of("failed"))}</td>
                <td class="r hide-s">{quiet(of("takenOver"))}</td>
                <td class={`r${unknown > 0 ? " bad" : ""}`}>{quiet(unknown)}</td>
                <td class="r hide-s n">{milliseconds(counted?.durationMs.p99)}</td>
                <td class="r hide-s n">{kept === undefined ? <span class="t">–</span> : duration(kept)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function RunFilter({ route }: { readonly route: Route }) {
  const asked = route.query.get("state") ?? "";
  return (
    <div class="sift">
      <fieldset class="seg">
        <legend class="vh">Runs by state</legend>
        {["", ...states].map((state) => (
          <a key={state} href={withQuery(route, { state })} aria-current={state === asked ? "true" : undefined}>
            {state === "" ? "all" : state}
          </a>
        ))}
      </fieldset>
      <input
        class="filter"
        placeholder="Identity begins with"
        aria-label="Find runs whose identity begins with"
        value={route.query.get("find") ?? ""}
        onInput={({ currentTarget }) => {
          history.replaceState(null, "", withQuery(parse(location.hash), { find: currentTarget.value }));
          dispatchEvent(new HashChangeEvent("hashchange"));
        }}
      />
    </div>
  );
}

interface RunListProps {
  readonly data: Data;
  readonly runs: readonly RunRow[];
  readonly selected: string | undefined;
  readonly route: Route;
}

function RunList({ data, runs, selected, route }: RunListProps) {
  const { runsRefused } = data;
  const [operation] = route.path;
  if (runsRefused !== undefined) {
    return (
      <p class="s note">
        The ledger does not tell: <code>{runsRefused}</code>.
      </p>
    );
  }
  if (data.runs === undefined) return null;
  const found = route.query.get("find") ?? "";
  if (runs.length === 0) {
    return (
      <p class="s note">
        {found === "" ? "No run in this state is kept." : `None of the newest ${data.runs.runs.length} begins so.`}
      </p>
    );
  }
  // of one operation each takes one line; the list stands beside one run, and should not be longer
  const listedAtMost = operation === undefined ? 12 : 20;
  const at = data.live?.at ?? data.runs.at;
  const kept = Object.fromEntries([...route.query].filter(([name]) => name === "state" || name === "find"));
  return (
    <>
      <table class="runs">
        <caption class="vh">Runs</caption>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">State</th>
            <th scope="col" class="r">
              Age
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.slice(0, listedAtMost).map((run) => (
            <tr
              key={run.id}
              {...goes(link(route, "operations", [run.operation, run.id], kept))}
              aria-selected={run.id === selected}
            >
              <td class="wrap">
                <span class="name m">{run.identity}</span>
                {operation === undefined ? <span class="sub">{run.operation}</span> : null}
              </td>
              <td class={toneOfRun(run)}>{wordsOfRun(run)}</td>
              <td class="r t n" title={full(run.createdAt)}>
                {age(at - run.createdAt)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {data.runs.more || runs.length > listedAtMost ? (
        <p class="small t note">
          {found === ""
            ? "Older ones are kept too; the newest are listed."
            : `Found among the newest ${data.runs.runs.length}; older ones are kept too.`}
        </p>
      ) : null}
    </>
  );
}

const toneOfRun = ({ state }: RunRow): string => (state === "unknown" ? "bad" : state === "open" ? "warn" : "");
