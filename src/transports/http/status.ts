import { defaults } from "../../base/defaults.ts";
import { isRepriseError, RepriseError } from "../../base/errors.ts";
import type { Carried } from "../../operation/carry.ts";
import type { AcceptedOutcome, AnyRefused, Status } from "../../operation/outcome.ts";
import { type Answer, json } from "./answer.ts";
import type { HttpCarrier } from "./carrier.ts";
import { contractLink, problemOf } from "./problem.ts";
import { principalOf, report } from "./reading.ts";

/** The resource that tells how background work stands, and takes back what is no longer wanted. */

export interface HttpStatus<Request, O> {
  /** Which work is asked for: what `status` of the operation's carrier put into the address. */
  readonly id: (request: Request) => string;
  /** From the session. Work of others is not there for it. */
  readonly principal: "everyone" | ((request: Request) => string | Promise<string>);
  /** What is told of the value. Default: the value as JSON. */
  readonly result?: ((value: O) => unknown) | undefined;
  /** Where the contract is published. Default `/reprise/decisions.json#` and the operation's name. */
  readonly contract?: string | undefined;
  /** Told of each error that its caller only learns a 500 of. */
  readonly failed?: ((error: Error) => void) | undefined;
}

interface Asked<Q> {
  readonly method: string;
  readonly request: Q;
  readonly log: (error: Error) => void;
}

const methods = "GET, HEAD, DELETE";
/** It changes by itself, and it is one principal's. */
const unkept = ["cache-control", "no-store"] as const;
const retryAfter = ["retry-after", String(Math.ceil(defaults.http.statusAfterMs / 1_000))] as const;

/** The answer to whoever asked for background work: where to ask how it stands. */
export function acceptedAnswer(address: string, { id, since }: AcceptedOutcome, contract: string): Answer {
  return {
    status: 202,
    headers: [
      ["content-type", "application/json"],
      ["link", contractLink(contract)],
      ["location", address],
      unkept,
      retryAfter,
    ],
    body: json({ id, state: "accepted", since }, "an acceptance"),
  };
}

/**
 * GET tells how work stands: 200, with `Retry-After` until it has ended. DELETE says that it is no longer wanted: 202 with
 * how it stands then, 409 where it has ended or waits for a person. 404: there is none of this principal's, or no longer.
 *
 * @throws REPRISE_BAD_DECLARATION, at once
 */
export function carryStatus<Q, In, O, R>(
  operation: Carried<In, O, R>,
  given: HttpStatus<Q, O>,
): (asked: Asked<Q>) => Promise<Answer> {
  const { name } = operation;
  const { background, contract: terms } = operation["~carry"];
  const bad = (why: string, mend: string) =>
    new RepriseError("REPRISE_BAD_DECLARATION", { where: `the status resource of '${name}'`, why, mend });
  if (background === undefined) throw bad("its callers wait for the outcome.", "Declare 'dispatch' to have one.");
  if (given.principal === "everyone" && terms.principal === "from-input") {
    throw bad("its work belongs to one principal each.", "Let 'principal' return who the session says it is.");
  }
  const contract = given.contract ?? `/reprise/decisions.json#${encodeURIComponent(name)}`;
  const result = given.result as ((value: unknown) => unknown) | undefined;

  const find = async (id: string, principal: string | undefined): Promise<Answer> => {
    const status = (await background.status(id, { principal })) as Status<unknown, AnyRefused> | undefined;
    // what the address holds besides an id is nobody's to repeat
    const known = /^[0-9a-f]{32}$/.test(id) ? id : "(no id)";
    if (status === undefined) throw new RepriseError("REPRISE_NO_SUCH_WORK", { id: known });
    const ended = status.state === "ended" || status.state === "unknown";
    const headers = [["content-type", "application/json"], ["link", contractLink(contract)], unkept] as const;
    return {
      status: 200,
      headers: ended ? headers : [...headers, retryAfter],
      body: json({ id, ...shown(status, terms.refusals, result) }, `how work of '${name}' stands`),
    };
  };

  const answer = async ({ method, request }: Asked<Q>): Promise<Answer> => {
    if (!methods.split(", ").includes(method)) return notAllowed;
    const principal = await principalOf(
      name,
      given as Pick<HttpCarrier<Q, unknown, unknown, never>, "principal">,
      request,
    );
    const id = given.id(request);
    if (method !== "DELETE") {
      const found = await find(id, principal);
      return method === "HEAD" ? { ...found, body: null } : found;
    }
    const cancelled = await background.cancel(id, { principal });
    const found = await find(id, principal);
    const isGoing = found.headers.includes(retryAfter);
    return { ...found, status: cancelled || isGoing ? 202 : 409 };
  };

  return async (asked) => {
    try {
      return await answer(asked);
    } catch (error) {
      const told = isRepriseError(error) ? error : new RepriseError("REPRISE_REPLY_FAILED", { operation: name }, error);
      if (told.status === 500) report(given.failed ?? asked.log, told);
      return problemOf(told, contract);
    }
  };
}

const notAllowed: Answer = { status: 405, headers: [["allow", methods]], body: null };

function shown(
  status: Status<unknown, AnyRefused>,
  refusals: Readonly<Record<string, { readonly because: string }>>,
  result: ((value: unknown) => unknown) | undefined,
): object {
  if (status.state !== "ended") return status;
  const { outcome } = status;
  if (outcome.status === "done") {
    const { at, value } = outcome;
    return { state: "done", at, result: result === undefined ? value : result(value) };
  }
  const { code, detail, at } = outcome;
  const state = code === "cancelled" ? code : "refused";
  return { state, at, refusal: code, because: refusals[code]?.because, details: detail };
}
