/** One measured number. A line of JSON with `--json`, else a row of a table. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly better: "lower" | "higher";
  /** What it is to attain. Shown in the table only. */
  readonly goal?: number | undefined;
}

export function print(figures: readonly Figure[], json: boolean): void {
  if (json) {
    for (const { name, value, unit, better } of figures) {
      console.log(JSON.stringify({ name, value: rounded(value), unit, better }));
    }
    return;
  }
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const figure of figures) {
    const { name, value, unit, better } = figure;
    console.log(
      `${name.padEnd(width)}  ${String(rounded(value)).padStart(10)} ${unit.padEnd(10)} (${better} is better)${toGoal(figure)}`,
    );
  }
}

function toGoal({ value, goal, better }: Figure): string {
  if (goal === undefined) return "";
  const isAttained = better === "higher" ? value >= goal : value <= goal;
  return `  goal ${goal}: ${isAttained ? "attained" : "MISSED"}`;
}

/** Three significant digits: more would be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
