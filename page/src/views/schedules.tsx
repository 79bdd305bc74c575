import type { ScheduleRow, TickRow } from "../../../src/admin/schedule-rows.ts";
import type { Decided } from "../../../src/decisions/decided.ts";
import type { RecordsAnswer, ScheduleAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { type Data, useJob } from "../data.ts";
import { age, duration, full, inWords, milliseconds, plural, whole } from "../format.ts";
import { Bones, Fig, goes, Section, useNarrow } from "../parts.tsx";
import { link, type Route } from "../route.ts";
import { inZone, markOf, TickLegend, TickSpark, TickStrip, tickWords, toneOfTick } from "../tick-strip.tsx";
import { ActPanel } from "./act-panel.tsx";
import { valueIn } from "./answers.ts";
import { NothingDeclared } from "./nothing-declared.tsx";

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
  const detail =
    answer !== undefined ? (
      <Detail {...{ answer, at, cost, route, administration, askUnlock, done: replace }} />
    ) : refused === undefined ? (
      <Bones title="Ticks" />
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
          <a class="l" href={link(route, "schedules")}>
            ← All schedules
          </a>
        </p>
        {detail}
      </>
    );
  }
  return (
    <>
      <Headline schedules={schedules?.schedules} declared={declared.length} at={at} />
      <ScheduleTable declared={declared} schedules={schedules?.schedules ?? []} {...{ selected: chosen, at, route }} />
      {narrow ? null : <div class="detail">{detail}</div>}
    </>
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
    ticks.reduce((sum, tick) => sum + (results.includes(tick.is) ? (tick.ticks ?? 1) : 0), 0);
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
                <td>
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

interface DetailProps {
  readonly answer: ScheduleAnswer;
  readonly at: number;
  readonly cost: string | undefined;
  readonly route: Route;
  readonly administration: Administration;
  readonly askUnlock: () => void;
  readonly done: (answer: ScheduleAnswer) => void;
}

function Detail({ answer, at, cost, route, administration, askUnlock, done }: DetailProps) {
  const { schedule, next, records, asked, choices } = answer;
  const { name, times, timeZone, ticks, running, paused } = schedule;
  const marks = new Set([...ticks.map(markOf), ...(running === null ? [] : ["running" as const])]);
  const facts: readonly (readonly [string, string])[] = [
    ["When", `${times}${timeZone === null ? "" : `, ${timeZone}`}`],
    [
      `Next${timeZone === null ? "" : ` in ${timeZone}`}`,
      next.length === 0 ? "no further date" : next.map((tick) => inZone(tick, timeZone)).join(" · "),
    ],
    ...(running === null
      ? []
      : [
          [
            "Running",
            `${inZone(running.at, timeZone)}, at ${running.holder}${running.starts > 1 ? `, start ${running.starts}` : ""}`,
          ] as const,
        ]),
  ];
  return (
    <>
      <Section
        title={
          <>
            <span class="m">{name}</span>{" "}
            <span class={`light ${paused === null ? "s" : "warn"}`}>
              {paused !== null
                ? "paused"
                : running !== null
                  ? running.stopping
                    ? "running, asked to stop"
                    : "running"
                  : ""}
            </span>
          </>
        }
        aside={timeZone === null ? "times by your clock" : `times in ${timeZone}`}
      >
        {paused === null ? null : (
          <div class="notice" role="note">
            <span>
              <b>Paused by {paused.who}</b> for {age(at - paused.at)}, since {inZone(paused.at, timeZone)}: {paused.why}
            </span>
          </div>
        )}
        <dl class="figs facts">
          {facts.map(([label, value]) => (
            <div class="small" key={label}>
              <dt class="t">{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {ticks.length === 0 && running === null ? (
          <p class="s note">No tick has come due since it was seen first.</p>
        ) : (
          <>
            <TickStrip ticks={ticks} running={running} timeZone={timeZone} />
            <TickLegend marks={marks} />
            <TickFigures ticks={ticks} cost={cost} />
            <TickTable ticks={ticks} timeZone={timeZone} name={name} route={route} />
          </>
        )}
        <ActPanel
          key={name}
          kind="schedule"
          name={name}
          timeZone={timeZone}
          {...{ choices, asked, administration, askUnlock, done }}
        />
      </Section>
      {records === null || records.runs.length === 0 ? null : <Records records={records} at={at} route={route} />}
    </>
  );
}

/** Ticks by how they ended, and what became of their records. */
function TickFigures({ ticks, cost }: { readonly ticks: readonly TickRow[]; readonly cost: string | undefined }) {
  const count = (mark: ReturnType<typeof markOf>) =>
    ticks.reduce((sum, tick) => sum + (markOf(tick) === mark ? (tick.ticks ?? 1) : 0), 0);
  const sum = (name: "ran" | "replayed" | "refused" | "unknown" | "failed" | "running") =>
    ticks.reduce((total, { counts }) => total + (counts?.[name] ?? 0), 0);
  const worked = ticks.some(({ counts }) => counts !== null);
  const marks = ["ran", "late", "walked-away", "stopped", "missed", "paused", "unknown", "failed"] as const;
  return (
    <>
      <dl class="figs counts">
        {marks
          .filter((mark) => mark === "ran" || count(mark) > 0)
          .map((mark) => (
            <Fig key={mark} label={capital(tickWords[mark])} value={whole(count(mark))} tone={toneOfTick(mark)} />
          ))}
      </dl>
      {worked ? (
        <dl class="figs counts">
          <Fig
            label="Records run"
            value={whole(sum("ran"))}
            note={cost === "money" ? "billed once each" : "once each"}
          />
          <Fig
            label="Replayed"
            value={whole(sum("replayed"))}
            note={cost === "money" ? "known already, not billed again" : "known already, not run again"}
          />
          {sum("refused") === 0 ? null : <Fig label="Refused" value={whole(sum("refused"))} note="stored answers" />}
          {sum("unknown") === 0 ? null : (
            <Fig label="Unknown" value={whole(sum("unknown"))} tone="bad" note="for a person" />
          )}
          {sum("failed") === 0 ? null : (
            <Fig label="Failed" value={whole(sum("failed"))} tone="warn" note="listed again by a later tick" />
          )}
          {sum("running") === 0 ? null : (
            <Fig label="Elsewhere" value={whole(sum("running"))} note="somebody was at them" />
          )}
        </dl>
      ) : null}
    </>
  );
}

const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

interface TickTableProps {
  readonly ticks: readonly TickRow[];
  readonly timeZone: string | null;
  readonly name: string;
  readonly route: Route;
}

const listedAtMost = 60;

function TickTable({ ticks, timeZone, name, route }: TickTableProps) {
  const worked = ticks.some(({ counts }) => counts !== null);
  return (
    <details class="plot-table">
      <summary>Table</summary>
      <div class="tw">
        <table>
          <caption class="vh">The last ticks of {name}, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Tick</th>
              <th scope="col">It</th>
              <th scope="col" class="r">
                Late
              </th>
              <th scope="col" class="r">
                Took
              </th>
              {worked
                ? ["Records", "Ran", "Replayed", "Refused", "Unknown", "Failed"].map((column) => (
                    <th scope="col" class="r" key={column}>
                      {column}
                    </th>
                  ))
                : null}
              <th scope="col">At</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {ticks
              .slice(-listedAtMost)
              .reverse()
              .map((tick) => (
                <TickLine key={`${tick.at}${tick.from}`} {...{ tick, timeZone, name, route, worked }} />
              ))}
          </tbody>
        </table>
      </div>
      {ticks.length > listedAtMost ? (
        <p class="small t note">
          The last {listedAtMost} of {ticks.length} that are kept.
        </p>
      ) : null}
    </details>
  );
}

interface TickLineProps {
  readonly tick: TickRow;
  readonly timeZone: string | null;
  readonly name: string;
  readonly route: Route;
  readonly worked: boolean;
}

function TickLine({ tick, timeZone, name, route, worked }: TickLineProps) {
  const { at, from, ticks, startedAt, endedAt, lateMs, holder, counts, why } = tick;
  const mark = markOf(tick);
  const tone = toneOfTick(mark);
  // the run of a tick is known by its nominal instant
  const run = link(route, "operations", [name], { find: new Date(at).toISOString() });
  const cell = (value: number | undefined, warns: "" | "warn" | "bad" = "") => (
    <td class={`r ${(value ?? 0) > 0 ? warns : ""}`}>
      {value === undefined ? <span class="t">–</span> : value === 0 ? <span class="t">0</span> : whole(value)}
    </td>
  );
  return (
    <tr>
      <td class="n" title={full(at)}>
        {from === null ? "" : `${inZone(from, timeZone)} to `}
        {inZone(at, timeZone)}
        {from === null ? "" : <span class="t"> ({ticks ?? "many"})</span>}
      </td>
      <td class={tone}>
        {startedAt === null ? (
          tickWords[mark]
        ) : (
          <a class={tone === "" ? "l" : ""} href={run}>
            {tickWords[mark]}
          </a>
        )}
      </td>
      <td class="r n">{lateMs === null ? <span class="t">–</span> : milliseconds(lateMs)}</td>
      <td class="r n">{startedAt === null ? <span class="t">–</span> : milliseconds(endedAt - startedAt)}</td>
      {worked ? (
        <>
          {cell(counts?.records)}
          {cell(counts?.ran)}
          {cell(counts?.replayed)}
          {cell(counts?.refused)}
          {cell(counts?.unknown, "bad")}
          {cell(counts?.failed, "warn")}
        </>
      ) : null}
      <td class="t">{holder ?? ""}</td>
      <td class="wrap s">{why ?? ""}</td>
    </tr>
  );
}

interface RecordsProps {
  readonly records: RecordsAnswer;
  readonly at: number;
  readonly route: Route;
}

/** The works that its records are: what was pinned of each, and so is not asked for again. */
function Records({ records: { operation, runs }, at, route }: RecordsProps) {
  return (
    <Section
      class="note-section"
      title="Records"
      aside={
        <a class="l" href={link(route, "operations", [operation])}>
          the newest of {operation}
        </a>
      }
    >
      <div class="tw">
        <table>
          <caption class="vh">The newest works of {operation}</caption>
          <thead>
            <tr>
              <th scope="col">Record</th>
              <th scope="col">State</th>
              <th scope="col">Pinned, not asked for again</th>
              <th scope="col">Without an answer</th>
              <th scope="col" class="r">
                Age
              </th>
            </tr>
          </thead>
          <tbody>
            {runs.map(({ run, effects }) => {
              const open = effects.filter(({ pinned }) => !pinned);
              return (
                <tr key={run.id} {...goes(link(route, "operations", [operation, run.id]))}>
                  <td>
                    <span class="name m">{run.identity}</span>
                  </td>
                  <td class={run.state === "unknown" ? "bad" : ""}>{run.refused === true ? "refused" : run.state}</td>
                  <td class="m">
                    {effects
                      .filter(({ pinned }) => pinned)
                      .map(({ effect }) => effect)
                      .join(", ") || <span class="t">–</span>}
                  </td>
                  <td class={open.length > 0 && run.state === "unknown" ? "bad m" : "m"}>
                    {open.map(({ effect }) => effect).join(", ") || <span class="t">–</span>}
                  </td>
                  <td class="r t n" title={full(run.createdAt)}>
                    {age(at - run.createdAt)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
