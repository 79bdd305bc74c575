/**
 * The one catalogue of errors. A message says what happened, why, and how to mend it; it never carries a value, a
 * body or a key. Match by `code`, never by text.
 */

/** What an error of each code tells beside its code. Names and measures only, never values. */
interface Details {
  REPRISE_BAD_DURATION: { readonly where: string; readonly given: string };
  REPRISE_BAD_SIZE: { readonly where: string; readonly given: string };
  REPRISE_BAD_SCALAR: { readonly where: string; readonly kind: string };
  REPRISE_BAD_DECLARATION: { readonly where: string; readonly why: string; readonly mend: string };
  REPRISE_NAME_TWICE: { readonly kind: string; readonly name: string };
  REPRISE_CLOSED: { readonly service: string };
  REPRISE_STARTED: { readonly service: string };
  REPRISE_NO_LEDGER: { readonly name: string };
  REPRISE_NOT_STORABLE: { readonly what: string; readonly path: string; readonly kind: string };
  REPRISE_INPUT_INVALID: {
    readonly operation: string;
    /** As the schema says them: some schemas say what they were given. */
    readonly issues: readonly string[];
    /** Where they lie, of those that a schema found, in the same order; `""`: in the whole of it. */
    readonly paths?: readonly string[] | undefined;
  };
  REPRISE_KEY_MISSING: { readonly operation: string };
  REPRISE_KEY_MALFORMED: { readonly operation: string; readonly why: string };
  REPRISE_PRINCIPAL_EMPTY: { readonly operation: string };
  REPRISE_PRINCIPAL_DIFFERS: { readonly operation: string };
  REPRISE_REFUSED: {
    readonly operation: string;
    readonly refusal: string;
    readonly because: string;
    readonly status: number;
  };
  REPRISE_RUNNING: { readonly operation: string; readonly retryAfterMs: number };
  REPRISE_MISMATCH: { readonly operation: string };
  REPRISE_UNKNOWN: { readonly operation: string; readonly effect: string };
  REPRISE_FENCED: { readonly operation: string };
  REPRISE_NO_SUCH_WORK: { readonly id: string };
  REPRISE_ILLEGAL_TRANSITION: { readonly does: string; readonly state: string };
  REPRISE_NOTE_MISSING: { readonly name: string; readonly why: string };
  REPRISE_LEASE_LOST: { readonly operation: string };
  REPRISE_CANCELLED: { readonly operation: string };
  REPRISE_TICK_STOPPED: { readonly schedule: string };
  REPRISE_NO_SUCH_TICK: { readonly schedule: string; readonly why: string };
  REPRISE_EFFECT_TWICE: { readonly operation: string; readonly effect: string };
  REPRISE_EFFECT_NAME_TWICE: { readonly operation: string; readonly effect: string };
  REPRISE_EFFECT_NOT_AWAITED: { readonly operation: string; readonly effect: string };
  REPRISE_EFFECT_IN_TRANSACTION: { readonly operation: string; readonly effect: string };
  REPRISE_EFFECT_TIMEOUT: { readonly operation: string; readonly effect: string; readonly afterMs: number };
  REPRISE_OUTCOME_TOO_LARGE: { readonly operation: string; readonly bytes: number; readonly atMost: number };
  REPRISE_BODY_TOO_LARGE: { readonly operation: string; readonly atMost: number };
  REPRISE_BODY_MALFORMED: { readonly operation: string };
  REPRISE_CARRIER_FAILED: { readonly operation: string; readonly part: "input" | "principal" };
  REPRISE_RUN_FAILED: { readonly operation: string };
  REPRISE_REPLY_FAILED: { readonly operation: string };
  REPRISE_RETRY_TRANSACTION: { readonly ledger: string };
  REPRISE_LEDGER_AWAY: { readonly ledger: string; readonly doing: string };
  REPRISE_LEDGER_UNUSABLE: { readonly ledger: string; readonly why: string };
  REPRISE_LEDGER_UNSUITABLE: { readonly ledger: string; readonly why: string; readonly mend: string };
  REPRISE_LEDGER_BUSY: { readonly ledger: string; readonly afterMs: number };
  REPRISE_LEDGER_SELF_WAIT: { readonly ledger: string };
  REPRISE_LEDGER_SCHEMA: { readonly ledger: string; readonly found: string; readonly expected: string };
  REPRISE_BLOBS_AWAY: { readonly store: string; readonly doing: string };
  REPRISE_SOURCE_AWAY: { readonly source: string; readonly doing: string };
  REPRISE_PUBLISHER_AWAY: { readonly publisher: string; readonly doing: string };
  REPRISE_MESSAGE_INVALID: { readonly outbox: string; readonly why: string };
  REPRISE_OUTBOX_FORM: { readonly message: number; readonly form: number; readonly own: number };
  REPRISE_TOO_OLD: { readonly operation: string; readonly why: string };
  REPRISE_NOT_BEGUN: { readonly operation: string; readonly why: string };
  /** `failures`: what each that failed came to, by its code or the class of its error. */
  REPRISE_BATCH_FAILED: { readonly operation: string; readonly of: number; readonly failures: readonly string[] };
  REPRISE_DRIVER_MISSING: { readonly store: string; readonly driver: string };
  REPRISE_LOAD_MISCOUNTED: { readonly load: string };
  REPRISE_LOAD_TIMEOUT: { readonly cache: string; readonly afterMs: number };
  REPRISE_LOAD_ABANDONED: { readonly cache: string };
  REPRISE_QUEUE_FULL: { readonly cache: string; readonly most: number };
  REPRISE_NOTHING_TO_KEEP: { readonly cache: string };
  REPRISE_BATCH_AMISS: { readonly cache: string; readonly asked: number };
  REPRISE_SECRET_FOUND: { readonly cache: string; readonly path: string; readonly kind: string };
  REPRISE_NOT_CLONEABLE: { readonly cache: string };
  REPRISE_WRITE_TIMEOUT: { readonly cache: string; readonly afterMs: number };
  REPRISE_WRITE_QUEUE_FULL: { readonly cache: string; readonly most: number; readonly afterMs: number };
  REPRISE_SCOPE_LEAK: { readonly cache: string; readonly dimension: string };
  /** `key` is the caller's handle on the work: by it the server's people find what became of it. */
  REPRISE_MAY_HAVE_HAPPENED: {
    readonly key: string;
    readonly attempts: number;
    readonly afterMs: number;
    readonly last: string;
  };
  REPRISE_INTENT_MISMATCH: Readonly<Record<never, never>>;
  REPRISE_KEY_OUTLIVED: { readonly key: string; readonly ageMs: number; readonly retentionMs: number };
  REPRISE_KEYS_UNUSABLE: { readonly why: string };
}

export type ErrorCode = keyof Details;

interface Entry<D> {
  /** The HTTP status a transport answers with. */
  readonly status: number;
  readonly message: (details: D) => string;
}

const catalogue: { readonly [C in ErrorCode]: Entry<Details[C]> } = {
  REPRISE_BAD_DURATION: {
    status: 500,
    message: (d) =>
      `${d.where}: '${d.given}' is no duration. Write a number above zero and a unit: "250ms", "60s", "5m", "1h", "30d".`,
  },
  REPRISE_BAD_SIZE: {
    status: 500,
    message: (d) =>
      `${d.where}: '${d.given}' is no size. Write a number above zero and a unit: "512b", "64kb", "256mb", "1gb".`,
  },
  REPRISE_BAD_SCALAR: {
    status: 400,
    message: (d) =>
      `${d.where} is ${d.kind}. A scope and an identity are made of strings, finite numbers, bigints and booleans: pass one of those.`,
  },
  REPRISE_BAD_DECLARATION: { status: 500, message: (d) => `${d.where}: ${d.why} ${d.mend}` },
  REPRISE_NAME_TWICE: {
    status: 500,
    message: (d) =>
      `A ${d.kind} named '${d.name}' is declared already. A name is the identity of its records: choose another.`,
  },
  REPRISE_CLOSED: {
    status: 503,
    message: (d) => `The reprise of '${d.service}' is closed, so nothing was started. Close it after the last use.`,
  },
  REPRISE_STARTED: {
    status: 500,
    message: (d) =>
      `The reprise of '${d.service}' has started already, so its stores cannot be exchanged. Call start before the first use.`,
  },
  REPRISE_NO_LEDGER: {
    status: 500,
    message: (d) => `'${d.name}' needs a ledger to keep what became of it in: give createReprise one.`,
  },
  REPRISE_NOT_STORABLE: {
    status: 500,
    message: (d) =>
      `${d.what} holds ${d.kind} at '${d.path}', which would not come back from a ledger as it was. Use plain objects, arrays, maps, sets, strings, numbers, bigints, booleans, dates and bytes; spread what is derived from one of them, or has named members beside it, into a plain one: [...rows], { ...row }.`,
  },
  REPRISE_INPUT_INVALID: {
    status: 400,
    message: (d) => `The input of '${d.operation}' is invalid, so nothing was run: ${d.issues.join("; ")}.`,
  },
  REPRISE_KEY_MISSING: {
    status: 400,
    message: (d) =>
      `'${d.operation}' needs an Idempotency-Key, so nothing was run. Make one key for each piece of work and send it with every attempt.`,
  },
  REPRISE_KEY_MALFORMED: {
    status: 400,
    message: (d) =>
      `The Idempotency-Key for '${d.operation}' ${d.why}, so nothing was run. Send one key, made once for each piece of work.`,
  },
  REPRISE_PRINCIPAL_EMPTY: {
    status: 403,
    message: (d) =>
      `'${d.operation}' was called without a principal, so nothing was run. Its outcome belongs to somebody: name who.`,
  },
  REPRISE_PRINCIPAL_DIFFERS: {
    status: 403,
    message: (d) => `The session's principal is not the one that '${d.operation}' is for, so nothing was run or told.`,
  },
  REPRISE_REFUSED: { status: 409, message: (d) => `'${d.operation}' refused (${d.refusal}): ${d.because}` },
  REPRISE_RUNNING: {
    status: 409,
    message: (d) =>
      `'${d.operation}' is still at work on this. Ask again in ${Math.ceil(d.retryAfterMs)} ms with the same key.`,
  },
  REPRISE_MISMATCH: {
    status: 422,
    message: (d) =>
      `This key, or this identity, came to '${d.operation}' with other input before. Do not repeat it: make a new key for new work.`,
  },
  REPRISE_UNKNOWN: {
    status: 503,
    message: (d) =>
      `Nobody knows yet whether '${d.effect}' of '${d.operation}' happened, so it is not repeated. A person settles it.`,
  },
  REPRISE_NO_SUCH_WORK: {
    status: 404,
    message: (d) => `There is no work '${d.id}' in the ledger, or it is past its keep. List what is there.`,
  },
  REPRISE_ILLEGAL_TRANSITION: {
    status: 409,
    message: (d) =>
      `The work is ${d.state}, and '${d.does}' is not for that, so nothing was changed. Look at it again.`,
  },
  REPRISE_NOTE_MISSING: {
    status: 400,
    message: (d) => `A decision is kept with who made it and why, and '${d.name}' ${d.why}, so nothing was changed.`,
  },
  REPRISE_FENCED: {
    status: 409,
    message: (d) =>
      `This attempt at '${d.operation}' has no right to go on: another has taken over, or it had ended. Nothing more of it is written.`,
  },
  REPRISE_CANCELLED: {
    status: 409,
    message: (d) =>
      `'${d.operation}': this work is no longer wanted. End it: what the run throws now ends it as cancelled, unless something of it has happened.`,
  },
  REPRISE_LEASE_LOST: {
    status: 409,
    message: (d) =>
      `The lease on '${d.operation}' is over, so this attempt stops: another may be at it already, or begins later.`,
  },
  REPRISE_TICK_STOPPED: {
    status: 409,
    message: (d) =>
      `The next tick of '${d.schedule}' is due, and this one is to stop for it. End it; what has happened stays recorded, and running this tick by hand goes on from there.`,
  },
  REPRISE_NO_SUCH_TICK: {
    status: 404,
    message: (d) => `'${d.schedule}' has no such tick: ${d.why} Nothing was run. Name the nominal instant of one.`,
  },
  REPRISE_EFFECT_TWICE: {
    status: 500,
    message: (d) =>
      `Effect '${d.effect}' of '${d.operation}' was answered twice and the answers differ: it may have happened twice. The first answer stays; check with the other side.`,
  },
  REPRISE_EFFECT_NAME_TWICE: {
    status: 500,
    message: (d) =>
      `Effect or transaction '${d.effect}' of '${d.operation}' was used twice in one run. Each has a record of its own: give each its own name.`,
  },
  REPRISE_EFFECT_NOT_AWAITED: {
    status: 500,
    message: (d) =>
      `The run of '${d.operation}' ended while '${d.effect}' was under way. Await every effect and transaction.`,
  },
  REPRISE_EFFECT_IN_TRANSACTION: {
    status: 500,
    message: (d) =>
      `Effect '${d.effect}' of '${d.operation}' was called while a transaction was open, which a rollback could not undo. Call it before or after.`,
  },
  REPRISE_EFFECT_TIMEOUT: {
    status: 503,
    message: (d) =>
      `Effect '${d.effect}' of '${d.operation}' gave no answer in ${d.afterMs} ms; whether it happened is unknown.`,
  },
  REPRISE_OUTCOME_TOO_LARGE: {
    status: 500,
    message: (d) =>
      `The outcome of '${d.operation}' has ${d.bytes} bytes, at most ${d.atMost} are kept. Return a reference, or raise 'outcomeLimit'.`,
  },
  REPRISE_BODY_TOO_LARGE: {
    status: 413,
    message: (d) => `The body for '${d.operation}' is larger than ${d.atMost} bytes, so nothing was run.`,
  },
  REPRISE_BODY_MALFORMED: {
    status: 400,
    message: (d) => `The body for '${d.operation}' cannot be read, so nothing was run.`,
  },
  REPRISE_CARRIER_FAILED: {
    status: 500,
    message: (d) => `The '${d.part}' of the request for '${d.operation}' could not be told, so nothing was run.`,
  },
  REPRISE_RUN_FAILED: {
    status: 500,
    message: (d) =>
      `'${d.operation}' failed before its end. Repeating it with the same key is safe: what has happened is not done twice.`,
  },
  REPRISE_REPLY_FAILED: {
    status: 500,
    message: (d) =>
      `'${d.operation}' has ended and its outcome is kept, but no reply could be made of it. Repeating it with the same key is safe: nothing is run again.`,
  },
  REPRISE_RETRY_TRANSACTION: {
    status: 503,
    message: (d) => `The transaction on ledger '${d.ledger}' met another one. Roll it back and repeat it as a whole.`,
  },
  REPRISE_LEDGER_AWAY: {
    status: 503,
    message: (d) =>
      `Ledger '${d.ledger}' did not answer (${d.doing}). Nothing runs unguarded; repeat with the same key to learn what happened.`,
  },
  REPRISE_LEDGER_UNUSABLE: {
    status: 503,
    message: (d) =>
      `Ledger '${d.ledger}' cannot be used: ${d.why}. Nothing was run; repeating does not help until that is mended.`,
  },
  REPRISE_LEDGER_UNSUITABLE: {
    status: 503,
    message: (d) => `Ledger '${d.ledger}' must not keep outcomes here: ${d.why}. Nothing was run. ${d.mend}`,
  },
  REPRISE_LEDGER_BUSY: {
    status: 503,
    message: (d) =>
      `Ledger '${d.ledger}' was busy for ${d.afterMs} ms. Repeat with the same key; keep transactions short.`,
  },
  REPRISE_LEDGER_SELF_WAIT: {
    status: 500,
    message: (d) =>
      `A transaction of ledger '${d.ledger}' waits for itself: it runs an operation that needs the same connection. Use executeIn with its own tx.`,
  },
  REPRISE_LEDGER_SCHEMA: {
    status: 500,
    message: (d) =>
      `Ledger '${d.ledger}' has schema ${d.found}, this version needs ${d.expected}. Use the version that wrote it, or a new file.`,
  },
  REPRISE_BLOBS_AWAY: {
    status: 503,
    message: (d) =>
      `Blob store '${d.store}' did not answer (${d.doing}). What was to be written may be there or not: the same call again tells.`,
  },
  REPRISE_SOURCE_AWAY: {
    status: 503,
    message: (d) =>
      `'${d.source}' did not answer (${d.doing}). What it was asked may have happened; messages that are not settled are delivered again.`,
  },
  REPRISE_PUBLISHER_AWAY: {
    status: 503,
    message: (d) =>
      `'${d.publisher}' did not answer (${d.doing}). What it was sent may have arrived; it is sent again, under the same ids.`,
  },
  REPRISE_MESSAGE_INVALID: {
    status: 500,
    message: (d) =>
      `A message of outbox '${d.outbox}' was refused: ${d.why}. Nothing was written; mend what makes the message.`,
  },
  REPRISE_OUTBOX_FORM: {
    status: 503,
    message: (d) =>
      `message ${d.message} was written by another version of this library, in form ${d.form}, and this one reads form ${d.own}. It stays, and those behind it, until an instance of that version has it: start one, or update this one.`,
  },
  REPRISE_TOO_OLD: {
    status: 410,
    message: (d) =>
      `A message for '${d.operation}' was not run: ${d.why}, so whether it was done before cannot be told. A person decides.`,
  },
  REPRISE_NOT_BEGUN: {
    status: 503,
    message: (d) => `'${d.operation}' did not begin with this: ${d.why}. Repeating it is safe: nothing of it was run.`,
  },
  REPRISE_BATCH_FAILED: {
    status: 503,
    message: (d) =>
      `'${d.operation}' has no outcome for ${d.failures.length} of the ${d.of} messages of a batch (${d.failures.join(", ")}). Those are delivered again; what was done is not done twice.`,
  },
  REPRISE_DRIVER_MISSING: {
    status: 500,
    message: (d) => `${d.store} needs a driver that is not installed: run 'npm install ${d.driver}'.`,
  },
  REPRISE_LOAD_MISCOUNTED: {
    status: 500,
    message: (d) =>
      `The classes of a window of load '${d.load}' do not add up to the rows that it read, so the window was rolled back. A trigger or a rule of the table may change what is written: run it without, or report this.`,
  },
  REPRISE_LOAD_TIMEOUT: {
    status: 503,
    message: (d) =>
      `A load of cache '${d.cache}' gave no answer in ${d.afterMs} ms and was aborted. Make the source faster, or raise 'deadline.hard'.`,
  },
  REPRISE_LOAD_ABANDONED: {
    status: 503,
    message: (d) => `A load of cache '${d.cache}' was given up because its reprise is closing.`,
  },
  REPRISE_QUEUE_FULL: {
    status: 503,
    message: (d) =>
      `${d.most} reads of cache '${d.cache}' wait for loads already, the most that its queue holds, so this one was turned away. Try again shortly; raise 'queue.most' if the source can bear it.`,
  },
  REPRISE_NOTHING_TO_KEEP: {
    status: 500,
    message: (d) =>
      `A load of cache '${d.cache}' answered notModified() though it was given no etag, so there is no value to keep. Answer so only where context.etag is set.`,
  },
  REPRISE_BATCH_AMISS: {
    status: 500,
    message: (d) =>
      `'loadMany' of cache '${d.cache}' was asked for ${d.asked} scopes and did not answer with as many places, so nobody knows which value is whose. Return a value, undefined or an Error for each scope, in order.`,
  },
  REPRISE_SECRET_FOUND: {
    status: 500,
    message: (d) =>
      `A value of cache '${d.cache}' holds what looks like a ${d.kind} at '${d.path}', which no cache may hold. Leave it out of what 'load' returns, or read it from the source each time.`,
  },
  REPRISE_NOT_CLONEABLE: {
    status: 500,
    message: (d) =>
      `A value of cache '${d.cache}' cannot be copied with structuredClone, which 'clone: true' needs, so it was not kept: it holds a function, a symbol, a promise or the like. Leave that out, or leave out 'clone'.`,
  },
  REPRISE_WRITE_TIMEOUT: {
    status: 504,
    message: (d) =>
      `A write of cache '${d.cache}' gave no answer in ${d.afterMs} ms, so nobody knows yet whether it arrived. Read the value from the source before you repeat it; make 'write' heed its signal.`,
  },
  REPRISE_WRITE_QUEUE_FULL: {
    status: 503,
    message: (d) =>
      `${d.most} writes of cache '${d.cache}' wait for its source already, the most that are kept, and none left in ${d.afterMs} ms, so this one was turned away and nothing was written. Repeat it later; see why 'writeMany' fails or is slow.`,
  },
  REPRISE_SCOPE_LEAK: {
    status: 500,
    message: (d) =>
      `The loader of cache '${d.cache}' read '${d.dimension}' from the context, which is not in its scope, so nothing was stored: others would get an answer made for one. Put '${d.dimension}' in the scope, or let the loader do without it.`,
  },
  REPRISE_MAY_HAVE_HAPPENED: {
    status: 504,
    message: (d) =>
      `No final answer came in ${d.afterMs} ms and ${d.attempts} attempts (the last: ${d.last}), so the work may have happened. Call again with the same intent, or the same key: then it does not happen twice.`,
  },
  REPRISE_INTENT_MISMATCH: {
    status: 422,
    message: () =>
      "This intent stands for other work (its method, address or body differ) whose end is not known yet, so nothing was sent. Give new work an intent of its own; where you know how the other ended, delete its key.",
  },
  REPRISE_KEY_OUTLIVED: {
    status: 409,
    message: (d) =>
      `The key of this intent is ${d.ageMs} ms old and the server keeps keys for ${d.retentionMs} ms, so nothing was sent: the work might happen twice. Find out what became of it, then delete the key.`,
  },
  REPRISE_KEYS_UNUSABLE: {
    status: 503,
    message: (d) => `The kept idempotency keys cannot be used: ${d.why}. Nothing was sent.`,
  },
};

/**
 * An error of the catalogue.
 *
 * @example
 * try { await bookSeat.run(input); } catch (error) {
 *   if (isRepriseError(error, "REPRISE_RUNNING")) retryIn(error.details.retryAfterMs);
 * }
 */
export class RepriseError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  /** The HTTP status that a transport answers with. */
  readonly status: number;
  readonly details: Details[C];
  constructor(code: C, details: Details[C], cause?: unknown) {
    const entry = catalogue[code];
    super(entry.message(details), cause === undefined ? undefined : { cause });
    this.name = "RepriseError";
    this.code = code;
    // a refusal's status is declared by its operation, not by the catalogue
    this.status = "status" in details ? details.status : entry.status;
    this.details = details;
  }
}

/** Whether `error` is of the catalogue, and of this code where one is given. */
export function isRepriseError<C extends ErrorCode = ErrorCode>(error: unknown, code?: C): error is RepriseError<C> {
  return error instanceof RepriseError && (code === undefined || error.code === code);
}

/** Every code with its HTTP status, for documents and tests. */
export const errorCodes: Readonly<Record<ErrorCode, number>> = Object.fromEntries(
  Object.entries(catalogue).map(([code, entry]) => [code, entry.status]),
) as Record<ErrorCode, number>;
