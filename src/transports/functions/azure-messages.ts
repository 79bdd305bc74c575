import { systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { isRepriseError, RepriseError } from "../../base/errors.ts";
import { withDeadline } from "../../base/promise.ts";
import { instantIn, sentAtName } from "../../contract/sent-at.ts";
import { nameOf } from "../../operation/carried.ts";
import type { Carried } from "../../operation/carry.ts";
import { labelOf } from "../../operation/endings.ts";
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
  const name = nameOf(operation, "an Azure function");
  const where = `the Azure function of '${name}'`;
  const endsWithinMs = endsWithinOf(options, where);
  const messages = new Messages(operation as Carried<never, unknown, unknown>, options, where);

  return async (given, context) => {
    const invocation = new Invocation(messages.settings, endsWithinMs);
    const batch = receivedOf(given, context);
    const failures: Error[] = [];
    await runBatch(batch, {
      atOnce: defaults.functions.atOnce,
      laneOf: ({ session }) => session,
      perform: async (message) => {
        const failure = await settle(message, await messages.perform(message, invocation));
        if (failure !== null) failures.push(failure);
        return failure === null;
      },
      leave: (message) => settle(message, messages.behind()),
    });
    await invocation.end();
    // the host delivers again what it settles itself, and counts the call as failed
    if (failures.length > 0) throw failureOf(name, failures, batch.length);
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
  return ending.is === "acknowledge" ? null : ending.error;
}

/** One error for the host, which is told of one: as it is where it is the only one. */
function failureOf(operation: string, errors: readonly Error[], of: number): Error {
  const [only] = errors;
  if (only !== undefined && errors.length === 1) return only;
  const failures = errors.map((error) => (isRepriseError(error) ? error.code : (labelOf(error) ?? error.name)));
  return new RepriseError("REPRISE_BATCH_FAILED", { operation, of, failures }, new AggregateError(errors));
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
