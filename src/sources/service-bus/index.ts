import { RepriseError } from "../../base/errors.ts";
import { checkGiven } from "../../base/given.ts";
import type { Source } from "../../contract/source.ts";
import { over } from "../over.ts";
import { deadLettersOf } from "./dead-letters.ts";
import { type Entity, lifetimeOf, nameOf, standingOf } from "./entity.ts";
import { within } from "./line.ts";
import { receiveFromQueue } from "./queue-receiver.ts";
import { receiveFromSessions } from "./sessions-receiver.ts";
import type { ServiceBusAdministration, ServiceBusConnection } from "./shapes.ts";

export type { ServiceBusPublisherOptions } from "./publisher.ts";
export { serviceBusPublisher } from "./publisher.ts";
export type * from "./shapes.ts";

export type ServiceBusOptions = Entity & {
  /** Connects anew, with `@azure/service-bus`: the source closes what it was given, and connects again where that was lost. */
  readonly connect: () => ServiceBusConnection | Promise<ServiceBusConnection>;
  /** It has sessions: so many of them are received at once. `true`: 8. Left out: it has none. */
  readonly sessions?: boolean | number | undefined;
  /** Of `@azure/service-bus`. With it the source tells its horizon and how much there is; without it the consumer says `deliveredWithin`. */
  readonly administration?: ServiceBusAdministration | undefined;
};

const defaultSessions = 8;

/**
 * A queue of Azure Service Bus, or a subscription of a topic. Each message's lock is renewed by its own token, also of two
 * that share an id. Its horizon is the default time to live. It delays nothing: what waits is kept and renewed. What is
 * returned counts as a delivery, so set `maxDeliveryCount` three times as high as `attempts`, or higher. What is set aside
 * goes to the dead-letter queue with its reason and a description.
 *
 * With sessions, messages of one are handed out in order, and a consumer runs them one after the other; a session in which
 * nothing comes for a moment is left. Its state is the source's.
 *
 * @throws REPRISE_BAD_DECLARATION
 * @example
 * const source = serviceBus({ connect: () => new ServiceBusClient(connection), queue: "seat.book" });
 */
export function serviceBus(options: ServiceBusOptions): Source {
  const isTopic = options?.queue === undefined && options?.topic !== undefined;
  const entity = isTopic ? ({ topic: "string", subscription: "string" } as const) : ({ queue: "string" } as const);
  checkGiven("serviceBus", options, { connect: "function", ...entity });
  const { connect, sessions = false, administration } = options;
  const name = `service-bus ${nameOf(options)}`;
  const atOnce = sessions === true ? defaultSessions : Number(sessions);
  if (sessions !== false && !(Number.isInteger(atOnce) && atOnce > 0)) {
    const why = "'sessions' is neither a boolean nor a whole number of 1 or more.";
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where: `source '${name}'`, why, mend: "Give it one." });
  }
  const connected = over(connect, (client) => within(client.close()));
  return {
    name,
    delays: false,
    horizon: async () => (administration === undefined ? null : lifetimeOf(administration, options)),
    ...(administration === undefined ? {} : { standing: () => standingOf(administration, options) }),
    open: (most) =>
      connected.make((client) =>
        atOnce > 0 ? receiveFromSessions(client, options, { most, atOnce }) : receiveFromQueue(client, options, most),
      ),
    deadLetters: () => connected.make((client) => deadLettersOf(client, options)),
  };
}
