import pc from "picocolors";
import { bytesAt, type Cost, missRatioAt } from "../observe/working-set/index.ts";
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
  const { points, recommended, wanted } = report;
  const bend = report.knee;
  const last = points.at(-1)?.entries ?? 0;
  const marks = new Map<number, string>([[bend.entries, "knee"]]);
  const mark = (entries: number, text: string) => {
    const there = marks.get(entries);
    marks.set(entries, there === undefined ? text : `${there}, ${text}`);
  };
  mark(recommended.entries, wanted === null || wanted.size === null ? "cheapest" : `${percent(wanted.hitRate)} wanted`);
  if (report.now !== null) mark(report.now.entries, "you are here");
  const sizes = new Set<number>([...marks.keys(), last]);
  for (let entries = last / 2; entries >= fewestEntries && sizes.size < 18; entries /= 2)
    sizes.add(Math.round(entries));
  const rows = [...sizes].sort((a, b) => a - b);
  return [
    pc.dim(`${"entries".padStart(12)}  ${"memory".padStart(9)}  ${"hit rate".padStart(8)}`),
    ...rows.map((entries) => {
      const hit = 1 - missRatioAt(report, entries);
      const bar = "█".repeat(Math.round(hit * barWidth)).padEnd(barWidth, "·");
      const text = marks.get(entries);
      const row = `${count(entries).padStart(12)}  ${size(bytesAt(report, entries)).padStart(9)}  ${percent(hit).padStart(8)}  ${bar}`;
      return text === undefined ? row : `${row} ${pc.cyan(`← ${text}`)}`;
    }),
  ];
}

function sizesOf(report: Report): string[] {
  const { wanted, recommended, simulated, now } = report;
  const lines = [
    `Knee: ${count(report.knee.entries)} entries (${size(report.knee.bytes)}) answer ${percent(1 - report.knee.missRatio)} of reads; more memory brings little.`,
    `Cheapest, misses and all: ${count(report.cheapest.entries)} entries (${size(report.cheapest.bytes)}) answer ${percent(1 - report.cheapest.missRatio)}.`,
  ];
  if (wanted !== null) {
    const best = 1 - (report.points.at(-1)?.missRatio ?? 1);
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
