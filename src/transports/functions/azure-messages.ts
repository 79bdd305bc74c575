import { systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { withDeadline } from "../../base/promise.ts";
import { instantIn, sentAtName } from "../../contract/sent-at.ts";
import type { Carried } from "../../operation/carry.ts";
import type { AzureContext, AzureServiceBusMessage, AzureSettling } from "./azure-shapes.ts";
import { type Declared, endsWithinOf } from "./azure-time.ts";
import { runBatch } from "./batch.ts";
import { Invocation } from "./invocation.ts";
import { type GivenMessage, type MessageEnding, type MessageOptions, Messages } from "./message.ts";

export interface AzureMessageOptions<in In> extends MessageOptions<In>, Declared {}

/** A message of the trigger, and how it is settled where the function does that itself. */
interface Received extends GivenMessage {
  readonly session: string | null;
  readonly settle: ((ending: MessageEnding) => Promise<unknown>) | null;
}

/** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION */
export function createMessageHandler<In>(
  operation: Carried<In, unknown, unknown>,
  options: AzureMessageOptions<In>,
): (message: unknown, context: AzureContext) => Promise<void> {
  const where = `the Azure function of '${operation.name}'`;
  const endsWithinMs = endsWithinOf(options, where);
  const messages = new Messages(operation as Carried<never, unknown, unknown>, options, where);

  return async (given, context) => {
    const invocation = new Invocation(messages.settings, endsWithinMs);
    const batch = receivedOf(given, context);
    const begun = new Set<Received>();
    let failure: Error | undefined;
    const failed = await runBatch(batch, {
      atOnce: defaults.functions.atOnce,
      laneOf: ({ session }) => session,
      perform: async (message) => {
        begun.add(message);
        const ending = await messages.perform(message, invocation);
        const settled = await settle(message, ending);
        if (settled !== null) failure ??= settled;
        return settled === null;
      },
    });
    const behind = batch.filter((message, place) => failed.has(place) && !begun.has(message));
    await Promise.all(behind.map((message) => settle(message, { is: "not-begun" })));
    await invocation.end();
    // the host delivers again what it settles itself, and counts the call as failed
    if (failure !== undefined) throw failure;
  };
}

/** What the host is to be told; `null`: nothing, it is done with. */
async function settle({ settle: settling }: Received, ending: MessageEnding): Promise<Error | null> {
  if (settling === null) return errorOf(ending);
  const { settleMs } = defaults.consume;
  const late = () => new Error("the host did not answer a settlement: the message is delivered again");
  try {
    await withDeadline(systemClock, settleMs, settling(ending), late);
    return ending.is === "dead-letter" ? null : errorOf(ending);
  } catch (error) {
    return error as Error;
  }
}

function errorOf(ending: MessageEnding): Error | null {
  if (ending.is === "acknowledge") return null;
  if (ending.is === "not-begun") return new Error("too little time was left to begin with a message");
  return ending.error;
}

function receivedOf(given: unknown, context: AzureContext): readonly Received[] {
  if (isSettling(given)) {
    const { actions, messages } = given;
    const list = Array.isArray(messages) ? messages : [messages];
    return list.map((message: AzureServiceBusMessage) => ({
      input: () => inputOf(message.body),
      sentAt: sentAtOf(message.applicationProperties, message.enqueuedTimeUtc),
      session: message.sessionId ?? null,
      settle: async (ending) => settleBy(actions, message as never, ending),
    }));
  }
  const { triggerMetadata: metadata = {} } = context;
  const session = textOf(metadata["sessionId"]);
  const one = (body: unknown, properties: unknown, enqueuedAt: unknown): Received => ({
    input: () => inputOf(body),
    sentAt: sentAtOf(properties, enqueuedAt),
    session,
    settle: null,
  });
  if (!isMany(context) || !Array.isArray(given)) {
    return [one(given, metadata["applicationProperties"], metadata["enqueuedTimeUtc"])];
  }
  const at = (list: unknown, place: number): unknown => (Array.isArray(list) ? list[place] : undefined);
  const { applicationPropertiesArray: properties, enqueuedTimeUtcArray: times } = metadata;
  return given.map((body, place) => one(body, at(properties, place), at(times, place)));
}

function settleBy(actions: AzureSettling["actions"], message: never, ending: MessageEnding): unknown {
  switch (ending.is) {
    case "acknowledge":
      return actions.complete(message);
    case "dead-letter":
      return actions.deadletter(message, undefined, ending.reason, ending.why);
    default:
      // without it the message would be locked until its lock ends
      return actions.abandon(message);
  }
}

function isSettling(given: unknown): given is AzureSettling {
  if (typeof given !== "object" || given === null || !("actions" in given) || !("messages" in given)) return false;
  const { actions } = given;
  return typeof actions === "object" && actions !== null && "deadletter" in actions;
}

function isMany({ options }: AzureContext): boolean {
  const trigger = options?.trigger;
  return trigger !== undefined && "cardinality" in trigger && trigger.cardinality === "many";
}

/** The host reads JSON by itself, the SDK's binding does not. */
function inputOf(body: unknown): unknown {
  return body instanceof Uint8Array ? JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) : body;
}

/** What was sent again, or late, says when it was sent first: its outcome may be forgotten by then. */
function sentAtOf(properties: unknown, enqueuedAt: unknown): number | null {
  const written =
    typeof properties === "object" && properties !== null ? Reflect.get(properties, sentAtName) : undefined;
  return instantIn(written) ?? instantOf(enqueuedAt);
}

function instantOf(value: unknown): number | null {
  if (!(value instanceof Date) && typeof value !== "string") return null;
  // the host writes it in UTC, with or without saying so
  const text = typeof value === "string" && !/(Z|[+-]\d\d:\d\d)$/.test(value) ? `${value}Z` : value;
  const instant = new Date(text).getTime();
  return Number.isNaN(instant) ? null : instant;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
