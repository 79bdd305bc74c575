import type { RepriseError } from "../../base/errors.ts";
import { type Answer, json } from "./answer.ts";

/** Answers that are no outcome, and refusals, as RFC 9457 documents. Each links the contract that explains it. */

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  413: "Content Too Large",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** Never kept: a guard's answer in the place of an outcome would refuse the corrected request too. */
export function problemOf(error: RepriseError, contract: string): Answer {
  const { status, code, message } = error;
  const answer = document(
    { type: "about:blank", title: titles[status] ?? "Error", status, detail: message, code },
    contract,
  );
  const retryAfter = retryAfterSeconds(error);
  return retryAfter === null
    ? answer
    : { ...answer, headers: [...answer.headers, ["retry-after", String(retryAfter)]] };
}

export interface DeclaredRefusal {
  readonly code: string;
  readonly detail: unknown;
  readonly status: number;
  readonly because: string;
}

/** `details` is what the operation told with its refusal. */
export function refusalOf(refusal: DeclaredRefusal, contract: string, what: string): Answer {
  const { code, detail, status, because } = refusal;
  const type = `${contract}${contract.includes("#") ? "/" : "#"}${encodeURIComponent(code)}`;
  const about = { type, title: because, status, code: "REPRISE_REFUSED", refusal: code };
  return document(detail === undefined ? about : { ...about, details: detail }, contract, what);
}

/** The link by which a client finds what this endpoint promises. */
export function contractLink(contract: string): string {
  return `<${contract}>; rel="describedby"`;
}

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly refusal?: string;
  readonly details?: unknown;
}

function document(problem: Problem, contract: string, what = "a problem"): Answer {
  return {
    status: problem.status,
    headers: [
      ["content-type", "application/problem+json"],
      ["link", contractLink(contract)],
    ],
    body: json(problem, what),
  };
}

/** Whole seconds, never too early and never zero: a client would come back at once. */
function retryAfterSeconds(error: RepriseError): number | null {
  const { details } = error;
  if ("retryAfterMs" in details) return Math.max(1, Math.ceil(details.retryAfterMs / 1_000));
  // the work goes on in another attempt
  return error.code === "REPRISE_FENCED" || error.code === "REPRISE_LEASE_LOST" ? 1 : null;
}
