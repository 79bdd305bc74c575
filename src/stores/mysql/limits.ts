import { RepriseError } from "../../base/errors.ts";
import { bytes } from "./records.ts";

/** Text that stands in an index. Longer one would be cut where the server's mode is lax, and then be another's. */
export function bounded(text: string, most: number, what: string): Uint8Array {
  const kept = bytes(text);
  if (kept.length <= most) return kept;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `mysqlLedger, ${what}`,
    why: `it has more than ${most} bytes, the most that MySQL's index takes.`,
    mend: "Choose a shorter name.",
  });
}
