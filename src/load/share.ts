/** A share of rows in whole numbers: in binary fractions 29 of 100 would be more than 29 %. */
export interface Share {
  readonly parts: bigint;
  readonly of: bigint;
}

/** Of `"1%"` or `"0.5%"`. `null`: it is none, or more than all. */
export function shareOf(text: string): Share | null {
  const [, whole, decimals = ""] = /^(\d+)(?:\.(\d+))?%$/.exec(text) ?? [];
  if (whole === undefined) return null;
  const share = { parts: BigInt(whole + decimals), of: 100n * 10n ** BigInt(decimals.length) };
  return share.parts <= share.of ? share : null;
}

export function isAtMost(rows: number, all: number, { parts, of }: Share): boolean {
  return BigInt(rows) * of <= BigInt(all) * parts;
}
