import { sqliteLedger } from "reprise/sqlite";
import { type SeatReleased, seatReleasedSchema } from "../../inputs.ts";
import { createBroker } from "../../messages/broker.ts";
import { declareReleaseQueue, type ReleasePace } from "../../messages/releases.ts";
import { declareService } from "../../service.ts";
import type { WorkerStart } from "./worker.ts";

export interface Sending {
  readonly send: (message: SeatReleased) => Promise<void>;
  /** How many wait to be sent, or, without a broker, to be done with. */
  readonly waiting: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Cancellations as the platform makes them, less the seats: each commits a message. */
export async function startSending(
  path: string,
  rabbitmq: WorkerStart["rabbitmq"],
  pace: ReleasePace,
): Promise<Sending> {
  const reprise = declareService(sqliteLedger({ path }));
  const broker = rabbitmq === null ? null : createBroker(rabbitmq.url, rabbitmq.prefix);
  const queue = declareReleaseQueue(reprise, broker, pace);
  const cancel = reprise.operation({
    name: "seat.cancel",
    input: seatReleasedSchema,
    ifRunsAgain: "replays",
    costIfTwice: "trust",
    principal: (input) => input.user,
    identity: (input) => [input.reference],
    retention: "1d",
    effects: "database",
    run: async ({ input, tx }) => {
      await queue.publishIn(tx, input);
    },
  });
  await reprise.start();
  return {
    send: async (message) => void (await cancel.execute(message)),
    waiting: queue.waiting,
    close: () => reprise.close(),
  };
}
