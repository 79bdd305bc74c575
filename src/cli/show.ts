import pc from "picocolors";
import type { Cost } from "../observe/working-set/index.ts";
import type { Report } from "./working-set.ts";

const barWidth = 40;
/** Rows of the curve: each holds about twice as much as the one above. */
const fewestEntries = 8;

/** The report for a person. */
export function show(report: Report): string {
  const { reads, keys, exact, skipped, format } = report;
  const lines = [
    pc.bold("Working set"),
    `${count(reads)} reads of ${exact ? "" : "about "}${count(keys)} keys (format: ${format}${exact ? "" : "; keys are sampled"})`,
    ...(skipped > 0 ? [pc.yellow(`${count(skipped)} lines could not be understood and were passed over`)] : []),
    "",
    ...curveOf(report),
    "",
    ...sizesOf(report),
    "",
    ...billOf(report),
  ];
  return `${lines.join("\n")}\n`;
}

function curveOf(report: Report): string[] {
  const { curve, recommended } = report;
  const bend = report.knee;
  const last = curve.at(-1)?.entries ?? 0;
  const marks = new Map<number, string>([[bend.entries, "knee"]]);
  const mark = (entries: number, text: string) => {
    const there = marks.get(entries);
    marks.set(entries, there === undefined ? text : `${there}, ${text}`);
  };
  if (recommended.entries !== bend.entries) mark(recommended.entries, `${percent(report.wanted?.hitRate ?? 0)} wanted`);
  if (report.now !== null) mark(report.now.entries, "you are here");
  const sizes = new Set<number>([...marks.keys(), last]);
  for (let entries = last / 2; entries >= fewestEntries && sizes.size < 18; entries /= 2)
    sizes.add(Math.round(entries));
  const rows = [...sizes].sort((a, b) => a - b);
  const { entryBytes } = report.assumed;
  return [
    pc.dim(`${"entries".padStart(12)}  ${"memory".padStart(9)}  ${"hit rate".padStart(8)}`),
    ...rows.map((entries) => {
      const hit = hitRateAt(report, entries);
      const bar = "█".repeat(Math.round(hit * barWidth)).padEnd(barWidth, "·");
      const text = marks.get(entries);
      const row = `${count(entries).padStart(12)}  ${size(bytesAt(report, entries, entryBytes)).padStart(9)}  ${percent(hit).padStart(8)}  ${bar}`;
      return text === undefined ? row : `${row} ${pc.cyan(`← ${text}`)}`;
    }),
  ];
}

function sizesOf(report: Report): string[] {
  const { wanted, recommended, simulated, now } = report;
  const lines = [
    `Knee: ${count(report.knee.entries)} entries (${size(report.knee.bytes)}) answer ${percent(1 - report.knee.missRatio)} of reads; more memory brings little.`,
  ];
  if (wanted !== null) {
    const best = 1 - (report.curve.at(-1)?.missRatio ?? 1);
    lines.push(
      wanted.size === null
        ? pc.yellow(
            `No memory answers ${percent(wanted.hitRate)}: the other reads are the first of their key. The most is ${percent(best)}.`,
          )
        : `For ${percent(wanted.hitRate)}: ${count(wanted.size.entries)} entries (${size(wanted.size.bytes)}).`,
    );
  }
  if (now !== null) lines.push(`Now: ${count(now.entries)} entries answer ${percent(now.hitRate)}.`);
  const part = simulated.reads < report.reads ? `, the first ${count(simulated.reads)} reads` : "";
  lines.push(
    `With ${count(recommended.entries)} entries${part}: lru answers ${percent(simulated.lru)}, lfu ${percent(simulated.lfu)}.`,
  );
  return lines;
}

function billOf({ bill, assumed }: Report): string[] {
  const { prices, guessed } = assumed;
  const row = (name: string, cost: Cost) =>
    `${name.padEnd(12)}${count(cost.entries).padStart(12)} entries  ${money(cost.memory).padStart(10)} memory + ${money(cost.misses)} misses + ${money(cost.crossZone)} between zones = ${pc.bold(money(cost.total))}`;
  const guess = (name: "readsPerSecond" | "entryBytes") => (guessed.includes(name) ? " (assumed)" : "");
  return [
    pc.bold("Bill a month"),
    ...(bill.now === null ? [] : [row("now", bill.now)]),
    row("recommended", bill.then),
    bill.sentence,
    pc.dim(
      `${decimal(assumed.readsPerSecond)} reads/s${guess("readsPerSecond")}, ${size(assumed.entryBytes)} an entry${guess("entryBytes")}; $${prices.gbMonth} a GB-month, $${prices.millionMisses} a million misses, $${prices.crossZoneGb} a GB between zones, $${prices.personHour} an hour of a person. Options change each: --help.`,
    ),
  ];
}

function hitRateAt({ curve }: Report, entries: number): number {
  return 1 - interpolate(curve, entries, ({ missRatio }) => missRatio);
}

function bytesAt({ curve }: Report, entries: number, entryBytes: number): number {
  const last = curve.at(-1);
  // Beyond the last point nothing more is known than what an entry weighs.
  return last === undefined || entries > last.entries
    ? entries * entryBytes
    : interpolate(curve, entries, ({ bytes }) => bytes);
}

function interpolate(
  curve: Report["curve"],
  entries: number,
  read: (point: Report["curve"][number]) => number,
): number {
  const at = curve.findLastIndex((point) => point.entries <= entries);
  const below = curve[at];
  const above = curve[at + 1];
  if (below === undefined) return 0;
  if (above === undefined) return read(below);
  const share = (entries - below.entries) / (above.entries - below.entries);
  return read(below) + (read(above) - read(below)) * share;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function decimal(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 1 });
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

function money(amount: number): string {
  return `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

function size(bytes: number): string {
  for (const [unit, of] of [
    ["GB", 2 ** 30],
    ["MB", 2 ** 20],
    ["kB", 2 ** 10],
  ] as const) {
    if (bytes >= of) return `${decimal(bytes / of)} ${unit}`;
  }
  return `${Math.round(bytes)} B`;
}
