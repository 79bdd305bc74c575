import { useEffect, useState } from "preact/hooks";
import type { Decided } from "../../../src/decisions/decided.ts";
import type { Metrics } from "../../../src/observe/metrics.ts";
import type { DecisionsAnswer, LoadsAnswer, Question, SchedulesAnswer } from "../../../src/page/wire.ts";
import { base, type Data } from "../data.ts";
import { inWords, plural, second } from "../format.ts";
import { Bones, Glyph, GlyphLegend, type Mark, markWords, Rich, Section, toneOf } from "../parts.tsx";
import type { Route } from "../route.ts";

interface DecisionsProps {
  readonly data: Data;
  readonly route: Route;
}

export function Decisions({ data, route }: DecisionsProps) {
  const { decisions, metrics, loads, schedules } = data;
  const [asked] = route.path;
  const ready = decisions !== undefined;
  useEffect(() => {
    if (asked !== undefined && ready) document.getElementById(`d${asked}`)?.scrollIntoView({ block: "start" });
  }, [asked, ready]);
  if (decisions === undefined) return <Bones title="The checklist" />;
  const open = decisions.questions.filter(({ state }) => state === "undecided").length;
  return (
    <>
      <div class="head">
        <div>
          <h1>
            {open === 0
              ? "Every question has an answer."
              : `${inWords(open)} ${plural(open, "question")} nobody has answered.`}
          </h1>
          <p class="lede">
            Read from the code, checked against what runs, {second(decisions.at)}. An answer counts as evidence when
            something measured or tested it; its source stands beside it.
          </p>
        </div>
        <CopyButton decisions={decisions} />
      </div>
      <div class="cols">
        <Section class="c8" title="The checklist">
          <Checklist questions={decisions.questions} />
        </Section>
        <div class="c4 stack">
          <Section title="By declaration" aside={<GlyphLegend />}>
            <DecisionMatrix decisions={decisions.decisions} {...{ metrics, loads, schedules }} />
          </Section>
          <CallerContracts decisions={decisions.decisions} />
        </div>
      </div>
    </>
  );
}

function Checklist({ questions }: { readonly questions: readonly Question[] }) {
  return (
    <ol class="ck">
      {questions.map(({ number, name, question, state, answer, detail, owners, source }) => (
        <li key={number} id={`d${number}`} class={`${number === "A" ? "sep " : ""}${toneOf(state)}`}>
          <div>
            <Glyph mark={state} />
          </div>
          <div>
            <b>
              {number} {name}
            </b>
            <div class={`who ${toneOf(state)}`}>{markWords[state]}</div>
          </div>
          <div class="q2">{question}</div>
          <div>
            <span class={toneOf(state)}>
              <Rich text={answer} />
            </span>
            <div class="who">{detail}</div>
            <div class="who">{owners === "" ? source : `${owners} · ${source}`}</div>
          </div>
        </li>
      ))}
    </ol>
  );
}

/** What one declaration says to a question: undecided in part is undecided. */
function markOf({ answers }: Decided, questions: readonly string[], shown: boolean): Mark {
  const asked = questions.flatMap((question) => answers[question] ?? []);
  if (asked.length === 0) return "none";
  if (asked.some(({ is }) => is === "undecided")) return "undecided";
  if (shown) return "evidence";
  return asked.some(({ is }) => is === "declared") ? "declared" : "default";
}

const cacheColumns: readonly (readonly [string, string, readonly string[]])[] = [
  ["1", "pattern", ["pattern"]],
  ["2", "invalidation", ["changedBy"]],
  ["3", "stampede", ["flight", "refresh", "early", "queue", "source"]],
  ["4", "never cached", ["holds", "ifStale"]],
  ["5", "eviction", ["protect"]],
  ["8", "security", ["sameForEvery"]],
];

const operationColumns: readonly (readonly [string, readonly string[]])[] = [
  ["identity", ["identity", "principal"]],
  ["owner", ["owner"]],
  ["kept", ["retention"]],
  ["again", ["ifRunsAgain"]],
  ["cost if twice", ["costIfTwice"]],
];

const loadColumns: readonly (readonly [string, readonly string[]])[] = [
  ["owner", ["owner"]],
  ["identity", ["identity"]],
  ["newer", ["newer"]],
  ["tied", ["ifSameVersionDiffers"]],
  ["repeated", ["ifSourceRepeatsKey"]],
  ["lost", ["ifSourceLost"]],
  ["again", ["ifRunsAgain"]],
];

const scheduleColumns: readonly (readonly [string, readonly string[]])[] = [
  ["owner", ["owner"]],
  ["when", ["at", "every"]],
  ["overlap", ["ifStillRunning"]],
  ["missed", ["ifMissed"]],
  ["kept", ["retention"]],
  ["cost if twice", ["costIfTwice"]],
];

const consumerColumns: readonly (readonly [string, readonly string[]])[] = [
  ["owner", ["owner"]],
  ["again", ["operation"]],
  ["how old", ["deliveredWithin", "horizon"]],
  ["attempts", ["attempts", "retryIn"]],
  ["order", ["inOrderBy"]],
  ["refused", ["refusals"]],
];

const outboxColumns: readonly (readonly [string, readonly string[]])[] = [
  ["owner", ["owner"]],
  ["to", ["to"]],
  ["limit", ["limit"]],
  ["lease", ["lease"]],
];

interface DecisionMatrixProps {
  readonly decisions: readonly Decided[];
  readonly metrics: Metrics | undefined;
  readonly loads: LoadsAnswer | undefined;
  readonly schedules: SchedulesAnswer | undefined;
}

function DecisionMatrix({ decisions, metrics, loads, schedules }: DecisionMatrixProps) {
  const caches = decisions.filter(({ kind }) => kind === "cache");
  const operations = decisions.filter(({ kind }) => kind === "operation");
  const columns = cacheColumns.filter(
    ([number]) => number !== "8" || caches.some(({ answers }) => answers["sameForEvery"] !== undefined),
  );
  const counted = (name: string, keys: readonly string[]) => {
    const total = metrics?.caches.find((one) => one.name === name)?.total;
    return keys.some((key) => (total?.[key] ?? 0) > 0);
  };
  const shown = (number: string, name: string) =>
    (number === "2" && counted(name, ["purged", "expired"])) ||
    (number === "3" && counted(name, ["shared", "early"])) ||
    (number === "5" && counted(name, ["evicted"]));
  const replayed = (name: string) => (metrics?.operations.find((one) => one.name === name)?.total["replayed"] ?? 0) > 0;
  return (
    <>
      {caches.length === 0 ? null : (
        <div class="tw">
          <table class="mx">
            <caption class="vh">Decisions by cache</caption>
            <thead>
              <tr>
                <th scope="col">Cache</th>
                {columns.map(([number, name]) => (
                  <th scope="col" key={number} title={name}>
                    {number}
                    <span class="vh"> {name}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {caches.map((cache) => (
                <tr key={cache.name}>
                  <td class="m">{cache.name}</td>
                  {columns.map(([number, name, questions]) => (
                    <Cell key={number} title={name} mark={markOf(cache, questions, shown(number, cache.name))} />
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Matrix
        kind="Operation"
        declared={operations}
        columns={operationColumns}
        shown={(column, { name }) => column === "again" && replayed(name)}
      />
      <Matrix
        kind="Load"
        declared={decisions.filter(({ kind }) => kind === "load")}
        columns={loadColumns}
        shown={(column, { name }) => column === "again" && metTwice(loads, name)}
      />
      <Matrix
        kind="Schedule"
        declared={decisions.filter(({ kind }) => kind === "schedule")}
        columns={scheduleColumns}
        shown={(column, { name }) => column === "overlap" && walkedAway(schedules, name)}
      />
      <Matrix
        kind="Consumer"
        declared={decisions.filter(({ kind }) => kind === "consumer")}
        columns={consumerColumns}
        shown={(column, { name }) =>
          column === "again" && (metrics?.consumers.find((one) => one.name === name)?.total.replayed ?? 0) > 0
        }
      />
      <Matrix
        kind="Outbox"
        declared={decisions.filter(({ kind }) => kind === "outbox")}
        columns={outboxColumns}
        shown={(column, { name }) =>
          column === "to" && (metrics?.outboxes.find((one) => one.name === name)?.total.relayed ?? 0) > 0
        }
      />
    </>
  );
}

const metTwice = (answer: LoadsAnswer | undefined, wanted: string): boolean => {
  const counts = answer?.loads.find(({ name }) => name === wanted)?.newest?.counts;
  return counts !== undefined && counts.unchanged + counts.refusedOlder > 0;
};

const walkedAway = (answer: SchedulesAnswer | undefined, wanted: string): boolean =>
  answer?.schedules.find(({ name }) => name === wanted)?.ticks.some(({ is }) => is === "walked-away") === true;

interface MatrixProps {
  readonly kind: string;
  readonly declared: readonly Decided[];
  readonly columns: readonly (readonly [string, readonly string[]])[];
  /** Whether something has shown what the column asks. */
  readonly shown: (column: string, declared: Decided) => boolean;
}

function Matrix({ kind, declared, columns, shown }: MatrixProps) {
  if (declared.length === 0) return null;
  return (
    <div class="tw note">
      <table class="mx">
        <caption class="vh">Decisions by {kind.toLowerCase()}</caption>
        <thead>
          <tr>
            <th scope="col">{kind}</th>
            {columns.map(([name]) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {declared.map((one) => (
            <tr key={one.name}>
              <td class="m">{one.name}</td>
              {columns.map(([name, questions]) => (
                <Cell key={name} title={name} mark={markOf(one, questions, shown(name, one))} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ title, mark }: { readonly title: string; readonly mark: Mark }) {
  return (
    <td>
      <span title={`${title}: ${markWords[mark]}`}>
        <Glyph mark={mark} />
        <span class="vh">{markWords[mark]}</span>
      </span>
    </td>
  );
}

function CallerContracts({ decisions }: { readonly decisions: readonly Decided[] }) {
  const promised = decisions.filter(({ contract }) => contract !== undefined);
  const [chosen, choose] = useState<string | undefined>(undefined);
  const shown = promised.find(({ name }) => name === chosen) ?? promised[0];
  const contract = shown?.contract;
  if (shown === undefined || contract === undefined) return null;
  return (
    <Section
      title="For callers"
      aside={
        promised.length === 1 ? undefined : (
          <select aria-label="Operation" value={shown.name} onChange={(event) => choose(event.currentTarget.value)}>
            {promised.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )
      }
    >
      <div class="doc">
        <p class="t small">
          {shown.name} · {shown.owner ?? "nobody"}
        </p>
        <p class="big">{contract.promise}</p>
      </div>
      <div class="tw note">
        <table>
          <caption class="vh">What a caller of {shown.name} gets</caption>
          <thead>
            <tr>
              <th scope="col">You get</th>
              <th scope="col">It means</th>
              <th scope="col">Do</th>
            </tr>
          </thead>
          <tbody>
            {contract.answers.map((answer) => (
              <tr key={`${answer.status}${answer.means}`}>
                <td class="m">{answer.status}</td>
                <td class="wrap">{answer.means}</td>
                <td class="wrap">{answer.do}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="small t note">
        As data:{" "}
        <a class="l" href={`${base}/decisions.json`}>
          decisions.json
        </a>
      </p>
    </Section>
  );
}

function CopyButton({ decisions }: { readonly decisions: DecisionsAnswer }) {
  const [said, say] = useState("Copy as Markdown");
  const copy = () => {
    navigator.clipboard.writeText(markdownOf(decisions)).then(
      () => say("Copied"),
      () => say("The browser refused"),
    );
    setTimeout(say, 2_000, "Copy as Markdown");
  };
  return (
    <button type="button" class="btn" onClick={copy}>
      {said}
    </button>
  );
}

function markdownOf({ service, at, questions, decisions }: DecisionsAnswer): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const row = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const answers = decisions.flatMap(({ name, answers: given }) =>
    Object.entries(given).map(([question, answer]) =>
      row([name, question, answer.is === "undecided" ? "**nobody has decided**" : answer.value, answer.is]),
    ),
  );
  return [
    `# Decisions of ${service}, ${new Date(at).toISOString()}`,
    "",
    row(["#", "Question", "State", "Answer", "Source"]),
    row(["---", "---", "---", "---", "---"]),
    ...questions.map((one) => row([one.number, one.question, markWords[one.state], one.answer, one.source])),
    "",
    row(["Declaration", "Question", "Answer", "State"]),
    row(["---", "---", "---", "---"]),
    ...answers,
    "",
  ].join("\n");
}
