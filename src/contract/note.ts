import { RepriseError } from "../base/errors.ts";
import type { Note } from "./ledger.ts";

const maxLength = 1_000;

/**
 * A note is kept as it stands and printed on terminals: one line, and no book.
 * @throws REPRISE_NOTE_MISSING
 */
export function checkNote({ who, why }: Note): void {
  for (const [name, text] of Object.entries({ who, why })) {
    const reason = reasonAgainst(text);
    if (reason !== undefined) throw new RepriseError("REPRISE_NOTE_MISSING", { name, why: reason });
  }
}

function reasonAgainst(text: unknown): string | undefined {
  if (typeof text !== "string" || text.trim() === "") return "is empty";
  if (text.length > maxLength) return `is longer than ${maxLength} characters`;
  return /\p{Cc}/u.test(text) ? "has control characters" : undefined;
}
