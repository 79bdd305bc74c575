import { isRepriseError, RepriseError } from "../../base/errors.ts";

/** Codes of a server that will not serve until somebody mends it, and what is wrong. */
const permanent: Readonly<Record<string, string>> = {
  OOM: "its memory is full: raise maxmemory",
  MISCONF: "it cannot write to its disk, so it takes no writes",
  NOAUTH: "it asks for a password that the client does not give",
  WRONGPASS: "it refuses the client's password",
  NOPERM: "the client's user may not run what the ledger needs: EVALSHA, EVAL, and what its scripts call",
  WRONGTYPE: "something else is stored under its prefix: choose another",
  CROSSSLOT: "a proxy or server split what lies in one slot",
};

/**
 * A client's error in the catalogue's terms. Its own text is not passed on, nor is it itself: a server repeats what it was
 * sent, and ioredis hangs the arguments to the error, which are values.
 */
export function translate(
  error: unknown,
  about: { readonly ledger: string; readonly doing: string; readonly deadlineMs: number },
): unknown {
  if (isRepriseError(error)) return error;
  const { ledger, doing, deadlineMs } = about;
  const label = labelOf(error);
  const cause = new Error(label);
  if (label === "BUSY") return new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs: deadlineMs }, cause);
  const fault = permanent[label];
  if (fault !== undefined) return new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why: fault }, cause);
  return new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing: `${doing}, ${label}` }, cause);
}

/** The code of a reply or of a socket, else the error's class. */
export function labelOf(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  const { code } = error as { readonly code?: unknown };
  if (typeof code === "string" && /^[A-Z][A-Z0-9_]*$/.test(code)) return code;
  return /^[A-Z]{2,}(?= )/.exec(error.message)?.[0] ?? error.name;
}
