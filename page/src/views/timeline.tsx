import type { Lane, Timeline, TimelineRow } from "../../../src/page/wire.ts";
import { instant, milliseconds } from "../format.ts";
import { Rich, useNarrow } from "../parts.tsx";

/** One row for each recorded event, its lanes drawn row by row, and the product's question asked of every row. */
export function RunTimeline({ timeline }: { readonly timeline: Timeline }) {
  const narrow = useNarrow();
  const { lanes, rows } = timeline;
  const pitch = lanes.length > 5 ? 60 : 74;
  const width = (lanes.length - 1) * pitch + 74;
  const place = (lane: number) => 36 + lane * pitch;
  const lives = lanes.map((lane, index) => lifeOf(lane, index, rows));
  let before: number | undefined;
  return (
    <div class="tw">
      <table class="run">
        <caption class="vh">What happened, in order</caption>
        {narrow ? null : (
          <colgroup>
            <col style={{ width: "104px" }} />
            <col style={{ width: "84px" }} />
            <col style={{ width: `${width}px` }} />
            <col />
            <col style={{ width: "27%" }} />
          </colgroup>
        )}
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col" class="hide-s">
              After
            </th>
            <th scope="col" class="hide-s lanes">
              <span class="vh">Between whom</span>
              <svg width={width} height="16" aria-hidden="true">
                {lanes.map(({ name, token, kind }, index) => (
                  <text key={`${kind}${token}`} x={place(index)} y="12" text-anchor="middle">
                    {shortened(name, pitch)}
                    {token === null ? null : <tspan fill="var(--ink3)"> #{token}</tspan>}
                  </text>
                ))}
              </svg>
            </th>
            <th scope="col">What happened</th>
            <th scope="col" class="hide-s">
              If it stopped right after this
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => {
            const after = row.at !== null && before !== undefined ? `+${milliseconds(row.at - before)}` : "";
            const key = `${index}${row.what}`;
            if (row.at !== null) before = row.at;
            if (row.kind === "silence") {
              return (
                <tr class="gap" key={key}>
                  <td />
                  <td class="hide-s" />
                  <td class="hide-s lane">
                    <LaneDrawing lanes={lanes} lives={lives} row={row} index={index} place={place} />
                  </td>
                  <td colSpan={narrow ? 1 : 2} class={row.bad ? "bad" : ""}>
                    {row.what}
                  </td>
                </tr>
              );
            }
            return (
              <tr key={key}>
                <td class="m n">{row.at === null ? "" : instant(row.at)}</td>
                <td class="r t n hide-s">{after}</td>
                <td class="lane hide-s">
                  <LaneDrawing lanes={lanes} lives={lives} row={row} index={index} place={place} />
                </td>
                <td class={`txt${row.bad ? " bad" : ""}`}>
                  <Rich text={row.what} />
                  <span class="only-s">If it stopped here: {row.ifStopped}</span>
                </td>
                <td class="if hide-s">{row.ifStopped}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function shortened(name: string, pitch: number): string {
  const most = Math.floor(pitch / 7);
  return name.length <= most ? name : `…${name.slice(1 - most)}`;
}

interface Life {
  readonly first: number;
  readonly last: number;
  /** Where it fell silent, if it did. */
  readonly silent: number | undefined;
}

/** An attempt's lane begins with its first event and ends with its last; everybody else is there throughout. */
function lifeOf({ kind }: Lane, lane: number, rows: readonly TimelineRow[]): Life {
  if (kind !== "attempt") return { first: -1, last: rows.length, silent: undefined };
  const own = rows.flatMap(({ steps }, index) =>
    steps.some(({ from, to }) => from === lane || to === lane) ? [index] : [],
  );
  const first = own[0] ?? 0;
  const last = own.at(-1) ?? 0;
  const next = rows[last + 1];
  return { first, last, silent: next?.kind === "silence" ? last + 1 : undefined };
}

interface LaneDrawingProps {
  readonly lanes: readonly Lane[];
  readonly lives: readonly Life[];
  readonly row: TimelineRow;
  readonly index: number;
  readonly place: (lane: number) => number;
}

function LaneDrawing({ lanes, lives, row, index, place }: LaneDrawingProps) {
  const colour = row.bad ? "var(--bad)" : "var(--ink)";
  return (
    <svg aria-hidden="true">
      {lanes.map(({ kind, token }, lane) => {
        const life = lives[lane];
        if (life === undefined || index < life.first || index > (life.silent ?? life.last)) return null;
        const attempt = kind === "attempt";
        const top = index === life.first ? "50%" : "0";
        const bottom = attempt && index === life.last && life.silent === undefined ? "50%" : "100%";
        const ends = index === life.silent ? "50%" : bottom;
        return (
          <line
            key={`${kind}${token}`}
            {...{ x1: place(lane), x2: place(lane), y1: top, y2: ends }}
            stroke={attempt ? "var(--ink2)" : "var(--line2)"}
            stroke-width={attempt ? 1.5 : 1}
            stroke-dasharray={row.kind === "silence" ? "2 4" : undefined}
          />
        );
      })}
      <svg y="50%" overflow="visible" aria-hidden="true">
        {lives.map((life, lane) =>
          life.silent === index ? (
            <path
              key={`silent${place(lane)}`}
              d={`M${place(lane) - 5} -5l10 10m0-10l-10 10`}
              stroke="var(--bad)"
              stroke-width="2"
            />
          ) : null,
        )}
        {row.steps.map(({ from, to, durable }) => {
          const [a, b] = [place(from), place(to)];
          const direction = b > a ? 1 : -1;
          const ledger = lanes[to]?.kind === "ledger";
          const dashed = lanes[from]?.kind === "outside" || lanes[to]?.kind === "outside" || (!durable && to === 0);
          if (a === b) return <circle key={`${from}${to}`} cx={a} cy="0" r="3" fill="var(--bg)" stroke={colour} />;
          return (
            <g key={`${from}-${to}`}>
              <circle cx={a} cy="0" r="3" fill={colour} />
              <path
                d={`M${a + 4 * direction} 0H${b - 5 * direction}`}
                stroke={colour}
                stroke-dasharray={dashed ? "3 2" : undefined}
              />
              <path
                d={`M${b - 9 * direction} -3.5L${b - 5 * direction} 0L${b - 9 * direction} 3.5`}
                fill="none"
                stroke={colour}
              />
              {ledger ? (
                <rect x={b - 3.5} y="-3.5" width="7" height="7" fill={colour} />
              ) : (
                <circle cx={b} cy="0" r="3" fill="var(--bg)" stroke={colour} />
              )}
            </g>
          );
        })}
      </svg>
    </svg>
  );
}
