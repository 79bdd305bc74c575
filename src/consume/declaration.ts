import type { Duration } from "../base/duration.ts";
import type { Scalar } from "../base/scalar.ts";
import type { Source } from "../contract/source.ts";
import type { Carried } from "../operation/carry.ts";
import type { AnyRefused } from "../operation/outcome.ts";
import type { ConsumeCounts } from "./counters.ts";

export interface ConsumeOptions<In> {
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
   * that fails is tried again in its place. Processes beside it keep their own order: give each its own messages.
   */
  readonly inOrderBy?: ((input: In) => Scalar | readonly Scalar[]) | undefined;
  /**
   * Messages of database work share a transaction, up to so many; the first of them waits so long for others. What goes wrong
   * with one rolls all of them back, and each is run by itself: a message costs others time, and nothing else. `atOnce` must be
   * at least twice as many. Those that came again or failed before are run by themselves.
   */
  readonly batch?: { readonly most: number; readonly within: Duration } | undefined;
  /** What stands for the caller's key, of an operation that has no other identity. */
  readonly key?: ((input: In) => string) | undefined;
  /** After so many attempts of its own that failed, or during which the process crashed, it is set aside. Default 5. */
  readonly attempts?: number | undefined;
  /** The pause after the first failed attempt, the second, and so on; the last is for all that follow. Default 1s, 10s, 1m. */
  readonly retryIn?: readonly Duration[] | undefined;
  /** A refusal is an outcome: acknowledged by default. */
  readonly refusals?: "acknowledge" | "dead-letter" | undefined;
}

/** What takes the messages of a source. */
export interface Consumer {
  /** The source's. */
  readonly name: string;
  /** Resolves when it receives for the first time; rejects where it may not begin. */
  readonly ready: Promise<void>;
  /** What it counted since its process started. */
  readonly counts: () => ConsumeCounts;
  /** Receives nothing new until `resume`; what it received before goes on. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Receives nothing more, gives back what has not begun, and resolves when the rest has ended and is settled. */
  readonly close: () => Promise<void>;
}

/**
 * Runs an operation with the messages of a source. A message is acknowledged after its outcome is stored, so that each is run
 * at least once, and what it brings about happens once for its identity, however often it is delivered.
 *
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_NAME_TWICE
 * @example
 * const seats = reprise.consume(bookSeat, rabbitmq({ connection, queue: "seat.book" }), { deliveredWithin: "14d" });
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
