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

/** Cancellations, as the platform makes them: each commits a message with its own change. */
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
    costIfTwice: "noise", // here each copy is sent on purpose
    principal: (input) => input.user,
    identity: "callers-key",
    retention: "1d",
    effects: "database",
    run: async ({ input, tx }) => {
      await queue.publishIn(tx, input);
    },
  });
  await reprise.start();
  let sent = 0;
  return {
    send: async (message) => {
      sent += 1;
      await cancel.execute(message, { key: `copy-${sent}` });
    },
    waiting: queue.waiting,
    close: () => reprise.close(),
  };
}
