import type { ComponentChildren } from "preact";
import type { ScheduleRow, TickRow } from "../../src/admin/schedule-rows.ts";
import { milliseconds, whole } from "./format.ts";
import { Strip } from "./strip.tsx";

/** Ticks of a schedule: what became of each, in the order of the times that they are for. */

export type TickMark = TickRow["is"] | "late" | "running";

/** A minute is in time. */
const inTimeMs = 60_000;

export function markOf({ is, lateMs }: Pick<TickRow, "is" | "lateMs">): TickMark {
  return is === "ran" && (lateMs ?? 0) > inTimeMs ? "late" : is;
}

export const tickWords: Readonly<Record<TickMark, string>> = {
  ran: "ran",
  late: "ran late",
  running: "running",
  "walked-away": "walked away",
  missed: "missed",
  paused: "paused",
  stopped: "stopped for the next",
  unknown: "unknown",
  failed: "failed",
};

/** Colour only where somebody should look. */
export function toneOfTick(mark: TickMark): "" | "warn" | "bad" {
  return mark === "failed" || mark === "unknown" ? "bad" : mark === "missed" ? "warn" : "";
}

interface TickStripProps {
  readonly ticks: readonly TickRow[];
  readonly running: ScheduleRow["running"];
  readonly timeZone: string | null;
}

type Drawn = { readonly mark: TickMark; readonly title: string; readonly many: number | null; readonly took: number };

const height = 34;

export function TickStrip({ ticks, running, timeZone }: TickStripProps) {
  const [shortest, longest] = extentOf(ticks);
  const drawn: readonly Drawn[] = [
    ...ticks.map((tick): Drawn => {
      const took = tookOf(tick);
      // between the shortest and the longest by their ratio: seconds and hours stand side by side
      const share = longest > shortest && took > 0 ? Math.log(took / shortest) / Math.log(longest / shortest) : 0.3;
      return { mark: markOf(tick), title: titleOf(tick, timeZone), many: tick.ticks, took: share };
    }),
    ...(running === null
      ? []
      : [
          {
            ...({ mark: "running", many: 1, took: 1 } as const),
            title: `${inZone(running.at, timeZone)}: running at ${running.holder}`,
          },
        ]),
  ];
  const ends = [ticks[0]?.from ?? ticks[0]?.at ?? running?.at, running?.at ?? ticks.at(-1)?.at];
  const kept = ticks.reduce((sum, tick) => sum + tick.atLeast, 0);
  return (
    <Strip
      items={drawn.map((one, index) => ({ ...one, index }))}
      label={`The last ${whole(kept)} ticks, oldest first; the table below tells each`}
      ends={[inZone(ends[0] ?? 0, timeZone), inZone(ends[1] ?? 0, timeZone)]}
      height={height}
      least={11}
      most={22}
      keyOf={({ index }) => index}
      titleOf={({ title }) => title}
      draw={({ mark, many, took }, width) => (
        <>
          <TickShape mark={mark} width={width - 3} share={took} />
          {many === 1 ? null : (
            <text x={(width - 3) / 2} y={height - 1} text-anchor="middle" class="many">
              {many === null ? "…" : many > 99 ? "99+" : many}
            </text>
          )}
        </>
      )}
    />
  );
}

const ground = 24;

/** Each result is a shape of its own; a bar is a tick that ran, as high as it took long. */
function TickShape({
  mark,
  width,
  share,
}: {
  readonly mark: TickMark;
  readonly width: number;
  readonly share: number;
}): ComponentChildren {
  const middle = width / 2;
  const bar = 5 + share * 17;
  const wide = Math.min(width, 9);
  const left = middle - wide / 2;
  switch (mark) {
    case "ran":
      return <rect x={left} y={ground - bar} width={wide} height={bar} fill="var(--ink3)" />;
    case "late": {
      // it stands off the ground: what it was for had passed
      const lifted = Math.min(bar, 14);
      return (
        <>
          <rect x={left} y={ground - 6 - lifted} width={wide} height={lifted} fill="var(--ink3)" />
          <path d={`M${middle} ${ground - 5}v5`} stroke="var(--ink3)" stroke-dasharray="1.5 1.5" />
        </>
      );
    }
    case "stopped":
      return (
        <rect
          x={left + 0.75}
          y={ground - bar}
          width={wide - 1.5}
          height={bar - 0.75}
          fill="none"
          stroke="var(--ink3)"
          stroke-width="1.5"
        />
      );
    case "running":
      return (
        <>
          <circle cx={middle} cy={ground - 5} r="4.2" fill="none" stroke="var(--ink)" stroke-width="1.6" />
          <circle cx={middle} cy={ground - 5} r="1.5" fill="var(--ink)" />
        </>
      );
    case "walked-away":
      return <circle cx={middle} cy={ground - 4} r="2.8" fill="none" stroke="var(--ink3)" stroke-width="1.3" />;
    case "paused":
      return <path d={`M${middle - 2} ${ground}v-9m4 9v-9`} stroke="var(--ink3)" stroke-width="1.5" />;
    case "missed":
      return (
        <rect
          x={left + 0.75}
          y={ground - 15}
          width={wide - 1.5}
          height="14.25"
          fill="none"
          stroke="var(--warn)"
          stroke-width="1.5"
          stroke-dasharray="2.2 2"
        />
      );
    case "unknown":
      return (
        <circle
          cx={middle}
          cy={ground - 6}
          r="4.4"
          fill="none"
          stroke="var(--bad)"
          stroke-width="1.7"
          stroke-dasharray="2.4 2"
        />
      );
    case "failed":
      return <path d={`M${middle} ${ground - 11}l5.5 11h-11z`} fill="var(--bad)" />;
  }
}

/** Only of what is there, in the order of how much it asks of anybody. */
export function TickLegend({
  marks,
  ticks,
}: Pick<TickStripProps, "ticks"> & { readonly marks: ReadonlySet<TickMark> }) {
  const [shortest, longest] = extentOf(ticks);
  return (
    <div class="legend note">
      {(Object.keys(tickWords) as readonly TickMark[])
        .filter((mark) => marks.has(mark))
        .map((mark) => (
          <span key={mark}>
            <svg width="14" height="18" viewBox={`0 ${ground - 17} 14 18`} aria-hidden="true">
              <TickShape mark={mark} width={14} share={0.5} />
            </svg>
            {tickWords[mark]}
          </span>
        ))}
      {longest > shortest ? (
        <span>
          the higher, the longer it took: {milliseconds(shortest)} to {milliseconds(longest)}
        </span>
      ) : null}
    </div>
  );
}

/** Of a list of schedules: the last ones, small. */
export function TickSpark({ ticks }: { readonly ticks: readonly TickRow[] }) {
  const shown = ticks.slice(-20);
  const step = 8;
  return (
    <svg
      width={20 * step}
      height="20"
      viewBox={`0 ${ground - 15} ${20 * step} 20`}
      role="img"
      aria-label={`The last ${shown.length}: ${wordsOf(shown)}`}
    >
      {shown.map((tick, index) => (
        <g
          key={`${tick.at}${tick.endedAt}`}
          transform={`translate(${(20 - shown.length + index) * step} 0) scale(0.9 1)`}
        >
          <TickShape mark={markOf(tick)} width={6.5} share={0.25} />
        </g>
      ))}
    </svg>
  );
}

/** `12 ran, 3 walked away`. */
export function wordsOf(ticks: readonly TickRow[]): string {
  const counts = new Map<TickMark, number>();
  for (const tick of ticks) counts.set(markOf(tick), (counts.get(markOf(tick)) ?? 0) + tick.atLeast);
  return [...counts].map(([mark, count]) => `${whole(count)} ${tickWords[mark]}`).join(", ");
}

/** How long the ticks took, at least and at most. */
function extentOf(ticks: readonly TickRow[]): readonly [shortest: number, longest: number] {
  const times = ticks.map(tookOf).filter((took) => took > 0);
  return [Math.min(...times), Math.max(...times)];
}

const tookOf = ({ startedAt, endedAt }: TickRow): number => (startedAt === null ? 0 : endedAt - startedAt);

function titleOf(tick: TickRow, timeZone: string | null): string {
  const { at, from, ticks, lateMs, why, startedAt, endedAt } = tick;
  const mark = markOf(tick);
  const several = from === null ? "" : `, ${ticks ?? "many"} ticks from ${inZone(from, timeZone)}`;
  const parts = [
    ...(mark === "late" ? [`${milliseconds(lateMs)} late`] : []),
    ...(startedAt === null ? [] : [`took ${milliseconds(endedAt - startedAt)}`]),
    ...(why === null ? [] : [why]),
  ];
  return `${inZone(at, timeZone)}${several}: ${tickWords[mark]}${parts.length === 0 ? "" : `; ${parts.join(", ")}`}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** `29 Nov 11:15` by the wall clock that a schedule names; by the reader's where it names none. */
export function inZone(at: number, timeZone: string | null, seconds = false): string {
  const key = `${timeZone} ${seconds}`;
  const known =
    formats.get(key) ??
    new Intl.DateTimeFormat("en-GB", {
      ...{ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
      ...(seconds ? { second: "2-digit" } : {}),
      ...(timeZone === null ? {} : { timeZone }),
    });
  formats.set(key, known);
  return known.format(at).replace(",", "");
}
