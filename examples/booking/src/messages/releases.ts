import type { Duration, Source } from "reprise";
import { type SeatReleased, seatReleasedSchema } from "../inputs.ts";
import type { Mails } from "../mail/client.ts";
import type { Service } from "../service.ts";
import type { Broker } from "./broker.ts";
import { declareQueue } from "./queue.ts";

/** A seat that was given back: a message commits with the cancellation, and whoever gave it back gets a mail. */

/** What an incident scales. */
export interface ReleasePace {
  /** Of the work, and of whoever receives where there is no broker. */
  readonly lease: Duration;
}

export function declareReleaseQueue(reprise: Service, broker: Broker | null, { lease }: ReleasePace) {
  return declareQueue<SeatReleased>(reprise, broker, {
    name: "seat.released",
    message: seatReleasedSchema,
    id: ({ user, reference }) => `${user}/${reference}`,
    lease,
  });
}

export function declareReleases(reprise: Service, mails: Mails, source: Source, { lease }: ReleasePace) {
  const tellReleased = reprise.operation({
    name: "seat.released",
    input: seatReleasedSchema,
    ifRunsAgain: "replays",
    costIfTwice: "trust", // a second mail makes people ask which of the two counts
    principal: (input) => input.user,
    identity: (input) => [input.reference],
    retention: "30d",
    lease,
    effects: "external",
    run: async ({ input, effect }) => {
      const mail = await effect("mail", {
        ifUnknown: "retry", // the mail service honours the key it is given
        run: (key, signal) =>
          mails.send({ to: input.user, about: "seat-released", reference: input.reference }, key, signal),
      });
      return { mail: mail.id };
    },
  });

  const releases = reprise.consume(tellReleased, source, {
    deliveredWithin: "7d",
    inOrderBy: (input) => input.user,
  });

  return { tellReleased, releases };
}
