import { type Clock, systemClock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { type Duration, milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import { type Course, createCourse, type Told } from "./course.ts";
import type { IdempotencyKeys, KeptKey } from "./keys.ts";
import { goesOn, isEnd, isPassing, statusResource } from "./retry.ts";
import { bad, printOf, type ResendableBody, readWork, type Work, withKey } from "./work.ts";

export interface FetchOptions {
  /** All attempts and pauses together. Default 2 minutes. */
  readonly deadline?: Duration | undefined;
  /** One attempt, its body included. Default 30 s. */
  readonly attempt?: Duration | undefined;
  /** What sends; default: the platform's. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  readonly clock?: Clock | undefined;
}

export interface KeepingFetchOptions extends FetchOptions {
  readonly keys: IdempotencyKeys;
  /**
   * When a key is forgotten. `with-answer`, the default: as soon as a final answer is there, so the next call under the
   * intent is new work. `by-caller`: when you call `keys.delete(intent)`, after you have written down what you were told;
   * a crash between the two then costs a replay and not a second run.
   */
  readonly release?: "with-answer" | "by-caller" | undefined;
  /** How long the server keeps keys. An older one is never sent (`REPRISE_KEY_OUTLIVED`). Default: not known, not checked. */
  readonly retention?: Duration | undefined;
}

interface UnsafeInit extends Omit<RequestInit, "method" | "body" | "signal"> {
  /** Reads need no key: use `fetch`. */
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  /** Read once: every attempt sends the same bytes. A stream cannot be sent twice, a form's boundary changes. */
  readonly body?: ResendableBody | null | undefined;
  /** Ends the call with its reason; the key stays. */
  readonly signal?: AbortSignal | null | undefined;
  /**
   * What a 202 is: an answer like any other (`return`, the default), or the beginning of work whose `Location` is asked
   * until it answers with another status and without `Retry-After` (`poll`).
   */
  readonly accepted?: "return" | "poll" | undefined;
}

/** A request whose key the caller has: from an effect of an operation, or from a record of his own. */
export interface KeyedInit extends UnsafeInit {
  /** One for each piece of work, the same for each attempt; 1 to 255 printable ASCII characters. Nothing is kept. */
  readonly key: string;
  readonly intent?: undefined;
}

export interface IntendedInit extends UnsafeInit {
  /** Your name for this piece of work, such as `order-4711`. Its key is made when it is first seen, and kept. */
  readonly intent: string;
  readonly key?: undefined;
}

/** A `fetch` for requests that change something. */
export type KeyedFetch = (url: string | URL, init: KeyedInit) => Promise<Response>;
export type IdempotentFetch = (url: string | URL, init: KeyedInit | IntendedInit) => Promise<Response>;

/**
 * A `fetch` that repeats itself without repeating the work: each request carries an Idempotency-Key (a structured field's
 * String), the same with each attempt and after a restart.
 *
 * Repeats what was not answered, 409 (still running), 408, 425, 429, 500, 502, 503 and 504, with full jitter and never
 * before `Retry-After`; everything else is the answer and is handed over, its body read. With `keys` the key is kept
 * until an answer tells how the work ended: a refusal after an attempt that may have done it does not, nor do 202, 401, 403
 * and 407. The URL, the method and the body are the work; other work under the same intent is refused.
 *
 * @example
 * const request = createIdempotentFetch({ keys: fileKeys({ folder: "idempotency-keys" }), deadline: "2m" });
 * const response = await request("https://pay.example/charges", { method: "POST", body, intent: "order-4711" });
 * @throws REPRISE_BAD_DURATION, REPRISE_BAD_DECLARATION, at once. Its calls, before anything is sent:
 * REPRISE_BAD_DECLARATION, REPRISE_INTENT_MISMATCH, REPRISE_KEY_OUTLIVED, REPRISE_KEYS_UNUSABLE; after:
 * REPRISE_MAY_HAVE_HAPPENED at the deadline, or as soon as no attempt fits before it; the signal's reason
 */
export function createIdempotentFetch(options: KeepingFetchOptions): IdempotentFetch;
export function createIdempotentFetch(options?: FetchOptions): KeyedFetch;
export function createIdempotentFetch(options: FetchOptions & Partial<KeepingFetchOptions> = {}): IdempotentFetch {
  const { clock = systemClock, keys, release = "with-answer", fetch: send = (url, init) => fetch(url, init) } = options;
  const measure = (name: "deadline" | "attempt" | "retention", otherwise: number) => {
    const given = options[name];
    return given === undefined ? otherwise : milliseconds(given, `${name} of the idempotent fetch`);
  };
  const { pauseMs, ...standard } = defaults.client;
  const deadlineMs = measure("deadline", standard.deadlineMs);
  const attemptMs = measure("attempt", standard.attemptMs);
  const retentionMs = measure("retention", Number.POSITIVE_INFINITY);
  if (retentionMs <= deadlineMs) {
    throw bad("its key would be forgotten before its deadline.", "Make 'deadline' shorter than 'retention'.");
  }

  /** The key of the intent, and whether it was kept before: then the work may have happened. */
  const claim = async (intent: string | undefined, work: Work, course: Course): Promise<Claimed> => {
    if (typeof intent !== "string" || intent === "") {
      throw bad("it has neither an intent nor a key.", "Name the piece of work.");
    }
    if (keys === undefined) {
      throw bad("it has an intent and nowhere to keep its key.", "Give createIdempotentFetch 'keys'.");
    }
    const fresh: KeptKey = { key: crypto.randomUUID(), print: await printOf(work), madeAt: clock.now() };
    const kept = await course.withKeys(() => keys.put(intent, fresh));
    if (kept.print !== fresh.print) throw new RepriseError("REPRISE_INTENT_MISMATCH", {});
    const { key } = kept;
    const ageMs = Math.max(0, clock.now() - kept.madeAt);
    if (ageMs + deadlineMs > retentionMs) throw new RepriseError("REPRISE_KEY_OUTLIVED", { key, ageMs, retentionMs });
    const forget = () => course.withKeys(() => keys.delete(intent, key));
    return { key, inDoubt: key !== fresh.key, forget };
  };

  const perform = async (work: Work, key: string, accepted: "return" | "poll", course: Course): Promise<Told> => {
    const { url, method, body, rest } = work;
    const headers = withKey(work.headers, key);
    const told = await course.ask(
      (signal) => send(url, { ...rest, method, headers: new Headers(headers), body: body && new Blob([body]), signal }),
      isPassing,
      key,
    );
    const status = accepted === "poll" ? statusResource(told.response, told.response.url || url) : null;
    if (status === null) return told;
    const look = (signal: AbortSignal) =>
      send(status, { ...rest, method: "GET", headers: headersForStatus(work, status), signal });
    const { response } = await course.ask(
      look,
      async (answer) => goesOn(answer) || (await isPassing(answer)),
      key,
      told.response,
    );
    return { response, inDoubt: true };
  };

  return async (url, init) => {
    const { key: given, intent, accepted = "return", signal, body = null, ...rest } = init;
    const course = createCourse({ clock, deadlineMs, attemptMs, pauseMs, signal: signal ?? undefined });
    const work = await readWork(url, { ...rest, body });
    signal?.throwIfAborted();
    if (given !== undefined && (intent as unknown) !== undefined) {
      throw bad("it has an intent and a key.", "Pass the intent, whose key is made and kept, or the key alone.");
    }
    if (given !== undefined) return (await perform(work, given, accepted, course)).response;
    const { key, inDoubt, forget } = await claim(intent, work, course);
    const told = await perform(work, key, accepted, course);
    if (release === "with-answer" && isEnd(told.response, inDoubt || told.inDoubt)) {
      // the answer must reach its caller: a key that stays costs a replay, and the next call is told what is wrong
      await forget().catch(() => undefined);
    }
    return told.response;
  };
}

interface Claimed {
  readonly key: string;
  readonly inDoubt: boolean;
  readonly forget: () => Promise<void>;
}

/** What the caller's headers tell of him is for the server that he asked, and for no other. */
function headersForStatus(work: Work, status: string): Headers {
  if (new URL(status).origin !== new URL(work.url).origin) return new Headers();
  const headers = new Headers(work.headers);
  headers.delete("content-type");
  return headers;
}
