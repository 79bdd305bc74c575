import type { WindowRow } from "../../src/admin/load-rows.ts";
import { whole } from "./format.ts";
import { Strip } from "./strip.tsx";

/** Windows of a run: what is done, by whom, how much of it was written, and where somebody should look. */

export function WindowStrip({ windows }: { readonly windows: readonly WindowRow[] }) {
  const of = windows.reduce((sum, window) => sum + window.of, 0);
  const done = windows.reduce((sum, window) => sum + window.done, 0);
  const names = boundsOf(windows);
  return (
    <Strip
      items={windows.map((window, index) => ({ window, index }))}
      label={`${whole(done)} of ${whole(of)} windows are done; the table below tells each`}
      ends={[names[0] ?? "", names.at(-1) ?? ""]}
      height={26}
      least={8}
      most={28}
      keyOf={({ index }) => index}
      titleOf={({ window, index }) => `${names[index]}: ${wordsOf(window)}`}
      draw={({ window }, width, height) => <Cell window={window} width={width - 2} height={height} />}
    />
  );
}

export type WindowState = "done" | "skipped" | "running" | "to-do";

export function stateOf({ of, done, skipped, running }: WindowRow): WindowState {
  if (running) return "running";
  if (done < of) return "to-do";
  return skipped === of ? "skipped" : "done";
}

/** What is not as the source has it, though nothing failed. */
export function oddIn({ counts, markRefused }: Pick<WindowRow, "counts" | "markRefused">): number {
  return counts.tied + counts.duplicates + counts.keyless + markRefused;
}

interface CellProps {
  readonly window: WindowRow;
  readonly width: number;
  readonly height: number;
}

function Cell({ window, width, height }: CellProps) {
  const { counts } = window;
  const state = stateOf(window);
  const share = counts.read === 0 ? 0 : (counts.inserted + counts.updated) / counts.read;
  // little of many is still seen
  const written = share === 0 ? 0 : Math.max(2, share * (height - 8));
  return (
    <>
      <WindowShape state={state} width={width} height={height} />
      {written > 0 && state !== "running" ? (
        <rect y={height - written} width={width} height={written} fill="var(--ink3)" />
      ) : null}
      {oddIn(window) > 0 ? <path d={`M${width / 2} 1l4 6.5h-8z`} fill="var(--warn)" /> : null}
    </>
  );
}

function WindowShape({ state, width, height }: Omit<CellProps, "window"> & { readonly state: WindowState }) {
  switch (state) {
    case "done":
      return <rect y="8" width={width} height={height - 8} fill="var(--line2)" />;
    case "skipped":
      return (
        <>
          <rect y="8.5" x="0.5" width={width - 1} height={height - 9} fill="none" stroke="var(--line2)" />
          <path d={hatch(width, height)} stroke="var(--ink3)" stroke-width="0.8" />
        </>
      );
    case "running":
      return (
        <>
          <rect y="9" x="1" width={width - 2} height={height - 10} fill="none" stroke="var(--ink)" stroke-width="1.6" />
          <circle cx={width / 2} cy={(height + 8) / 2} r="2" fill="var(--ink)" />
        </>
      );
    case "to-do":
      return <path d={`M0 ${height - 0.5}h${width}`} stroke="var(--line2)" stroke-dasharray="2 2" />;
  }
}

/** Lines of one slope inside a box below the mark. */
function hatch(width: number, height: number): string {
  const top = 8;
  let path = "";
  for (let at = 4; at < width + height - top; at += 5) {
    const fromX = Math.min(at, width);
    const fromY = top + Math.max(0, at - width);
    const toX = Math.max(0, at - (height - top));
    const toY = Math.min(height, top + at);
    path += `M${fromX} ${fromY}L${toX} ${toY}`;
  }
  return path;
}

const stateWords = {
  done: "done",
  skipped: "done by an earlier call, skipped",
  running: "under way",
  "to-do": "to do",
} as const;

export function WindowLegend() {
  return (
    <div class="legend note">
      {(["done", "skipped", "running", "to-do"] as const).map((state) => (
        <span key={state}>
          <svg width="12" height="20" aria-hidden="true" viewBox="0 6 12 20">
            <WindowShape state={state} width={12} height={26} />
          </svg>
          {stateWords[state]}
        </span>
      ))}
      <span>
        <svg width="12" height="12" aria-hidden="true">
          <rect y="2" width="12" height="10" fill="var(--line2)" />
          <rect y="7" width="12" height="5" fill="var(--ink3)" />
        </svg>
        share of rows written
      </span>
      <span>
        <svg width="10" height="10" aria-hidden="true">
          <path d="M5 1l4 7H1z" fill="var(--warn)" />
        </svg>
        refused for another reason than age
      </span>
    </div>
  );
}

/** What each is called: by its bounds, or by its place. */
export function boundsOf(windows: readonly WindowRow[]): readonly string[] {
  let before = 0;
  return windows.map(({ from, to, of }) => {
    const first = before + 1;
    before += of;
    if (from === null && to === null)
      return of === 1 ? `window ${whole(first)}` : `windows ${whole(first)} to ${whole(before)}`;
    const several = of === 1 ? "" : ` (${whole(of)} windows)`;
    return `${from === null ? "the first" : short(from)} to ${to === null ? "the last" : short(to)}${several}`;
  });
}

/** A day at midnight is a day. */
const short = (bound: string): string => bound.replace(/[ T]00:00:00(?:\.000Z)?$/, "");

export function wordsOf(window: WindowRow): string {
  const { counts, done, of } = window;
  const state = stateOf(window);
  const words = state === "to-do" && done > 0 ? `${done} of ${of} done` : stateWords[state];
  if (done === 0) return words;
  return `${words}; ${countWords(counts)}`;
}

const countNames = [
  ["inserted", "inserted"],
  ["updated", "updated"],
  ["unchanged", "unchanged"],
  ["refusedOlder", "refused as older"],
  ["tied", "tied"],
  ["duplicates", "repeated"],
  ["keyless", "keyless"],
] as const;

/** They add up to what was read. */
export function countWords(counts: WindowRow["counts"]): string {
  const parts = countNames.flatMap(([name, word]) => (counts[name] === 0 ? [] : [`${whole(counts[name])} ${word}`]));
  return `${whole(counts.read)} read${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`;
}
