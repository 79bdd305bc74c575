import type { Decided } from "../../../src/decisions/decided.ts";
import type { CacheMetrics, Metrics, Now } from "../../../src/observe/metrics.ts";
import type { DecisionsAnswer } from "../../../src/page/wire.ts";
import type { Data } from "../data.ts";
import { bytes, duration, milliseconds, percent, plural, rate, whole } from "../format.ts";
import { Fig, Nobody, Section } from "../parts.tsx";
import { OriginLegend, ReadsPlot, windowOf } from "../series-plot.tsx";
import type { Theme } from "../theme.ts";
import { declaredIn, isNobodys, valueIn } from "./answers.ts";
import { ExplainBox } from "./explain-box.tsx";
import { SizeSection } from "./size.tsx";

export interface Row {
  readonly name: string;
  readonly decided: Decided;
  readonly metrics: CacheMetrics | undefined;
  readonly now: Now["caches"][string] | undefined;
}

interface CacheDetailProps {
  readonly row: Row;
  readonly data: Data;
  readonly metrics: Metrics;
  readonly theme: Theme;
}

export function CacheDetail({ row, data, metrics, theme }: CacheDetailProps) {
  const { name, decided } = row;
  return (
    <div class="cols detail">
      <div class="c12">
        <h2 class="title">
          <span class="m">{name}</span> <span class="t">{decided.owner ?? "no owner"}</span>
          {decided.undecided.length > 0 ? <span class="warn"> undecided</span> : null}
        </h2>
      </div>
      <Section class="c4" title="What was decided" aside="declared in code">
        <CacheDecisions decided={decided} memory={data.decisions?.memory} />
      </Section>
      <Section class="c8" title="Reads of this cache" aside={`per second by origin, ${windowOf(metrics)}`}>
        <Reads row={row} metrics={metrics} theme={theme} pending={data.live?.pendingWrites[name]} />
      </Section>
      <Section class="c5" title="Explain a read" aside="what would happen, and why; nothing is changed">
        <ExplainBox cache={name} names={(valueIn(decided.answers["scope"]) ?? "").split(", ")} />
      </Section>
      <SizeSection cache={name} alive={data.connection === "live"} theme={theme} />
    </div>
  );
}

interface ReadsProps {
  readonly row: Row;
  readonly metrics: Metrics;
  readonly theme: Theme;
  readonly pending: number | undefined;
}

function Reads({ row: { name, metrics: told, now }, metrics, theme, pending }: ReadsProps) {
  if (told === undefined) return <p class="s">Nothing has been read from it in this window.</p>;
  const some = (key: string) => (told.total[key] ?? 0) > 0;
  const total = (key: string) => whole(told.total[key] ?? 0);
  return (
    <>
      <dl class="figs">
        <Fig label="Hit" value={percent(now?.hit)} note="of the last minute" />
        <Fig label="Shared" value={rate(now?.shared)} unit="/s" note="waited with others" />
        <Fig label="Early" value={rate(now?.earlyPerMinute)} unit="/min" note="refreshed by a read" />
        <Fig label="Background" value={rate(now?.refreshesPerMinute)} unit="/min" note="the hottest" />
        <Fig label="Evicted" value={rate(now?.evictedPerMinute)} unit="/min" note="memory was full" />
        <Fig label="Expired" value={rate(now?.lapsedPerMinute)} unit="/min" note="time was over" />
        {pending === undefined ? null : (
          <Fig label="Pending writes" value={whole(pending)} note="acknowledged, this process" />
        )}
      </dl>
      <ReadsPlot id={`cache-${name}`} metrics={metrics} theme={theme} reads={told.reads} detailed={true}>
        Loads took {milliseconds(told.loadMs.p50)} at the middle and {milliseconds(told.loadMs.p99)} at the slowest of a
        hundred. {total("discarded")} loads were not stored: the data had changed since they began.
        {some("absent") ? ` ${total("absent")} found that there is none.` : ""}
        {some("unmodified") ? ` ${total("unmodified")} found that the value still holds.` : ""}
      </ReadsPlot>
      {now === undefined ? null : <OriginLegend values={now} />}
    </>
  );
}

const patternNames: Readonly<Record<string, string>> = {
  "read-through": "Read-through",
  "cache-aside": "Cache-aside",
  "write-through": "Write-through",
  "write-behind": "Write-behind",
};

interface CacheDecisionsProps {
  readonly decided: Decided;
  readonly memory: DecisionsAnswer["memory"] | undefined;
}

function CacheDecisions({ decided: { answers }, memory }: CacheDecisionsProps) {
  const fresh = valueIn(answers["freshFor"]);
  const stale = declaredIn(answers["staleFor"]);
  const absent = declaredIn(answers["absentFor"]);
  const changed = declaredIn(answers["changedBy"]);
  const same = valueIn(answers["sameForEvery"]);
  const pattern = valueIn(answers["pattern"]) ?? "";
  return (
    <dl class="says">
      <dt>Worst case</dt>
      <dd>{isNobodys(answers["ifStale"]) ? <Nobody /> : valueIn(answers["ifStale"])}</dd>
      <dt>Holds</dt>
      <dd>{isNobodys(answers["holds"]) ? <Nobody /> : valueIn(answers["holds"])}</dd>
      <dt>Pattern</dt>
      <dd>
        {patternNames[pattern] ?? pattern}. <em>{valueIn(answers["tradeOff"])}</em>
      </dd>
      <dt>Age</dt>
      <dd>
        Fresh for {duration(fresh ?? "–")}
        {stale === undefined ? ", then loaded anew." : `, then up to ${duration(stale)} stale while one refresh runs.`}
        {absent === undefined ? "" : ` That there is none, for ${duration(absent)}.`}{" "}
        <em>
          Expiry jittered by {Number(valueIn(answers["jitter"]) ?? 0) * 100}%
          {answers["jitter"]?.is === "default" ? ", a default" : ""}.
        </em>
      </dd>
      <dt>Who sees it</dt>
      <dd>
        Everyone who asks for the same {valueIn(answers["scope"])}.
        {same === undefined ? "" : ` The same for every: ${same}.`}
      </dd>
      <dt>Changed by</dt>
      <dd>
        {changed === undefined ? (
          <>
            Time alone. <em>No operation is named.</em>
          </>
        ) : (
          <>
            Each commit of {changed}. <em>A writer that goes past it is not seen.</em>
          </>
        )}
        {answers["write"] === undefined ? null : <Writes answers={answers} />}
      </dd>
      <dt>Waiting</dt>
      <dd>
        <Waiting answers={answers} />
      </dd>
      <dt>Kept warm</dt>
      <dd>
        <KeptWarm answers={answers} />
      </dd>
      <dt>When full</dt>
      <dd>{memory === undefined ? "–" : <WhenFull memory={memory} protect={declaredIn(answers["protect"])} />}</dd>
    </dl>
  );
}

type Answers = Decided["answers"];

function Writes({ answers }: { readonly answers: Answers }) {
  const ifLost = valueIn(answers["ifLost"]);
  const lost = ifLost === "never" ? "A crash loses none." : `A crash may lose ${ifLost?.replace(/ may be$/, "")}.`;
  return (
    <>
      {" "}
      Written {valueIn(answers["write"])}. {ifLost === undefined ? null : <em>{lost}</em>}
    </>
  );
}

function Waiting({ answers }: { readonly answers: Answers }) {
  const soft = declaredIn(answers["deadline.soft"]);
  const hard = valueIn(answers["deadline.hard"]);
  const queue = declaredIn(answers["queue"]);
  const source = declaredIn(answers["source"]);
  return (
    <>
      One load for all who wait
      {answers["loadMany"]?.is === "declared" ? ", and one for all keys that a list misses" : ""}.
      {soft === undefined ? "" : ` Who could be served stale waits ${duration(soft)} for the new value.`} A load is
      given up after {duration(hard ?? "–")}.{queue === undefined ? "" : ` Of readers, ${queue}.`}
      {source === undefined ? "" : ` Source ${source}, for all its caches.`}
      {queue === undefined && source === undefined ? <em> No bound on readers or loads.</em> : null}
    </>
  );
}

function KeptWarm({ answers }: { readonly answers: Answers }) {
  const refresh = declaredIn(answers["refresh"]);
  const early = valueIn(answers["early"]);
  return (
    <>
      {refresh === undefined ? "" : `In the background: ${refresh}. `}
      {early === "never" ? (
        "A read never refreshes ahead of expiry."
      ) : (
        <>
          A read refreshes ahead of expiry, the earlier the dearer its load and the more it is read.{" "}
          <em>
            XFetch, β {early}
            {answers["early"]?.is === "default" ? ", a default" : ""}.
          </em>
        </>
      )}
    </>
  );
}

const leaves = {
  lru: "What was read longest ago goes first (lru).",
  lfu: "What is read least goes first, new entries on probation (lfu).",
  "nearest-expiry": "What would expire first goes first (nearest-expiry).",
} as const satisfies Record<DecisionsAnswer["memory"]["eviction"], string>;

function WhenFull({
  memory,
  protect,
}: {
  readonly memory: DecisionsAnswer["memory"];
  readonly protect: string | undefined;
}) {
  const { unit, most } = memory.bound;
  const size = unit === "bytes" ? bytes(most) : `${whole(most)} ${plural(most, "entry", "entries")}`;
  return (
    <>
      {leaves[memory.eviction]}{" "}
      {protect === undefined ? "This cache is not protected." : "Entries of this cache leave last: it is protected."}{" "}
      <em>
        {size} for all caches of an instance{memory.declared ? "" : ", a default"}.
      </em>
    </>
  );
}
