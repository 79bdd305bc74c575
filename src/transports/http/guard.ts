import { AsyncLocalStorage } from "node:async_hooks";
import type { Config, Decision, Owned } from "../../base/config.ts";
import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import { type MaybePromise, withDeadline } from "../../base/promise.ts";
import { unchecked } from "../../base/schema.ts";
import { bytes, type Size } from "../../base/size.ts";
import type { Carried } from "../../operation/carry.ts";
import type { Cost, DatabaseRun, ExternalRun, OperationDeclaration } from "../../operation/declaration.ts";
import type { Reprise } from "../../reprise.ts";
import { type Answer, answerOf, bodiless } from "./answer.ts";
import { type HttpCarrier, type HttpReply, keptHeaders } from "./carrier.ts";
import { carryHttp } from "./core.ts";
import { NotKept } from "./not-kept.ts";
import { report } from "./reading.ts";

/**
 * Around a handler that is no operation: an operation whose run is the handler, and whose outcome is its answer. What one
 * guard cannot know is what the handler did before a crash; so that is declared.
 */

/** A ledger must be there; the compiler refuses an instance without one. */
export type Guarding = Config & { readonly ledger: true };
export type Effects = "database" | "external";

interface Ways<Tx> {
  readonly database: {
    /** The handler writes with the transaction that it is offered, and with nothing else: all of it happens, or nothing. */
    readonly effects: [Tx] extends [never]
      ? "this ledger has no transactions: use one that has, or effects: 'external'"
      : "database";
    readonly ifUnknown?: undefined;
  };
  readonly external: {
    readonly effects: "external";
    /**
     * What becomes of work whose handler was called and whose answer nobody kept: the process died, the handler threw,
     * answered 5xx, or did not answer in time. `"retry"`: the next attempt calls it again, for running twice does no harm.
     * `"park"`: it may have happened, so it is `unknown` until a person settles it.
     */
    readonly ifUnknown: "retry" | "park";
  };
}

interface Guards<Q>
  extends Pick<HttpCarrier<Q, unknown, never, never>, "principal" | "key" | "retriesFor" | "contract" | "failed"> {
  /** Unique among the operations of an instance; part of every record's identity. */
  readonly name: string;
  /** How long an answer is repeated, from its end. At least the longest time in which anybody retries. */
  readonly retention: Duration;
  /** What makes two requests the same, beside who sends them. Default: method, path with query, and body. */
  readonly same?: ((request: Q) => MaybePromise<unknown>) | undefined;
  /** A larger body is not kept: its caller and every repetition is told 500, and nothing is run again. Default 64 kb. */
  readonly answerLimit?: Size | undefined;
  /** A handler that has not answered by then counts as lost. Default 20 s. */
  readonly deadline?: Duration | undefined;
}

export type GuardOptions<C extends Config, E extends Effects, Q> = Guards<Q> & {
  // what the compiler infers `E` from
  readonly effects: E;
} & Ways<C["tx"]>[E] &
  Owned<C> &
  Decision<C, { readonly costIfTwice: Cost }>;

/** What a guarded handler is offered. */
export interface Offered<Tx> {
  /** Commits together with the answer. `undefined` with external effects. */
  readonly tx: Tx;
  /** Aborted when the attempt has lost its right to go on. */
  readonly signal: AbortSignal;
}
export type OfferedBy<C extends Config, E extends Effects> = Offered<E extends "database" ? C["tx"] : undefined>;

/** What a handler told, before anybody looked at it. */
export interface HandlerAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** `"stream"`, `"too-large"`: it is over, and cannot be told again. */
  readonly body: Uint8Array | { readonly not: "stream" | "too-large" };
}

/** What a framework brings of one request, beside its handler. */
export interface Guarded<Q> {
  readonly request: Q;
  readonly keyLines: readonly string[];
  readonly log: (error: Error) => void;
  /** Reads the body, once somebody is known to be behind the request. Default: it was read before. */
  readonly read?: (() => Promise<Q>) | undefined;
  /** The read request as it is compared, where the guard does not say. */
  readonly same: (request: Q) => MaybePromise<unknown>;
  readonly handle: (request: Q, offered: Offered<unknown>) => Promise<HandlerAnswer>;
}

/** Kept as the outcome. */
type Kept = HttpReply | { readonly not: "stream" | "too-large" };

/** Answers that say themselves that nothing was done: the same request may do better, so they are not kept. */
const nothingDone: ReadonlySet<number> = new Set([400, 401, 403, 408, 425, 429]);

interface Call {
  readonly guarded: Guarded<unknown>;
  request: unknown;
  principal: string | undefined;
}

/**
 * Declares the operation. What it returns answers a request, or rejects with what the handler threw, for the framework to
 * answer; nothing of that is kept.
 *
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE, REPRISE_NAME_TWICE, REPRISE_NO_LEDGER
 */
export function createGuard<C extends Guarding, E extends Effects, Q>(
  reprise: Reprise<C>,
  given: GuardOptions<C, E, Q>,
): { readonly answerLimit: number; readonly answer: (guarded: Guarded<Q>) => Promise<Answer> } {
  // erased: the types were checked where the caller wrote them
  const options = given as unknown as Guards<unknown> &
    Ways<unknown>[Effects] &
    Pick<OperationDeclaration, "owner" | "costIfTwice">;
  const { name, principal, effects, ifUnknown, deadline = `${defaults.operation.effectDeadlineMs}ms` } = options;
  const deadlineMs = milliseconds(deadline, `guard '${name}', deadline`);
  const { outcomeLimitBytes } = defaults.operation;
  const answerLimit =
    options.answerLimit === undefined ? outcomeLimitBytes : bytes(options.answerLimit, `guard '${name}', answerLimit`);
  if (effects === "external" && ifUnknown !== "retry" && ifUnknown !== "park") {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `guard '${name}'`,
      why: "'ifUnknown' is neither 'retry' nor 'park'.",
      mend: "Say what becomes of work whose answer was lost: nobody else can know.",
    });
  }
  // an operation copies its input, and a live request cannot be copied
  const calls = new AsyncLocalStorage<Call>();

  const failed = (error: unknown) => new RepriseError("REPRISE_RUN_FAILED", { operation: name }, error);
  const handle = async (tx: unknown, signal: AbortSignal): Promise<Kept> => {
    const call = calls.getStore();
    if (call === undefined) throw new TypeError(`'${name}' runs in its own requests only`);
    const told = await call.guarded.handle(call.request, { tx, signal }).catch((error: unknown) => {
      // parked work tells its caller that nobody knows, and the error would be nobody's
      if (ifUnknown === "park") report(options.failed ?? call.guarded.log, failed(error));
      throw new NotKept({ is: "error", error });
    });
    const kept = keptOf(told);
    const lost = told.status >= 500 || (ifUnknown !== "park" && nothingDone.has(told.status));
    if (lost) throw new NotKept({ is: "answer", reply: "not" in kept ? { status: told.status } : kept });
    return kept;
  };
  const inTime = (handled: Promise<Kept>): Promise<Kept> =>
    withDeadline(reprise["~inside"].clock(), deadlineMs, handled, () => {
      return new RepriseError("REPRISE_EFFECT_TIMEOUT", { operation: name, effect: "handler", afterMs: deadlineMs });
    });
  const run = ({ tx, signal, effect }: DatabaseRun<unknown, never, unknown> & ExternalRun<unknown, never, unknown>) =>
    ifUnknown === "park"
      ? effect("handler", { ifUnknown, deadline, run: (_, aborted) => handle(undefined, aborted) })
      : inTime(handle(tx, signal));

  const declare = reprise.operation as unknown as (declaration: OperationDeclaration) => Carried<unknown, Kept, never>;
  const operation = declare({
    name,
    owner: options.owner,
    input: unchecked(),
    ifRunsAgain: "replays",
    costIfTwice: options.costIfTwice,
    principal: principal === "everyone" ? principal : (input: { readonly principal: string }) => input.principal,
    identity: "callers-key",
    retention: options.retention,
    "~repeatsAfterCrash": ifUnknown === "retry",
    effects,
    // the body is bounded where it is collected; it is kept in at most 4/3 of its length, with its headers beside it
    outcomeLimit: `${Math.ceil((answerLimit * 4) / 3) + 8 * headersAtMost}b`,
    run,
  });
  const carrier: HttpCarrier<Call, unknown, Kept, never> = {
    principal:
      principal === "everyone"
        ? principal
        : async (call) => {
            call.principal = await principal(call.guarded.request);
            return call.principal;
          },
    input: async (call) => {
      if (call.guarded.read !== undefined) call.request = await call.guarded.read();
      return { principal: call.principal, request: await (options.same ?? call.guarded.same)(call.request) };
    },
    reply: (kept) => {
      if (!("not" in kept)) return kept;
      if (kept.not === "stream") {
        throw new RepriseError("REPRISE_NOT_STORABLE", {
          what: `the answer of '${name}'`,
          path: "body",
          kind: "a stream",
        });
      }
      throw new RepriseError("REPRISE_OUTCOME_TOO_LARGE", {
        operation: name,
        bytes: answerLimit + 1,
        atMost: answerLimit,
      });
    },
    key: options.key,
    retriesFor: options.retriesFor,
    contract: options.contract,
    failed: options.failed,
  };
  // the outcome is the answer: nothing is kept beside it
  const carry = carryHttp(operation, carrier, { keepsRendering: false });

  return {
    answerLimit,
    answer: async (guarded) => {
      const { request, keyLines, log } = guarded;
      const call: Call = { guarded: guarded as Guarded<unknown>, request, principal: undefined };
      try {
        return await calls.run(call, () => carry({ request: call, keyLines, log }));
      } catch (error) {
        if (!(error instanceof NotKept)) throw error;
        const { unkept } = error;
        if (unkept.is === "error") throw unkept.error;
        return answerOf(unkept.reply, `the answer of '${name}'`);
      }
    },
  };
}

/** As much as servers and proxies take. */
const headersAtMost = 8_192;
/** What of an answer is kept: its status, the headers that are ever repeated, and its body as it was. */
function keptOf({ status, headers, body }: HandlerAnswer): Kept {
  if ("not" in body) return body;
  const kept = {
    status,
    headers: Object.fromEntries(
      keptHeaders.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
    ),
    body: body.length === 0 || bodiless.has(status) ? undefined : textOrBytes(body),
  };
  return Buffer.byteLength(JSON.stringify(kept.headers)) > headersAtMost ? { not: "too-large" } : kept;
}

/** As text where that loses nothing and takes no more room than bytes. */
function textOrBytes(body: Uint8Array): string | Uint8Array {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    const escaped = (text.match(/["\\]/g)?.length ?? 0) + 5 * (text.match(/[<\p{Cc}\u2028\u2029]/gu)?.length ?? 0);
    if (escaped <= body.length / 3) return text;
  } catch {
    // it is no text
  }
  // a copy: bytes may be a view of a larger buffer, which would be kept whole
  return Uint8Array.from(body);
}

/** Collects what a handler writes, up to what may be kept. */
export function collectBody(atMost: number): {
  /** Whether it may still be kept. */
  readonly add: (chunk: Uint8Array) => boolean;
  readonly body: () => HandlerAnswer["body"];
} {
  const chunks: Uint8Array[] = [];
  let length = 0;
  return {
    add: (chunk) => {
      length += chunk.length;
      const fits = length <= atMost;
      if (fits) chunks.push(Uint8Array.from(chunk));
      return fits;
    },
    body: () => (length > atMost ? { not: "too-large" } : Buffer.concat(chunks)),
  };
}

/** A body as it is compared: JSON by what it says, whatever the order of its members. */
export function comparableBody(type: string | null, body: Uint8Array): unknown {
  if (body.length === 0) return null;
  if (type !== null && /^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) {
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as unknown;
    } catch {
      // the handler says what it thinks of that
    }
  }
  return Uint8Array.from(body);
}
