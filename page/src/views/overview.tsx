import type { Metrics } from "../../../src/observe/metrics.ts";
import type { DecisionsAnswer, Question } from "../../../src/page/wire.ts";
import type { Data } from "../data.ts";
import { age, bytes, full, inWords, percent, plural, rate, whole } from "../format.ts";
import { type Need, needsOf } from "../needs.ts";
import { Bones, Fig, Glyph, GlyphLegend, Meter, markWords, Rich, Section, toneOf } from "../parts.tsx";
import { link, type Route } from "../route.ts";
import { OperationsPlot, OriginLegend, ReadsPlot, windowOf } from "../series-plot.tsx";
import type { Theme } from "../theme.ts";

interface OverviewProps {
  readonly data: Data;
  readonly route: Route;
  readonly theme: Theme;
}

export function Overview({ data, route, theme }: OverviewProps) {
  const { metrics, decisions } = data;
  const needs = needsOf(data, route);
  const some = needs.length > 0;
  const questions = decisions?.questions ?? [];
  return (
    <>
      <div class="head">
        <div>
          <h1>
            {some
              ? `${inWords(needs.length)} ${plural(needs.length, "thing needs", "things need")} a person.`
              : "Nothing needs a person."}
          </h1>
          <Lede questions={questions} />
        </div>
      </div>
      <div class="cols">
        {some ? (
          <Section class="c5" title="Needs a person" aside="costliest first, then oldest">
            <NeedsPerson needs={needs} />
          </Section>
        ) : null}
        {metrics === undefined ? (
          <div class={some ? "c7" : "c12"}>
            <Bones title="Reads" />
          </div>
        ) : metrics.caches.length === 0 && Object.keys(metrics.now.caches).length === 0 ? null : (
          <Section class={some ? "c7" : "c12"} title="Reads" aside={`per second by origin, ${windowOf(metrics)}`}>
            <ReadsPanel data={data} metrics={metrics} theme={theme} />
          </Section>
        )}
        {questions.length === 0 ? null : (
          <Section class="c12" title="If this runs again, what happens?" aside={<GlyphLegend />}>
            <QuestionGrid questions={questions} route={route} />
          </Section>
        )}
        {metrics === undefined || !hasOperations(decisions) ? null : (
          <Section class="c7" title="Operations" aside={`per minute by outcome; figures ${windowOf(metrics)}`}>
            <OperationsPanel data={data} metrics={metrics} theme={theme} />
          </Section>
        )}
        {metrics === undefined ? null : (
          <div class={hasOperations(decisions) ? "c5" : "c12"}>
            <InstancesTable data={data} metrics={metrics} />
          </div>
        )}
      </div>
    </>
  );
}

const hasOperations = (decisions: DecisionsAnswer | undefined) =>
  decisions?.decisions.some(({ kind }) => kind === "operation") === true;

function Lede({ questions }: { readonly questions: readonly Question[] }) {
  const count = (state: Question["state"]) => questions.filter((question) => question.state === state).length;
  if (questions.length === 0) return null;
  const parts = [
    `${count("evidence")} of ${questions.length} questions are answered with evidence`,
    ...(count("declared") > 0 ? [`${count("declared")} ${plural(count("declared"), "is", "are")} declared only`] : []),
    ...(count("default") > 0 ? [`${count("default")} ${plural(count("default"), "rests", "rest")} on a default`] : []),
  ];
  const undecided = count("undecided");
  return (
    <p class="lede">
      {undecided > 0
        ? parts.join(", ")
        : parts.length === 1
          ? parts[0]
          : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`}
      {undecided > 0 ? (
        <>
          {" and "}
          <span class="warn">{undecided} nobody has decided</span>
        </>
      ) : null}
      .
    </p>
  );
}

function NeedsPerson({ needs }: { readonly needs: readonly Need[] }) {
  return (
    <ul class="needs">
      {needs.map((need) => (
        <li key={`${need.kind} ${need.href}`}>
          <span class={`tag${need.bad ? " bad" : ""}`}>{need.kind}</span>
          <div class="body">
            <a href={need.href}>
              <strong>{need.title}</strong>
            </a>
            <p>
              {need.detail}
              {need.links?.map(({ href, text }) => (
                <span key={href}>
                  {" "}
                  <a class="l" href={href}>
                    {text}
                  </a>
                </span>
              ))}
            </p>
          </div>
          <div class="age">
            {need.age}
            {need.age === "" ? null : <br />}
            <span class="hide-s">{need.owner}</span>
          </div>
        </li>
      ))}
    </ul>
  );
}

interface PanelProps {
  readonly data: Data;
  readonly metrics: Metrics;
  readonly theme: Theme;
}

function ReadsPanel({ data, metrics, theme }: PanelProps) {
  const { reads, seconds } = data.live?.now ?? metrics.now;
  const note = seconds < 50 ? `of the last ${seconds} s` : "of the last minute";
  const miss = reads.hit === null ? null : 1 - reads.hit;
  return (
    <>
      <dl class="figs">
        <Fig label="Hit" value={percent(reads.hit)} note={note} />
        <Fig
          label="Miss"
          value={miss === null ? "–" : `${(miss * 100).toFixed(miss < 0.01 ? 2 : 1)}%`}
          note="waited for a load"
        />
        <Fig
          label="Evicted"
          value={rate(reads.evictedPerMinute)}
          unit="/min"
          note={reads.lapsedPerMinute > 0 ? `${rate(reads.lapsedPerMinute)} more expired` : undefined}
        />
        <Fig label="Reads" value={rate(reads.perSecond)} unit="/s" />
        <Fig
          label="Loads"
          value={rate(reads.loads)}
          unit="/s"
          note={reads.loads > 0 ? `1 for every ${whole(reads.perSecond / reads.loads)} reads` : undefined}
        />
        {reads.failed > 0 ? (
          <Fig label="Failed" value={rate(reads.failed)} unit="/s" tone="bad" note="rejected reads" />
        ) : null}
      </dl>
      <ReadsPlot id="reads" metrics={metrics} theme={theme} reads={metrics.reads} detailed={false} />
      <OriginLegend values={reads} />
    </>
  );
}

/** Cells that the last row would leave. */
const empty = (count: number, columns: number): number => (columns - (count % columns)) % columns;

function QuestionGrid({ questions, route }: { readonly questions: readonly Question[]; readonly route: Route }) {
  return (
    <ul class={`q${empty(questions.length, 4) < empty(questions.length, 5) ? " q4" : ""}`}>
      {questions.map(({ number, name, question, state, answer }) => (
        <li key={number} class={toneOf(state)}>
          <a href={link(route, "decisions", [number])} title={question}>
            <div class="h">
              <span class="no">{number}</span>
              {name}
              <span class={`w ${toneOf(state)}`}>
                {state === "evidence" ? <span class="vh">evidence</span> : markWords[state]}
              </span>
              <Glyph mark={state} />
            </div>
            <p>
              <Rich text={answer} />
            </p>
          </a>
        </li>
      ))}
    </ul>
  );
}

function OperationsPanel({ data, metrics, theme }: PanelProps) {
  const total = (key: string) => metrics.operations.reduce((sum, operation) => sum + (operation.total[key] ?? 0), 0);
  const unknown = data.unknown?.runs.length;
  const { runs } = data.live?.now ?? metrics.now;
  return (
    <>
      <dl class="figs">
        <Fig label="Ran" value={whole(total("ran"))} />
        <Fig label="Replayed" value={whole(total("replayed"))} note="would have run twice" />
        <Fig label="Running" value={whole(runs.underWay)} note="now" />
        <Fig label="Refused" value={whole(total("refused"))} note="stored answers" />
        <Fig label="Mismatch" value={whole(total("mismatch"))} note="same key, other body" />
        {total("failed") > 0 ? <Fig label="Failed" value={whole(total("failed"))} note="safe to repeat" /> : null}
        <Fig
          label="Unknown"
          value={unknown === undefined ? "–" : `${whole(unknown)}${data.unknown?.more ? "+" : ""}`}
          tone={(unknown ?? 0) > 0 ? "bad" : undefined}
          note="for a person"
        />
      </dl>
      <OperationsPlot id="operations" metrics={metrics} theme={theme} runs={metrics.runs} />
    </>
  );
}

function Held({ of: { entries, bytes: held, bound } }: { readonly of: Metrics["instances"]["list"][number] }) {
  const used = bound.unit === "bytes" ? (held ?? 0) : entries;
  const size = bound.unit === "bytes" ? bytes : whole;
  const one = plural(entries, "entry", "entries");
  return (
    <span title={`${whole(entries)} ${one}`}>
      {size(used)}{" "}
      <span class="t">
        of {size(bound.most)}
        {bound.unit === "bytes" ? "" : " entries"}
      </span>{" "}
      <Meter share={used / Math.max(1, bound.most)} width={48} />
    </span>
  );
}

function InstancesTable({ data, metrics }: Omit<PanelProps, "theme">) {
  const { instances, sees, at, ledger } = data.live ?? metrics;
  const lost = instances.expected - instances.seen;
  return (
    <Section
      title="Instances"
      aside={
        <span class={lost > 0 ? "warn" : ""} data-instances>
          {instances.seen} of {instances.expected}
        </span>
      }
    >
      <div class="tw">
        <table>
          <caption class="vh">Instances</caption>
          <thead>
            <tr>
              <th scope="col">Instance</th>
              <th scope="col" class="hide-s">
                Declared
              </th>
              <th scope="col">Up</th>
              <th scope="col" class="r">
                Memory
              </th>
              <th scope="col" class="r">
                Last news
              </th>
            </tr>
          </thead>
          <tbody>
            {instances.list.map((one) => (
              <tr key={`${one.name}${one.startedAt}`}>
                <td class="name">{one.name}</td>
                <td class="m t hide-s">{one.declared}</td>
                <td title={full(one.startedAt)}>{age(at - one.startedAt)}</td>
                <td class="r n">
                  <Held of={one} />
                </td>
                <td class="r" title={full(one.lastAt)}>
                  {one.state === "lost" ? (
                    <span class="warn">silent for {age(at - one.lastAt)}</span>
                  ) : (
                    <span class="t">{at - one.lastAt < 2_000 ? "now" : `${age(at - one.lastAt)} ago`}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="small t note">
        {sees === "all-instances"
          ? "Each writes its counters to the ledger every 10 s. Declared: differs when the declarations do."
          : ledger === null
            ? "This process only: there is no ledger through which instances could see each other."
            : "This process only, while the ledger does not answer; the others are as they were."}
      </p>
    </Section>
  );
}
