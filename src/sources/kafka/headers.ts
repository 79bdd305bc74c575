import type { DeadLetterReason } from "../../contract/source.ts";
import { instantIn, reasonIn, reasonName, sentAtName, whyName } from "../letters.ts";
import type { KafkaHeaders, KafkaMessage, KafkaOutgoing } from "./shapes.ts";

/** Of a record that says of another among what is set aside that it is no more. */
export const endedName = "x-reprise-ended";
const own = new Set([reasonName, whyName, sentAtName, endedName]);

export function textOf({ headers }: KafkaMessage, name: string): string | null {
  const value = headers?.[name];
  const one = Array.isArray(value) ? value[0] : value;
  return one === undefined ? null : String(one);
}

export function reasonOf(message: KafkaMessage): DeadLetterReason | null {
  return reasonIn(textOf(message, reasonName));
}

/** When it was sent first: what is sent again says so. */
export function sentAtOf(message: KafkaMessage): number | null {
  return instantIn(textOf(message, sentAtName)) ?? instantIn(message.timestamp);
}

/** A copy as its sender wrote it, and more beside it. */
export function copyOf(message: KafkaMessage, added: KafkaHeaders): KafkaOutgoing {
  const at = sentAtOf(message);
  const all = Object.entries({
    ...withoutOwn(message.headers),
    ...added,
    ...(at !== null && { [sentAtName]: String(at) }),
  });
  const headers: KafkaOutgoing["headers"] = {};
  for (const [name, value] of all) if (value !== undefined) headers[name] = value;
  return { key: message.key, value: message.value, headers };
}

function withoutOwn(headers: KafkaHeaders = {}): KafkaHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !own.has(name)));
}
