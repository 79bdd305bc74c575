import { bookSeatSchema } from "../inputs.ts";
import type { Service } from "../service.ts";
import type { Broker } from "./broker.ts";
import { declareQueue } from "./queue.ts";

/** Bookings that partners ask for without waiting: each is a message, and the seat is booked when its turn comes. */
export function declareRequests(reprise: Service, broker: Broker | null) {
  const requested = declareQueue(reprise, broker, {
    name: "seat.book",
    message: bookSeatSchema,
    id: ({ user, reference }) => `${user}/${reference}`,
  });

  const requestSeat = reprise.operation({
    name: "seat.request",
    input: bookSeatSchema,
    ifRunsAgain: "replays",
    costIfTwice: "noise", // of two messages one is absorbed
    principal: (input) => input.user,
    identity: (input) => [input.reference],
    retention: "7d",
    effects: "database", // the message is sent if, and only if, the answer says so
    run: async ({ input, tx }) => {
      await requested.publishIn(tx, input);
      return { reference: input.reference, requested: true };
    },
  });

  return { requested, requestSeat };
}
