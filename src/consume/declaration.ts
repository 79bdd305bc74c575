import type { Duration } from "../base/duration.ts";
import type { Scalar } from "../base/scalar.ts";
import type { DeadLetterReason, Source } from "../contract/source.ts";
import type { Carried } from "../operation/carry.ts";
import type { AnyRefused } from "../operation/outcome.ts";
import type { ConsumeCounts } from "./counters.ts";
import type { MessageTerms } from "./message-terms.ts";

export interface ConsumeOptions<in In> extends MessageTerms<In> {
  /**
   * A message that was sent longer ago is set aside as `too-old` and not run: whether it was done before nobody would
   * know. Required where the broker may deliver again after any time; at most the operation's retention. A message of
   * which nobody wrote down when it was sent is then set aside too.
   */
  readonly deliveredWithin?: Duration | undefined;
  /** So many messages at once. Default 64. */
  readonly atOnce?: number | undefined;
  /**
   * Messages of which this makes the same are run one after the other, in the order in which this process received them; one
   * that fails is tried again in its place. Processes beside it keep their own order: give each its own messages. One of
   * whose body it makes nothing is set aside as invalid.
   */
  readonly inOrderBy?: ((input: In) => Scalar | readonly Scalar[]) | undefined;
  /**
   * Messages of database work share a transaction, up to so many; the first of them waits so long for others. What goes wrong
   * with one rolls all of them back, and each is run by itself: a message costs others time, and nothing else. `atOnce` must be
   * at least twice as many. Those that came again or failed before are run by themselves.
   *
   * Left out, those share one that are ready at the same moment, up to 16, on a ledger that sends their statements together:
   * none waits for others, and where that falls apart or takes long, messages are run by themselves for a while. `"off"`: each
   * has a transaction of its own.
   */
  readonly batch?: { readonly most: number; readonly within: Duration } | "off" | undefined;
  /** After so many attempts of its own that failed, or during which the process crashed, it is set aside. Default 5. */
  readonly attempts?: number | undefined;
  /** The pause after the first failed attempt, the second, and so on; the last is for all that follow. Default 1s, 10s, 1m. */
  readonly retryIn?: readonly Duration[] | undefined;
}

export interface RedriveOptions {
  /** Only what was set aside for it. */
  readonly reason?: DeadLetterReason | undefined;
  /** At most so many. Default 1,000. */
  readonly most?: number | undefined;
}

export interface RedriveCounts {
  readonly redriven: number;
  /** Somebody else was first. */
  readonly gone: number;
  /** Whether others are set aside still that it was asked for. */
  readonly more: boolean;
}

/** What takes the messages of a source. */
export interface Consumer {
  /** The source's. */
  readonly name: string;
  /**
   * Resolves when it receives for the first time, which is after `reprise.start()` or the first use of the instance; rejects
   * where it may not begin.
   */
  readonly ready: Promise<void>;
  /** What it counted since its process started. */
  readonly counts: () => ConsumeCounts;
  /**
   * Sends what is set aside to its queue again, what came first first: under its identity, so that what was done is not done
   * twice, with the instant when it was sent first, so that what is too old is set aside again, and with all its attempts before
   * it. A crash in between leaves both, and the later one is answered from the ledger.
   *
   * @throws REPRISE_BAD_DECLARATION where the source shows no dead letters, for a reason that there is none of, or a property
   *   that it does not know; REPRISE_SOURCE_AWAY: some may have been sent, and the same again goes on; REPRISE_CLOSED
   * @example
   * const { redriven, more } = await seats.redrive({ reason: "failed" }); // once what made them fail is mended
   */
  readonly redrive: (options?: RedriveOptions) => Promise<RedriveCounts>;
  /**
   * Receives nothing until `resume`. What has begun goes on; what has not is given back within moments, so that other
   * processes have it: also what was tried and waits for its next attempt. What runs one after the other
   * is given back, and after `resume` received, when what has begun has ended: it would overtake that.
   */
  readonly pause: () => void;
  readonly resume: () => void;
  /**
   * Receives nothing more, gives back what has not begun, and resolves when the rest has ended and is settled. From then on its
   * source may be consumed anew.
   */
  readonly close: () => Promise<void>;
}

/**
 * Runs an operation with the messages of a source. A message is acknowledged after its outcome is stored, so that each is run
 * at least once, and what it brings about happens once for its identity, however often it is delivered.
 *
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_NAME_TWICE
 * @example
 * const connect = () => amqplib.connect(url);
 * const source = rabbitmq({ connect, queue: "seat.book", deadLetter: "seat.book.dead" });
 * const seats = reprise.consume(bookSeat, source, { deliveredWithin: "14d" });
 * await reprise.start();
 * await seats.ready;
 */
export type ConsumeVerb = <In, R>(
  operation: Carried<In, unknown, R>,
  source: Source,
  options?: ConsumeOptions<NoInfer<In>>,
) => Consumer;

/** As the instance received it, its types erased. */
export interface ConsumeDeclaration {
  readonly operation: Carried<never, unknown, AnyRefused>;
  readonly source: Source;
  readonly options: ConsumeOptions<never>;
}
