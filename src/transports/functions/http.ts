import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import type { Size } from "../../base/size.ts";
import { nameOf } from "../../operation/carried.ts";
import type { Carried } from "../../operation/carry.ts";
import type { Answer } from "../http/answer.ts";
import { createBodyLimit } from "../http/body-limit.ts";
import type { HttpCarrier } from "../http/carrier.ts";
import { checkCarrier } from "../http/carrier-check.ts";
import { carryHttp, contractOf } from "../http/core.ts";
import { problemOf } from "../http/problem.ts";
import { keyLinesOf } from "../http/web-shapes.ts";
import { type FunctionOptions, functionSettingsOf, Invocation } from "./invocation.ts";

/** HTTP as functions are called by it, whatever the platform: its event becomes a `Request`, an answer becomes its own. */

export interface FunctionRequest<out E> {
  /** The request, with a body that is bounded. */
  readonly request: Request;
  /** Of the route's pattern. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** As the platform gave it: who its authorizer says is behind the request stands there. */
  readonly event: E;
}

export interface FunctionCarrier<E, In, O, R> extends HttpCarrier<FunctionRequest<E>, In, O, R>, FunctionOptions {
  /** A longer body is refused while it is read, whatever its Content-Length says. Default 1 mb. */
  readonly bodyLimit?: Size | undefined;
  /**
   * How long a request waits for somebody else who is at its work, before it is told 409 with Retry-After. Default 20s, and
   * never longer than the function may run: a gateway before it gives up after 29 s.
   */
  readonly wait?: Duration | undefined;
}

/** Answers every request, with its outcome stored before. Never rejects. */
export type CarryFunction<E> = (
  /** Throws where the platform's event makes no request: its answer is 400. */
  bring: () => FunctionRequest<E>,
  options: { readonly leftMs: number; readonly log: (error: Error) => void },
) => Promise<Answer>;

/** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE */
export function carryFunction<E, In, O, R>(
  operation: Carried<In, O, R>,
  carrier: FunctionCarrier<E, In, O, R>,
): CarryFunction<E> {
  const name = nameOf(operation, "an HTTP function");
  const where = `the HTTP function of '${name}'`;
  checkCarrier(name, carrier);
  const settings = functionSettingsOf(carrier, where);
  const waitMs =
    carrier.wait === undefined ? defaults.functions.httpWaitMs : milliseconds(carrier.wait, `${where}, wait`);
  const limit = createBodyLimit(name, carrier.bodyLimit);
  const input = limit.guard(carrier.input, ({ request }: FunctionRequest<E>) => request);
  const carry = carryHttp(operation, { ...carrier, input });
  const malformed = (error: unknown): Answer => {
    const issues = ["its method or one of its headers is none that HTTP knows"];
    const invalid = new RepriseError("REPRISE_INPUT_INVALID", { operation: name, issues }, error);
    return problemOf(invalid, contractOf(name, carrier));
  };
  return async (bring, { leftMs, log }) => {
    let given: FunctionRequest<E>;
    try {
      given = bring();
    } catch (error) {
      return malformed(error);
    }
    const invocation = new Invocation(settings, leftMs);
    const { request, params, event } = given;
    const answer = await carry({
      request: given,
      readable: () => ({ request: limit.bound(request), params, event }),
      keyLines: keyLinesOf(request),
      stay: () => {
        if (invocation.mayBegin) return invocation.stay(waitMs);
        throw new RepriseError("REPRISE_NOT_BEGUN", { operation: name, why: "too little time was left" });
      },
      log,
    });
    await invocation.end();
    return answer;
  };
}
