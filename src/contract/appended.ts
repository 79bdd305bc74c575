/** Of a number under which a register is appended: so many digits hold every safe whole number, and sort as the numbers do. */
const digits = 16;

/** Prefixes that registers are appended under have at most so many characters, so that every name made of one is one. */
export const longestPrefix = 200;

/** The register that holds the number of the last one appended under the prefix. Nothing sweeps it: numbers never come again. */
export function counterOf(prefix: string): string {
  return `appended/${prefix}`;
}

export function numbered(prefix: string, number: number): string {
  return prefix + String(number).padStart(digits, "0");
}

/** Of a name that `numbered` made. */
export function numberOf(name: string): number {
  return Number(name.slice(-digits));
}
