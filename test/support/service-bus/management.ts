import rhea, { type Message } from "rhea";
import type { BusQueue, SettledAs } from "./bus-queue.ts";
import { annotated, vendor } from "./wire.ts";

/** What is asked of a queue beside its deliveries: locks, sessions, settling without a link, looking. */

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly condition?: string;
  readonly description?: string;
}

const types = rhea.types as unknown as {
  readonly wrap_array: (values: readonly unknown[], code: number, descriptors: unknown) => unknown;
  readonly wrap_timestamp: (value: number) => unknown;
};
const timestampCode = 0x83;
const lockLost: Answer = {
  status: 410,
  condition: `${vendor}message-lock-lost`,
  description: "The lock supplied is invalid.",
};
const sessionLost: Answer = {
  status: 410,
  condition: `${vendor}session-lock-lost`,
  description: "The lock on the session has ended.",
};

export function answerTo(queue: BusQueue | undefined, request: Message): Answer {
  const operation = String(request.application_properties?.["operation"]);
  // whoever is here may do everything
  if (operation === "put-token") return { status: 202 };
  if (queue === undefined)
    return { status: 404, condition: "amqp:not-found", description: "The entity could not be found." };
  const asked = (request.body ?? {}) as Readonly<Record<string, unknown>>;
  const sessionId = String(asked["session-id"]);
  const tokens = ((asked["lock-tokens"] ?? []) as readonly unknown[]).map((one) => hexOf(one));
  switch (operation.replace(vendor, "")) {
    case "renew-lock": {
      const until = tokens.map((token) => queue.renew(token));
      if (until.includes(undefined)) return lockLost;
      return { status: 200, body: { expirations: types.wrap_array(until, timestampCode, undefined) } };
    }
    case "update-disposition":
      return tokens.every((token) => queue.settle(token, settledAs(asked))) ? { status: 200 } : lockLost;
    case "peek-message":
      return peek(queue, asked);
    case "renew-session-lock": {
      const until = queue.renewSession(sessionId);
      return until === undefined ? sessionLost : { status: 200, body: { expiration: types.wrap_timestamp(until) } };
    }
    case "get-session-state":
      return { status: 200, body: { "session-state": queue.sessionState(sessionId) } };
    case "set-session-state":
      queue.setSessionState(sessionId, asked["session-state"] ?? null);
      return { status: 200 };
    default:
      return { status: 501, condition: "amqp:not-implemented", description: operation };
  }
}

function settledAs(asked: Readonly<Record<string, unknown>>): SettledAs {
  if (asked["disposition-status"] === "completed") return { is: "completed" };
  if (asked["disposition-status"] === "abandoned") return { is: "abandoned" };
  const [reason, why] = [asked["deadletter-reason"], asked["deadletter-description"]];
  return { is: "dead-lettered", properties: { DeadLetterReason: reason, DeadLetterErrorDescription: why } };
}

function peek(queue: BusQueue, asked: Readonly<Record<string, unknown>>): Answer {
  const kept = queue.peek(numberOf(asked["from-sequence-number"]), numberOf(asked["message-count"]));
  if (kept.length === 0) return { status: 204 };
  const messages = kept.map((one) => ({ message: rhea.message.encode(annotated(one)) }));
  return { status: 200, body: { messages } };
}

/** What a client wraps to give it a type comes unwrapped or not, and a long as bytes where no number can hold it. */
function numberOf(value: unknown): number {
  const bare = (value as { readonly value?: unknown } | null)?.value ?? value;
  return Buffer.isBuffer(bare) ? Number(bare.readBigInt64BE()) : Number(bare);
}

function hexOf(value: unknown): string {
  return Buffer.from(((value as { readonly value?: Buffer }).value ?? value) as Buffer).toString("hex");
}
