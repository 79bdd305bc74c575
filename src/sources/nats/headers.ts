import { instantIn, reasonName, sentAtName, whyName } from "../letters.ts";
import type { JetStreamMessage, NatsHeaders } from "./shapes.ts";

/** What is written beside a message that is set aside. */
export const headerNames = {
  reason: reasonName,
  why: whyName,
  subject: "x-reprise-subject",
} as const;

const dropped: ReadonlySet<string> = new Set(Object.values(headerNames));

/**
 * Those that a copy of a message takes along: not what was written when it was set aside, and none that a server acts upon,
 * for by its id it would be taken for the message itself, and dropped.
 */
export function copyHeaders(sent: NatsHeaders | undefined, create: () => NatsHeaders): NatsHeaders {
  const headers = create();
  for (const key of sent?.keys() ?? []) {
    if (dropped.has(key.toLowerCase()) || /^nats-/i.test(key)) continue;
    for (const value of sent?.values(key) ?? []) headers.append(key, value);
  }
  return headers;
}

/** `null`: there is none of this name. */
export function headerOf(headers: NatsHeaders | undefined, name: string): string | null {
  return headers?.values(name)[0] ?? null;
}

/** When it was stored, unless somebody wrote down when it was sent first. */
export function sentAtOf({ headers, timestampNanos }: Pick<JetStreamMessage, "headers" | "timestampNanos">): number {
  return instantIn(headerOf(headers, sentAtName)) ?? Number(timestampNanos / 1_000_000n);
}

/** A header holds one line. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
