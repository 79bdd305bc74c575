/** What an answer means for a client that may ask again. */

export interface Pauses {
  readonly least: number;
  readonly most: number;
}

/**
 * How long to wait before an attempt, in milliseconds: full jitter, drawn evenly between nothing and a bound that doubles.
 *
 * @param before how many attempts there were
 * @param drawn at least 0 and less than 1
 */
export function backoff(before: number, { least, most }: Pauses, drawn: number): number {
  return drawn * Math.min(most, least * 2 ** (before - 1));
}

/** Milliseconds from now, by the clock of the server where it tells it; `null` without the field, or with another form. */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const field = headers.get("retry-after")?.trim();
  if (field === undefined) return null;
  if (/^\d+$/.test(field)) return Number(field) * 1_000;
  const at = httpDate(field);
  if (at === null) return null;
  const date = headers.get("date");
  const from = date === null ? null : httpDate(date);
  return Math.max(0, at - (from ?? now));
}

/** The one form that is sent today. `Date.parse` alone would take "5 monkeys" for a month. */
function httpDate(text: string): number | null {
  const at = /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

/** 408 and 5xx say that it failed, 425 and 429 that it was not tried. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const untried: ReadonlySet<number> = new Set([425, 429]);
/** They speak of who asks, not of the work. */
const aboutCaller: ReadonlySet<number> = new Set([401, 403, 407]);

/** The work's kept answer, told again: as Reprise and as Stripe mark it. Asking once more brings the same. */
function isReplayed({ headers }: Response): boolean {
  return headers.get("idempotency-replayed") === "true" || headers.get("idempotent-replayed") === "true";
}

/** Whether asking again, under the same key, may bring another answer. */
export async function isPassing(response: Response): Promise<boolean> {
  if (isReplayed(response)) return false;
  return response.status === 409 ? saysRunning(response) : passing.has(response.status);
}

/**
 * By the draft a 409 says that the work is still going on. Refusals are told so too: one of Reprise by its code, any other
 * by being marked as a replay when it is asked for again.
 */
async function saysRunning(response: Response): Promise<boolean> {
  if (!/[/+]json\b/.test(response.headers.get("content-type") ?? "")) return true;
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  const code = typeof problem === "object" && problem !== null && "code" in problem ? problem.code : null;
  if (typeof code !== "string" || !code.startsWith("REPRISE_")) return true;
  return code === "REPRISE_RUNNING" || code === "REPRISE_FENCED" || code === "REPRISE_LEASE_LOST";
}

/** Whether work may have been done, or begun, by an attempt that was answered so. */
export function leavesDoubt({ status }: Response): boolean {
  return !untried.has(status);
}

/**
 * Whether an answer tells how the work ended, so that its key may be forgotten.
 *
 * @param inDoubt whether an earlier attempt may have done it: then a refusal need not be the end of the work
 */
export function isEnd(response: Response, inDoubt: boolean): boolean {
  const { status } = response;
  if (status === 202) return false;
  if (response.ok) return true;
  // 0 is a redirect that a browser does not show
  if (status === 0 || status >= 500) return false;
  return isReplayed(response) || !(inDoubt || aboutCaller.has(status));
}

/** The status resource of accepted work; `null`: none is named. */
export function statusResource({ status, headers }: Response, url: string): string | null {
  const location = status === 202 ? headers.get("location") : null;
  if (location === null || !URL.canParse(location, url)) return null;
  const { protocol, href } = new URL(location, url);
  return protocol === "https:" || protocol === "http:" ? href : null;
}

/** A status resource says by 202, or by a time to come back at, that the work goes on. */
export function goesOn({ status, headers }: Response): boolean {
  return status === 202 || (status < 300 && headers.has("retry-after"));
}
