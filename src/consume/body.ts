import { encodeScalars } from "../base/scalar.ts";
import type { Delivery } from "../contract/source.ts";
import type { MessageAttempts } from "./attempts.ts";
import type { ConsumeSettings } from "./settings.ts";

/** What is made of a message's body, where its sender may have written anything. */
export interface Body {
  readonly value: unknown;
}

/** `null`: it cannot be read. */
export function bodyOf(delivery: Delivery): Body | null {
  try {
    return { value: delivery.read() };
  } catch {
    return null;
  }
}

/** `null`: it is in none. `undefined`: its body makes none. */
export function laneOf(
  { inOrderBy }: ConsumeSettings,
  body: Body | null,
  { group }: Delivery,
): string | null | undefined {
  if (inOrderBy === null) return group ?? null;
  if (body === null) return null;
  try {
    const key = inOrderBy(body.value as never);
    return encodeScalars(Array.isArray(key) ? key : [key], "inOrderBy");
  } catch {
    return undefined;
  }
}

/** What its copies are known by. `undefined`: its body makes none. */
export function markOf(attempts: MessageAttempts): string | undefined {
  try {
    return attempts.name();
  } catch {
    return undefined;
  }
}

/** `null`: it throws. Run without its key, the message would be other work than its sender means. */
export function keyOf({ keyOf: make }: ConsumeSettings, input: unknown): { readonly key: string | undefined } | null {
  try {
    return { key: make?.(input as never) };
  } catch {
    return null;
  }
}
