import pc from "picocolors";

/** As `--json` prints it. */
export function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Says why nothing is told; the exit code of it. */
export function refuse(why: string): 2 {
  process.stderr.write(`${pc.red("error:")} ${why.split("\n").map(printable).join("\n")}\n`);
  return 2;
}

/** Somebody else's document must not steer the terminal. */
export function printable(value: string): string {
  return value.replace(/\p{Cc}/gu, "?");
}
