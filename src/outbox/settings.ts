import { defaults } from "../base/defaults.ts";
import { milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import { bytes } from "../base/size.ts";
import { longestPrefix } from "../contract/appended.ts";
import type { Publisher } from "../contract/publisher.ts";
import type { AnyOutboxDeclaration } from "./declaration.ts";

/** A declaration with its durations and sizes measured, and the names of what it keeps. */
export interface OutboxSettings {
  readonly name: string;
  readonly declaration: AnyOutboxDeclaration;
  readonly leaseMs: number;
  readonly limitBytes: number;
  readonly names: OutboxNames;
}

/** No service and no name can be cut differently into the same text. */
export interface OutboxNames {
  readonly lease: string;
  /** Prefix of the registers of messages that wait. */
  readonly messages: string;
  /** Prefix of those that are set aside. */
  readonly deadLetters: string;
  /** The register that says up to where messages were handed out. */
  readonly handedOut: string;
}

/**
 * Checks what types cannot see.
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE
 */
export function outboxSettingsOf(service: string, declaration: AnyOutboxDeclaration): OutboxSettings {
  // not every caller's types were checked
  const { name, message, id, to, lease, limit } = declaration ?? ({} as AnyOutboxDeclaration);
  const where = typeof name === "string" ? `outbox '${name}'` : "an outbox";
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
  };
  if (typeof name !== "string" || name === "" || /\p{Cs}/u.test(name)) {
    refuse("it has no name.", "A name is part of every record: give it one.");
  }
  const key = `outbox/${encodeURIComponent(service)}/${encodeURIComponent(name)}`;
  const names = {
    lease: key,
    messages: `${key}/message/`,
    deadLetters: `${key}/dead/`,
    handedOut: `${key}/handed-out`,
  };
  if (names.messages.length > longestPrefix) {
    refuse(`its name is, with the service's, longer than ${longestPrefix} characters.`, "Name it in a few words.");
  }
  if (typeof message?.["~standard"]?.validate !== "function") {
    refuse("its 'message' is no Standard Schema.", "Give it a schema, or unchecked<T>().");
  }
  if (typeof id !== "function")
    refuse("it has no 'id'.", "Say what of a message stays the same when it is sent again.");
  if (to !== undefined && !isPublisher(to)) refuse("its 'to' is no publisher.", "Give it one, or none.");
  return {
    ...{ name, declaration, names },
    leaseMs: lease === undefined ? defaults.outbox.leaseMs : milliseconds(lease, `${where}, lease`),
    limitBytes: limit === undefined ? defaults.outbox.limitBytes : bytes(limit, `${where}, limit`),
  };
}

/** A source has a name and opens too. */
function isPublisher(to: (Publisher & { readonly horizon?: unknown }) | null): boolean {
  return typeof to?.open === "function" && typeof to.name === "string" && to.horizon === undefined;
}
