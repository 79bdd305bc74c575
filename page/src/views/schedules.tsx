import type { ScheduleRow, TickRow } from "../../../src/admin/schedule-rows.ts";
import type { Decided } from "../../../src/decisions/decided.ts";
import type { ScheduleAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { type Data, useJob } from "../data.ts";
import { age, duration, inWords, plural, whole } from "../format.ts";
import { goes, useNarrow } from "../parts.tsx";
import { link, type Route } from "../route.ts";
import { inZone, markOf, TickSpark, tickWords, toneOfTick } from "../tick-strip.tsx";
import { valueIn } from "./answers.ts";
import { JobFrame } from "./job-frame.tsx";
import { NothingDeclared } from "./nothing-declared.tsx";
import { ScheduleDetail } from "./schedule-detail.tsx";

interface SchedulesProps {
  readonly data: Data;
  readonly route: Route;
  readonly administration: Administration;
  readonly askUnlock: () => void;
}

const first = `const enrich = reprise.schedule({
  name: "customers.enrich", owner: "crm",
  at: "*/15 * * * *", timeZone: "Europe/Berlin",
  ifStillRunning: "walk-away",
  ifMissed: { run: "latest", within: "6h" }, costIfTwice: "money", retention: "90d",
  work: ({ tick, tx }) => pending(tx, tick.at), each: enrichCustomer,
});`;

export function Schedules({ data, route, administration, askUnlock }: SchedulesProps) {
  const narrow = useNarrow();
  const { decisions, schedules } = data;
  const declared = decisions?.decisions.filter(({ kind }) => kind === "schedule") ?? [];
  const [asked] = route.path;
  const chosen = asked ?? (narrow ? undefined : declared[0]?.name);
  const [answer, refused, replace] = useJob("schedule", chosen, "", data.connection === "live", isRunning);
  if (declared.length === 0) {
    return (
      <NothingDeclared title="No schedule is declared." code={first}>
        A schedule runs work that is due by the clock: once for each tick, whichever instances there are, and what a
        tick has billed is not billed again.
      </NothingDeclared>
    );
  }
  const at = data.live?.at ?? schedules?.at ?? 0;
  const cost = valueIn(declared.find(({ name }) => name === chosen)?.answers["costIfTwice"]);
  const detail = answer && (
    <ScheduleDetail {...{ answer, at, cost, route, administration, askUnlock, done: replace }} />
  );
  return (
    <JobFrame view="schedules" waiting="Ticks" {...{ route, chosen, narrow, detail, refused }}>
      <Headline schedules={schedules?.schedules} declared={declared.length} at={at} />
      <ScheduleTable declared={declared} schedules={schedules?.schedules ?? []} {...{ selected: chosen, at, route }} />
    </JobFrame>
  );
}

const isRunning = ({ schedule, asked }: ScheduleAnswer): boolean =>
  schedule.running !== null || (asked !== null && asked.ended === null);

interface HeadlineProps {
  readonly schedules: readonly ScheduleRow[] | undefined;
  readonly declared: number;
  readonly at: number;
}

function Headline({ schedules, declared, at }: HeadlineProps) {
  const ticks = schedules?.flatMap((schedule) => schedule.ticks) ?? [];
  const count = (...results: readonly TickRow["is"][]) =>
    ticks.reduce((sum, tick) => sum + (results.includes(tick.is) ? tick.atLeast : 0), 0);
  const bad = count("failed", "unknown");
  const missed = count("missed");
  const next = (schedules ?? [])
    .flatMap(({ name, next: due }) => (due === null ? [] : [{ name, due }]))
    .sort((a, b) => a.due - b.due)[0];
  const paused = (schedules ?? []).filter((schedule) => schedule.paused !== null);
  return (
    <div class="head">
      <div>
        <h1>
          {bad > 0
            ? `${inWords(bad)} ${plural(bad, "tick")} did not end well.`
            : ticks.length === 0
              ? `${inWords(declared)} ${plural(declared, "schedule")}, no tick yet.`
              : `${whole(count("ran"))} ${plural(count("ran"), "tick")} ran, ${whole(count("walked-away"))} walked away.`}
        </h1>
        <p class="lede">
          Among the last ticks of {inWords(declared).toLowerCase()} {plural(declared, "schedule")}.{" "}
          {missed === 0 ? (
            "None was missed."
          ) : (
            <span class="warn">
              {inWords(missed)} {plural(missed, "was", "were")} missed.
            </span>
          )}
          {next === undefined ? "" : ` Next: ${next.name}, ${next.due <= at ? "due now" : `in ${age(next.due - at)}`}.`}
          {paused.length === 0 ? null : (
            <>
              {" "}
              <span class="warn">
                {inWords(paused.length)} {plural(paused.length, "is", "are")} paused:{" "}
                {paused.map(({ name }) => name).join(", ")}.
              </span>
            </>
          )}
        </p>
      </div>
    </div>
  );
}

interface ScheduleTableProps {
  readonly declared: readonly Decided[];
  readonly schedules: readonly ScheduleRow[];
  readonly selected: string | undefined;
  readonly at: number;
  readonly route: Route;
}

function ScheduleTable({ declared, schedules, selected, at, route }: ScheduleTableProps) {
  return (
    <div class="tw">
      <table>
        <caption class="vh">Schedules</caption>
        <thead>
          <tr>
            <th scope="col">Schedule</th>
            <th scope="col" class="hide-s">
              When
            </th>
            <th scope="col" class="hide-s">
              Owner
            </th>
            <th scope="col" class="hide-s">
              If still running
            </th>
            <th scope="col" class="hide-s">
              If missed
            </th>
            <th scope="col" class="hide-s">
              Cost if twice
            </th>
            <th scope="col" class="hide-s">
              Last ticks, the newest at the right
            </th>
            <th scope="col">Last</th>
            <th scope="col" class="r">
              Next
            </th>
          </tr>
        </thead>
        <tbody>
          {declared.map(({ name, owner, answers }) => {
            const found = schedules.find((schedule) => schedule.name === name);
            const when = valueIn(answers["at"]) ?? `every ${duration(valueIn(answers["every"]) ?? "")}`;
            return (
              <tr key={name} {...goes(link(route, "schedules", [name]))} aria-selected={name === selected}>
                <td class="named">
                  <span class="name m">{name}</span>
                  <span class="sub only-s">{when}</span>
                </td>
                <td class="hide-s">
                  <span class="m">{when}</span> <span class="t">{valueIn(answers["timeZone"])}</span>
                </td>
                <td class="hide-s">{owner ?? <span class="warn">nobody</span>}</td>
                <td class="hide-s">{valueIn(answers["ifStillRunning"])}</td>
                <td class="hide-s">{valueIn(answers["ifMissed"])}</td>
                <td class="hide-s">
                  {valueIn(answers["costIfTwice"]) ?? <span class="warn">nobody has decided</span>}
                </td>
                <td class="hide-s">{found === undefined ? null : <TickSpark ticks={found.ticks} />}</td>
                <Last schedule={found} />
                <Next schedule={found} at={at} />
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Last({ schedule }: { readonly schedule: ScheduleRow | undefined }) {
  const last = schedule?.ticks.at(-1);
  if (schedule?.running) return <td>running</td>;
  if (last === undefined) return <td class="t">none yet</td>;
  const mark = markOf(last);
  return <td class={toneOfTick(mark)}>{tickWords[mark]}</td>;
}

function Next({ schedule, at }: { readonly schedule: ScheduleRow | undefined; readonly at: number }) {
  if (schedule === undefined) return <td class="r t">–</td>;
  const { paused, next, timeZone } = schedule;
  if (paused !== null) return <td class="r warn">paused</td>;
  if (next === null) return <td class="r t">none</td>;
  return (
    <td class="r n" title={`${inZone(next, timeZone)} ${timeZone ?? ""}`}>
      {next <= at ? "due now" : `in ${age(next - at)}`}
    </td>
  );
}
