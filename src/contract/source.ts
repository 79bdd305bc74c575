/**
 * Where messages come from: a queue, a topic or a stream that delivers at least once.
 *
 * For every method: one that does not answer may have done what it was asked; whoever calls sets the deadlines, and expects
 * the message again. An adapter that cannot do what a flag promises does not set the flag.
 */
export interface Source {
  /** For people and for names of records: `"rabbitmq seat.book"`. The same in every process that shares the messages. */
  readonly name: string;
  /**
   * How long after it was sent a message may be delivered for the last time, in milliseconds, dead letters aside. `null`:
   * nothing ends it.
   */
  readonly horizon: () => Promise<number | null>;
  /** Whether it keeps what is returned for as long as it is asked to. Otherwise whoever receives holds it so long. */
  readonly delays: boolean;
  /** How much there is, as the broker knows it at this moment. Left out: it does not tell. */
  readonly standing?: () => Promise<SourceStanding>;
  /**
   * Begins to receive, at most `most` unsettled messages at a time.
   * @param inOrder what is given back comes again in its place, also where that takes until the receiver closes
   */
  readonly open: (most: number, inOrder?: boolean) => Promise<Receiver>;
  /** Looks at what is set aside. Left out: only the broker's own tools show it. */
  readonly deadLetters?: () => Promise<DeadLetters>;
}

/** Messages by number; `null`: the broker does not know it. */
export interface SourceStanding {
  /** That nobody was handed yet; of a source that counts what is not done with, also what is under way. */
  readonly waiting: number | null;
  /** That are set aside. */
  readonly setAside: number | null;
}

/** Messages as one process receives them, over one connection. */
export interface Receiver {
  /**
   * Waits for messages: 1 to `most` of them, in the broker's order; none where the signal aborts. Rejects where the
   * connection is gone, and then nothing of this receiver can be settled any more. Several calls, one after the other, may be
   * given one signal: each takes its listener off again.
   */
  readonly pull: (most: number, signal: AbortSignal) => Promise<readonly Delivery[]>;
  /**
   * Receives nothing more from now on and, when `first` has resolved, gives back what nobody has pulled, in the broker's order;
   * what was pulled is settled as before, until `close`. Nobody pulls afterwards. Left out: nothing is received that nobody
   * waits for.
   */
  readonly stop?: ((first: Promise<unknown>) => Promise<void>) | undefined;
  /** Receives nothing more. What was received and not settled is delivered again, to whoever receives then. */
  readonly close: () => Promise<void>;
}

/** One message, this time. */
export interface Delivery {
  /** What its sender wrote; bytes are read as JSON. Throws where they are none. */
  readonly read: () => unknown;
  /** By the broker's clock or the sender's, in milliseconds since the epoch. `null`: nobody wrote it down. */
  readonly sentAt: number | null;
  /** False: the broker knows that nobody was handed it before. */
  readonly isRepeated: boolean;
  /** Those of the same are handed out in the broker's order, and are run one after the other. Left out: it keeps none. */
  readonly group?: string | undefined;
  /** How long it is kept from others unless it is renewed; `null`: as long as the connection stands. */
  readonly lockMs: number | null;
  /** Keeps it from others for another `lockMs`. Left out: nothing does, or nothing needs to. */
  readonly renew?: (() => Promise<"renewed" | "lost">) | undefined;
  /**
   * Once for each delivery. `lost`: it is another's by now, or was delivered anew; nothing was done. `refused`: the broker
   * would not do it now, as where the queue for what is set aside is full; it is kept as before, and may be settled again.
   */
  readonly settle: (settlement: Settlement) => Promise<"settled" | "lost" | "refused">;
}

export type Settlement =
  /** It is done with, and not delivered again. */
  | { readonly is: "acknowledge" }
  /** It is delivered again, not before so long where the source delays. */
  | { readonly is: "return"; readonly afterMs: number }
  /** It is set aside with the reason, for a person. */
  | { readonly is: "dead-letter"; readonly reason: DeadLetterReason; readonly why: string };

export const deadLetterReasons = [
  /** Its body cannot be read, or the operation's schema refuses it. */
  "invalid",
  /** Its identity came with other input. */
  "mismatch",
  /** It was sent longer ago than outcomes are kept: whether it was done nobody knows. */
  "too-old",
  /** Every attempt failed. */
  "failed",
  /** The operation refused it, and its consumer wants that seen. */
  "refused",
] as const;
export type DeadLetterReason = (typeof deadLetterReasons)[number];

/** What a source has set aside, while somebody looks at it. */
export interface DeadLetters {
  /**
   * At most `most`, those set aside first coming first, or where the source knows only the messages' own order, in that.
   * Nothing becomes of what is only looked at; a broker that cannot browse keeps it from others until `close`. Where the signal
   * aborts, those found by then; a source that finds all with one question takes no notice of it.
   */
  readonly list: (most: number, ending?: AbortSignal) => Promise<readonly DeadLetter[]>;
  /**
   * Sends it to its queue again, under its identity and with the instant when it was sent first, and then removes it here:
   * a crash in between leaves both. `gone`: it is not here any more.
   */
  readonly redrive: (letter: DeadLetter) => Promise<"done" | "gone">;
  /** Removes it for good. `gone`: it is not here any more. */
  readonly discard: (letter: DeadLetter) => Promise<"done" | "gone">;
  readonly close: () => Promise<void>;
}

export interface DeadLetter {
  /** The same whenever it is looked at. Nothing of its content can be read from it. */
  readonly id: string;
  /** As a delivery's. */
  readonly read: () => unknown;
  /** As a delivery's. */
  readonly sentAt: number | null;
  /** In milliseconds since the epoch. `null`: nobody wrote it down. */
  readonly setAsideAt: number | null;
  /** `null`: it was not a consumer of this library that set it aside. */
  readonly reason: DeadLetterReason | null;
  readonly why: string | null;
  /** Of what its sender wrote. Left out: the source does not tell. */
  readonly bytes?: number | undefined;
}
