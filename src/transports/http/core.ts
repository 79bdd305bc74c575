import { milliseconds } from "../../base/duration.ts";
import { isRepriseError, RepriseError } from "../../base/errors.ts";
import { termsOf } from "../../operation/carried.ts";
import type { Carried, CarriedContract, Settlement as SettlementOf } from "../../operation/carry.ts";
import type { AnyRefused } from "../../operation/outcome.ts";
import { isThrownByRun } from "../../operation/refusing.ts";
import type { Stay } from "../../operation/stay.ts";
import { type Answer, answerOf } from "./answer.ts";
import type { HttpCarrier, HttpReply } from "./carrier.ts";
import { checkCarrier } from "./carrier-check.ts";
import { readKey } from "./key.ts";
import { NotKept } from "./not-kept.ts";
import { contractLink, problemOf, refusalOf } from "./problem.ts";
import { inputOf, principalOf, report } from "./reading.ts";
import { decodeAnswer, encodeAnswer, unrendered } from "./rendering.ts";
import { acceptedAnswer } from "./status.ts";

/** One way of a request through HTTP to an operation and back; each framework only brings and takes. */

type Operation = Carried<unknown, unknown, AnyRefused>;
type Carrier<Q> = HttpCarrier<Q, unknown, unknown, never>;
type Settlement = SettlementOf<unknown, AnyRefused>;

/** What a framework brings. */
export interface Brought<Q> {
  readonly request: Q;
  /** The request as `input` gets it; called only once somebody is known to be behind it. Default: the request itself. */
  readonly readable?: () => Q;
  /** The lines of the field Idempotency-Key. */
  readonly keyLines: readonly string[];
  /** Of a function: asked when the work begins. Left out: nothing ends its caller. */
  readonly stay?: (() => Stay) | undefined;
  /** Where an error goes that its caller is not told of, unless the carrier says otherwise. */
  readonly log: (error: Error) => void;
}

/** Where an endpoint's terms are. */
export function contractOf(operation: string, { contract }: { readonly contract?: string | undefined }): string {
  return contract ?? `/reprise/decisions.json#${encodeURIComponent(operation)}`;
}

/**
 * Answers every request; never rejects but with what a guarded handler told and nobody may keep. It hears nothing of a
 * client that hangs up: the work and its record go on, and the next attempt is told.
 *
 * @throws REPRISE_BAD_DECLARATION, at once
 */
export function carryHttp<Q, In, O, R>(
  carried: Carried<In, O, R>,
  given: HttpCarrier<Q, In, O, R>,
  { keepsRendering = true }: { readonly keepsRendering?: boolean } = {},
): (brought: Brought<Q>) => Promise<Answer> {
  // erased: what follows never looks into inputs, values and refusals
  const operation = carried as unknown as Operation;
  const carrier = given as unknown as Carrier<Q>;
  const terms = termsOf(operation, "an HTTP carrier");
  const { name } = operation;
  checkCarrier(name, carrier);
  const contract = contractOf(name, carrier);
  checkDeclaration(name, terms, carrier, contract);

  const keyRequired = isKeyRequired(terms, carrier);
  const syntax = carrier.key?.syntax ?? "lenient";
  const failure = (code: "REPRISE_RUN_FAILED" | "REPRISE_REPLY_FAILED", cause: unknown) =>
    new RepriseError(code, { operation: name }, cause);

  const answerTo = (settled: Settlement): Answer => {
    const what = `the reply of '${name}'`;
    if (settled.status === "done") {
      const { value } = settled;
      return answerOf(carrier.reply === undefined ? { body: value as HttpReply["body"] } : carrier.reply(value), what);
    }
    const { code, detail } = settled;
    const declared = terms.refusals[code] ?? {
      status: 409,
      because: "It was refused by an earlier version of this operation.",
    };
    const own = refusedBy(carrier, code);
    if (own === undefined) return refusalOf({ code, detail, ...declared }, contract, what);
    return answerOf(own(detail as never), what, { status: declared.status, link: contractLink(contract) });
  };

  /**
   * The work is over when this is called, an effect outside perhaps among it: whatever becomes of its reply, its outcome
   * must be kept. So it does not throw.
   */
  const render = (settled: Settlement): string => {
    if (!keepsRendering) return unrendered;
    try {
      return encodeAnswer(answerTo(settled));
    } catch {
      return unrendered;
    }
  };

  const isBackground = operation["~carry"].background !== undefined;
  checkStatus(name, isBackground, carrier);

  const execute = async ({ request, readable = () => request, keyLines, stay }: Brought<Q>): Promise<Answer> => {
    const key = readKey(keyLines, syntax, name);
    if (key === undefined && keyRequired) throw new RepriseError("REPRISE_KEY_MISSING", { operation: name });
    const principal = await principalOf(name, carrier, request);
    const input = await inputOf(name, carrier, readable);

    const { outcome, rendered } = await operation["~carry"]
      .execute(input, { key, principal, render, stay: stay?.() })
      .catch((error) => {
        throw error instanceof NotKept || isAnswer(error) ? error : failure("REPRISE_RUN_FAILED", error);
      });
    switch (outcome.status) {
      case "accepted":
        // checked above: without the address nothing is carried
        return acceptedAnswer(carrier.status?.(outcome.id) ?? "", outcome, contract);
      case "running":
        throw new RepriseError("REPRISE_RUNNING", { operation: name, retryAfterMs: outcome.retryAfterMs });
      case "mismatch":
        throw new RepriseError("REPRISE_MISMATCH", { operation: name });
      case "unknown":
        throw new RepriseError("REPRISE_UNKNOWN", { operation: name, effect: outcome.effect });
    }
    let answer = rendered === null ? null : decodeAnswer(rendered);
    try {
      answer ??= answerTo(outcome);
    } catch (error) {
      throw failure("REPRISE_REPLY_FAILED", error);
    }
    return outcome.replayed ? { ...answer, headers: [...answer.headers, ["idempotency-replayed", "true"]] } : answer;
  };

  return async (brought) => {
    try {
      return await execute(brought);
    } catch (error) {
      if (error instanceof NotKept) throw error;
      const told = isRepriseError(error) ? error : failure("REPRISE_RUN_FAILED", error);
      if (told.status === 500) report(carrier.failed ?? brought.log, told);
      return problemOf(told, contract);
    }
  };
}

function checkDeclaration<Q>(name: string, terms: CarriedContract, carrier: Carrier<Q>, contract: string): void {
  const bad = (why: string, mend: string) =>
    new RepriseError("REPRISE_BAD_DECLARATION", { where: `the HTTP carrier of '${name}'`, why, mend });
  if (carrier.principal === "everyone" && terms.principal === "from-input") {
    throw bad(
      "its outcomes belong to one principal each, and nobody would check whose the request is.",
      "Let 'principal' return who the session says it is.",
    );
  }
  if (carrier.key?.header === "optional" && terms.identity === "callers-key") {
    throw bad("the caller's key is its identity, so the header cannot be optional.", "Leave 'key.header' out.");
  }
  for (const code of Object.keys(carrier.refused ?? {})) {
    if (!Object.hasOwn(terms.refusals, code)) {
      throw bad(
        `'refused' names '${code}', which the operation never refuses with.`,
        "Declare it there, or leave it out.",
      );
    }
  }
  const { retriesFor } = carrier;
  const horizonMs =
    retriesFor === undefined ? 0 : milliseconds(retriesFor, `the HTTP carrier of '${name}', retriesFor`);
  // what keeps nothing is run again without harm, however late
  if (terms.retentionMs !== null && horizonMs > terms.retentionMs) {
    throw bad(
      `its callers retry for ${retriesFor}, and its outcomes are forgotten sooner: a late retry would run it again.`,
      `Declare retention: "${retriesFor}" or longer where the operation is declared.`,
    );
  }
  if (!/^[!-~]+$/.test(contract) || /[<>"]/.test(contract)) {
    throw bad("'contract' is no URL.", "Write it with its reserved characters encoded.");
  }
}

function checkStatus<Q>(name: string, isBackground: boolean, carrier: Carrier<Q>): void {
  if (isBackground === (typeof carrier.status === "function")) return;
  const [why, mend] = isBackground
    ? ["its work is accepted for later, and nobody would know where to ask for it.", "Say where: 'status'."]
    : ["'status' says nothing here: its callers wait for the outcome.", "Leave 'status' out, or declare 'dispatch'."];
  throw new RepriseError("REPRISE_BAD_DECLARATION", { where: `the HTTP carrier of '${name}'`, why, mend });
}

/** The draft leaves it to the resource. Where nothing is kept, a key has nothing to find. */
function isKeyRequired<Q>(terms: CarriedContract, carrier: Carrier<Q>): boolean {
  return (carrier.key?.header ?? (terms.retentionMs === null ? "optional" : "required")) === "required";
}

function refusedBy<Q>(carrier: Carrier<Q>, code: string) {
  const refused = carrier.refused as HttpCarrier<Q, unknown, unknown, AnyRefused>["refused"];
  return refused !== undefined && Object.hasOwn(refused, code) ? refused[code] : undefined;
}

/**
 * Whether an error is an answer to the caller. What came out of `run` is only where it says to repeat: a 4xx, which may be
 * another operation's, would make a client give up work that it may repeat.
 */
function isAnswer(error: unknown): boolean {
  if (!isRepriseError(error) || error.status === 500) return false;
  if (!isThrownByRun(error)) return true;
  return error.status === 503 || isRepriseError(error, "REPRISE_FENCED") || isRepriseError(error, "REPRISE_LEASE_LOST");
}
