/** Where messages go to: the other end of a source. */
export interface Publisher {
  /** For people: `"rabbitmq seat.released"`. */
  readonly name: string;
  /** Whoever calls sets the deadline. */
  readonly open: () => Promise<Sender>;
}

/** Messages as one process sends them, over one connection. */
export interface Sender {
  /**
   * Resolves when the broker has all of them, as durably as it has anything, in the order given. Rejects: of which it has
   * them nobody knows, and they are sent again over another sender.
   */
  readonly send: (messages: readonly OutgoingMessage[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface OutgoingMessage {
  /** The business id: the same whenever it is sent again. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
  /** When it was committed, in milliseconds since the epoch. */
  readonly sentAt: number;
}
