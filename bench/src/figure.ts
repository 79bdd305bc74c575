/** One measured number. A line of JSON with `--json`, else a row of a table. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly better: "lower" | "higher";
}

export function print(figures: readonly Figure[], json: boolean): void {
  if (json) {
    for (const figure of figures) console.log(JSON.stringify({ ...figure, value: rounded(figure.value) }));
    return;
  }
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const { name, value, unit, better } of figures) {
    console.log(
      `${name.padEnd(width)}  ${String(rounded(value)).padStart(10)} ${unit.padEnd(8)} (${better} is better)`,
    );
  }
}

/** Three significant digits: more would be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
