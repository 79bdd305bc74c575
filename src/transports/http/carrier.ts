import type { Duration } from "../../base/duration.ts";
import type { MaybePromise } from "../../base/promise.ts";
import type { AnyRefused, Refused } from "../../operation/outcome.ts";

/** How HTTP carries a request to an operation and its outcome back. */

/**
 * The headers of a reply that are kept and sent, the first time and every time after. Any other is not sent at all: a
 * repetition could not tell it truly, and a cookie of one answer must never be handed out by another.
 */
export const keptHeaders = [
  "cache-control",
  "content-disposition",
  "content-language",
  "content-location",
  "content-type",
  "etag",
  "last-modified",
  "link",
  "location",
] as const;
export type KeptHeader = (typeof keptHeaders)[number];

export interface HttpReply {
  /** 200 to 599. Default: 200, or 204 without a body. */
  readonly status?: number | undefined;
  readonly headers?: { readonly [H in KeptHeader]?: string | undefined } | undefined;
  /** `undefined`: empty. Bytes are sent as bytes, a string as text, the rest as JSON. */
  readonly body?: Repeatable;
}

/** What can be sent again: no stream and no promise. How much of it is kept, the operation's `outcomeLimit` says. */
type Repeatable = string | number | boolean | null | undefined | Literal | (object & NotOnce);
/** Without it a literal's own properties would count as too many. */
type Literal = { readonly [name: string]: unknown };
interface NotOnce {
  readonly [Symbol.asyncIterator]?: never;
  readonly getReader?: never;
  readonly then?: never;
}

export interface HttpCarrier<Request, In, O, R> {
  readonly input: (request: Request) => MaybePromise<NoInfer<In>>;
  /** From the session, never from the body; held against the operation's own `principal`. */
  readonly principal: "everyone" | ((request: Request) => MaybePromise<string>);
  readonly key?:
    | {
        /**
         * Whether a request without an Idempotency-Key is refused. Default `required`, as the draft has it (`optional`
         * for what converges); always so where the caller's key is the identity.
         */
        readonly header?: "required" | "optional" | undefined;
        /**
         * `strict`: a structured-field String, `"…"`, and nothing else. Default `lenient`: a bare key too, as Stripe's
         * and most other clients send it; quoted and bare are the same key.
         */
        readonly syntax?: "strict" | "lenient" | undefined;
      }
    | undefined;
  /**
   * The longest time after which a caller of this endpoint still repeats a request, such as `"72h"` for the webhooks of a
   * payment provider. An operation that forgets its outcomes sooner is refused. Default: not known, not checked.
   */
  readonly retriesFor?: Duration | undefined;
  /**
   * What is told of the value; it is kept with the outcome. Default: the value as JSON. If it throws, the outcome is kept
   * all the same (the work is done) and the caller is told 500 until it does not throw any more.
   */
  readonly reply?: ((value: O) => HttpReply) | undefined;
  /** Instead of the declared status and a problem document. */
  readonly refused?:
    | { readonly [K in Extract<R, AnyRefused>["code"]]?: ((detail: DetailFor<R, K>) => HttpReply) | undefined }
    | undefined;
  /**
   * Of background work, and only of it: the address of the resource that tells how it stands, where the framework's status
   * handler is mounted. It is the `Location` of 202.
   */
  readonly status?: ((id: string) => string) | undefined;
  /** Where the contract of this endpoint is published. Default `/reprise/decisions.json#` and the operation's name. */
  readonly contract?: string | undefined;
  /**
   * Told of each error that its caller only learns a 500 of; the original is its `cause`. Default: Fastify's log of the
   * request, and `console.error` elsewhere.
   */
  readonly failed?: ((error: Error) => void) | undefined;
}
type DetailFor<R, K> = Extract<R, { readonly code: K }> extends Refused<string, infer D> ? D : never;
