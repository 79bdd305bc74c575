import { reasonName, whyName } from "../letters.ts";
import type { AmqpMessage } from "./shapes.ts";

/** What is written beside a message that is set aside. */
export const headerNames = {
  id: "x-reprise-letter",
  setAsideAt: "x-reprise-set-aside-at",
  reason: reasonName,
  why: whyName,
} as const;

/** As its publisher wrote it down. */
export function sentAtOf({ properties: { timestamp } }: AmqpMessage): number | null {
  return typeof timestamp === "number" ? timestamp * 1_000 : null;
}

/** Of a copy that takes its place, its headers aside: durable, and told of where no queue takes it. */
export function propertiesOf({ properties }: AmqpMessage): object {
  const { contentType, contentEncoding, messageId, correlationId, type, timestamp } = properties;
  return {
    ...{ contentType, contentEncoding, messageId, correlationId, type, timestamp },
    persistent: true,
    mandatory: true,
  };
}
