import { RepriseError } from "./errors.ts";

/** `"64kb"`, `"256mb"`; a kilobyte is 1,024 bytes. */
export type Size = `${number}${"b" | "kb" | "mb" | "gb"}`;

const unitBytes = { b: 1, kb: 1_024, mb: 1_048_576, gb: 1_073_741_824 } as const;

/**
 * Bytes of a size. `where` names the declaration's property for the error.
 * @throws REPRISE_BAD_SIZE
 */
export function bytes(size: Size, where: string): number {
  const parts = /^(\d+(?:\.\d+)?)(b|kb|mb|gb)$/.exec(size);
  const value = parts === null ? 0 : Math.floor(Number(parts[1]) * unitBytes[parts[2] as keyof typeof unitBytes]);
  if (!(value > 0 && Number.isSafeInteger(value))) {
    throw new RepriseError("REPRISE_BAD_SIZE", { where, given: String(size) });
  }
  return value;
}
