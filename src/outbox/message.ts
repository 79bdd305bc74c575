import { RepriseError } from "../base/errors.ts";
import { locateIssues, pathOf } from "../base/schema.ts";
import { numberOf } from "../contract/appended.ts";
import type { Register } from "../contract/registers.ts";
import type { DeadLetterReason } from "../contract/source.ts";
import { findNotJson } from "./json.ts";
import type { OutboxSettings } from "./settings.ts";

/** A message as its register holds it. */
export interface KeptMessage {
  readonly id: string;
  /** JSON. */
  readonly body: string;
  /** When it was sent first, where it was set aside since; `null`: when it was appended. */
  readonly sentAt: number | null;
}

/** A message that is set aside. */
export interface SetAsideMessage {
  readonly message: KeptMessage & { readonly sentAt: number };
  readonly reason: DeadLetterReason;
  readonly why: string;
}

/** Of the registers' form. What a newer version wrote is not read by an older one. */
const form = 1;

export function encodeMessage({ id, body, sentAt }: KeptMessage): string {
  return JSON.stringify({ form, id, body, sentAt });
}

export function decodeMessage(
  register: Register,
): KeptMessage & { readonly sentAt: number; readonly isRedriven: boolean } {
  const { id, body, sentAt } = decode<KeptMessage>(register);
  return { id, body, sentAt: sentAt ?? register.at, isRedriven: sentAt !== null };
}

export function encodeSetAside({ message: { id, body, sentAt }, reason, why }: SetAsideMessage): string {
  return JSON.stringify({ form, message: { id, body, sentAt }, reason, why });
}

export function decodeSetAside(register: Register): SetAsideMessage {
  return decode<SetAsideMessage>(register);
}

function decode<T>({ name, value }: Register): T {
  const kept = JSON.parse(value) as T & { readonly form: number };
  if (kept.form === form) return kept;
  throw new RepriseError("REPRISE_OUTBOX_FORM", { message: numberOf(name), form: kept.form, own: form });
}

/** In bytes: every broker takes so much. */
const longestId = 128;

/**
 * What `publishIn` was given, as it is kept.
 * @throws REPRISE_MESSAGE_INVALID
 */
export async function messageOf(settings: OutboxSettings, given: unknown): Promise<KeptMessage> {
  const { name: outbox, declaration, limitBytes } = settings;
  const refuse = (why: string): never => {
    throw new RepriseError("REPRISE_MESSAGE_INVALID", { outbox, why });
  };
  const result = await declaration.message["~standard"].validate(given);
  if (result.issues !== undefined) return refuse(`its schema found ${locateIssues(result.issues.map(pathOf))}`);
  const { value } = result;
  const odd = findNotJson(value);
  if (odd !== null) return refuse(`it holds ${odd.kind} at '${odd.path}', which is no JSON`);
  const body = JSON.stringify(value);
  const bytes = Buffer.byteLength(body);
  if (bytes > limitBytes) return refuse(`it has ${bytes} bytes, at most ${limitBytes} are sent`);
  const id: unknown = declaration.id(value);
  if (typeof id !== "string" || id === "" || Buffer.byteLength(id) > longestId || /[\p{Cc}\p{Cs}]/u.test(id)) {
    return refuse(`its id is no text of 1 to ${longestId} bytes without control characters`);
  }
  return { id, body, sentAt: null };
}
