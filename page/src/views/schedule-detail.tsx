import type { TickRow } from "../../../src/admin/schedule-rows.ts";
import type { RecordsAnswer, ScheduleAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { age, full, milliseconds, whole } from "../format.ts";
import { Fig, goes, quiet, Section, Unknown } from "../parts.tsx";
import { link, type Route } from "../route.ts";
import { inZone, markOf, TickLegend, TickStrip, tickWords, toneOfTick } from "../tick-strip.tsx";
import { ActPanel } from "./act-panel.tsx";
import { Facts } from "./facts.tsx";

interface ScheduleDetailProps {
  readonly answer: ScheduleAnswer;
  readonly at: number;
  readonly cost: string | undefined;
  readonly route: Route;
  readonly administration: Administration;
  readonly askUnlock: () => void;
  readonly done: (answer: ScheduleAnswer) => void;
}

export function ScheduleDetail({ answer, at, cost, route, administration, askUnlock, done }: ScheduleDetailProps) {
  const { schedule, next, records, asked, choices } = answer;
  const { name, times, timeZone, ticks, running, paused } = schedule;
  const marks = new Set([...ticks.map(markOf), ...(running === null ? [] : ["running" as const])]);
  const facts: readonly (readonly [string, string])[] = [
    ["When", `${times}${timeZone === null ? "" : `, ${timeZone}`}`],
    [
      `Next${timeZone === null ? "" : ` in ${timeZone}`}`,
      next.length === 0
        ? "no further date"
        : next.map((tick) => inZone(tick, timeZone).replaceAll(" ", "\u00a0")).join(" · "),
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
        <Facts facts={facts} />
        {ticks.length === 0 && running === null ? (
          <p class="s note">No tick has come due since it was seen first.</p>
        ) : (
          <>
            <TickStrip ticks={ticks} running={running} timeZone={timeZone} />
            <TickLegend marks={marks} ticks={ticks} />
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
    ticks.reduce((sum, tick) => sum + (markOf(tick) === mark ? tick.atLeast : 0), 0);
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
              <th scope="col">Outcome</th>
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
              <th scope="col">Instance</th>
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
    <td class={`r ${(value ?? 0) > 0 ? warns : ""}`}>{value === undefined ? <Unknown /> : quiet(value)}</td>
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
      <td class="r n">{lateMs === null ? <Unknown /> : milliseconds(lateMs)}</td>
      <td class="r n">{startedAt === null ? <Unknown /> : milliseconds(endedAt - startedAt)}</td>
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
      <td class="t n">{holder ?? ""}</td>
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
                      .join(", ") || <Unknown />}
                  </td>
                  <td class={open.length > 0 && run.state === "unknown" ? "bad m" : "m"}>
                    {open.map(({ effect }) => effect).join(", ") || <Unknown />}
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
