import type { Duration, Schema, Source } from "reprise";
import type { SqliteTransaction } from "reprise/sqlite";
import type { Service } from "../service.ts";
import type { Broker } from "./broker.ts";

/** Messages that are committed with the work that they tell of, and where they come out again. */
export interface Queue<Message> {
  readonly publishIn: (tx: SqliteTransaction, message: Message) => Promise<void>;
  readonly source: Source;
  /** How many were committed and are not sent yet; without a broker, that no consumer is done with. */
  readonly waiting: () => Promise<number>;
}

export interface QueueDeclaration<Message> {
  readonly name: string;
  readonly message: Schema<Message>;
  /** The business id: the same whenever it is published again. */
  readonly id: (message: Message) => string;
  readonly lease?: Duration | undefined;
}

/** Through the broker where there is one; else the queue is in the ledger itself. */
export function declareQueue<Message>(
  reprise: Service,
  broker: Broker | null,
  declaration: QueueDeclaration<Message>,
): Queue<Message> {
  if (broker === null) {
    const queue = reprise.outbox(declaration);
    return {
      publishIn: queue.publishIn,
      source: queue.source(),
      waiting: async () => (await queue.standing()).waiting,
    };
  }
  const outbox = reprise.outbox({ ...declaration, to: broker.publisher(declaration.name) });
  return {
    publishIn: outbox.publishIn,
    source: broker.source(declaration.name),
    waiting: async () => (await outbox.standing()).waiting,
  };
}
