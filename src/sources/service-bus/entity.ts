import type { SourceStanding } from "../../contract/source.ts";
import type { ReceivingOptions, ServiceBusAdministration, ServiceBusConnection, ServiceBusReceiver } from "./shapes.ts";

/** Where messages are received from. */
export type Entity =
  | { readonly queue: string; readonly topic?: undefined; readonly subscription?: undefined }
  | { readonly topic: string; readonly subscription: string; readonly queue?: undefined };

export function nameOf(entity: Entity): string {
  return entity.queue ?? `${entity.topic}/${entity.subscription}`;
}

/** The client's own renewal is off: it goes by message ids, so settling one message ends the renewal of its copies. */
export function receiving(options: Partial<ReceivingOptions> = {}): ReceivingOptions {
  return { maxAutoLockRenewalDurationInMs: 0, skipParsingBodyAsJson: true, ...options };
}

export function receiverOf(
  client: ServiceBusConnection,
  entity: Entity,
  options: Partial<ReceivingOptions> = {},
): ServiceBusReceiver {
  return entity.queue === undefined
    ? client.createReceiver(entity.topic, entity.subscription, receiving(options))
    : client.createReceiver(entity.queue, receiving(options));
}

const dayMs = 86_400_000;
/** What Service Bus writes where nothing ends a message. */
const endlessDays = 10_675_199;

/** How long a message may live, in milliseconds; `null`: as long as it likes. */
export async function lifetimeOf(administration: ServiceBusAdministration, entity: Entity): Promise<number | null> {
  const found =
    entity.queue === undefined
      ? await Promise.all([
          administration.getTopic(entity.topic),
          administration.getSubscription(entity.topic, entity.subscription),
        ])
      : [await administration.getQueue(entity.queue)];
  const ends = found.map(({ defaultMessageTimeToLive }) => lengthOf(defaultMessageTimeToLive));
  const finite = ends.filter((one) => one !== null);
  return finite.length === 0 ? null : Math.min(...finite);
}

/** What is locked counts among what waits: the service tells no two apart. */
export async function standingOf(administration: ServiceBusAdministration, entity: Entity): Promise<SourceStanding> {
  const { activeMessageCount, deadLetterMessageCount } =
    entity.queue === undefined
      ? await administration.getSubscriptionRuntimeProperties(entity.topic, entity.subscription)
      : await administration.getQueueRuntimeProperties(entity.queue);
  return { waiting: activeMessageCount, setAside: deadLetterMessageCount };
}

/** Of a length of ISO 8601 as Service Bus writes it; `null`: it is endless, or none. */
function lengthOf(text: string): number | null {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text);
  if (parts === null) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  if (days >= endlessDays) return null;
  return days * dayMs + hours * 3_600_000 + minutes * 60_000 + seconds * 1_000;
}
