import type { IncidentResult, IncidentSide } from "reprise/page";

/** The result as a text for a terminal. */
export function tellResult(result: IncidentResult): void {
  const lines = [result.headline, ""];
  for (const side of result.sides) {
    lines.push(`${side.title} (${side.note})`);
    for (const { label, value, unit } of side.figures) lines.push(`  ${label.padEnd(22)}${value} ${unit}`);
    lines.push(...killLines(side), "");
  }
  if (result.rows.length > 0) {
    const width = Math.max(...result.rows.map(({ taken }) => taken.length));
    lines.push(`${"".padEnd(width)}  ${result.rowHeads.join("  ")}`);
    for (const { taken, figures } of result.rows) {
      const cells = figures.map((figure, at) => String(figure ?? "–").padStart(result.rowHeads[at]?.length ?? 0));
      lines.push(`${taken.padEnd(width)}  ${cells.join("  ")}`);
    }
    lines.push("");
  }
  for (const { name, value } of result.facts) lines.push(`${name.padEnd(11)} ${value}`);
  lines.push(`${"Again".padEnd(12)}${result.again}`);
  console.log(lines.join("\n"));
}

function killLines({ kills }: IncidentSide): readonly string[] {
  if (kills === undefined) return [];
  const { events, heads } = kills;
  const [counted, beside] = heads.map((head) => head.toLowerCase());
  const width = Math.max(0, ...events.map(({ point }) => point.length));
  return events.map(
    (kill) =>
      `  ${kill.point.padEnd(width)}  ${counted} ${kill.count}  ${beside} ${kill.beside}  ${kill.told}${kill.bad ? "   ←" : ""}`,
  );
}
