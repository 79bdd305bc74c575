import { hash, randomBytes, randomUUID } from "node:crypto";
import { encodeScalars, type Scalar } from "./scalar.ts";

declare const brand: unique symbol;

/** 128 bits of SHA-256 in lower-case hex, so that no collation of a database compares it. */
export type Name = string & { readonly [brand]: "Name" };
/** Random, one per claim: the fence. */
export type AttemptId = string & { readonly [brand]: "AttemptId" };
/** One per incarnation of a piece of work: what its effects hang on. Random, or a part of it: see `newWorkIdFor`. */
export type WorkId = string & { readonly [brand]: "WorkId" };

/** The name of an injectively encoded tuple. The first part says what kind of name it is, so that kinds never meet. */
export function nameOf(kind: "work" | "key" | "child" | "intent" | "anchor", parts: readonly Scalar[]): Name {
  return sha256(encodeScalars([kind, ...parts], kind)).slice(0, 32) as Name;
}

export function sha256(text: string): string {
  return hash("sha256", text, "hex");
}

export function newAttemptId(): AttemptId {
  return randomId() as AttemptId;
}

export function newWorkId(): WorkId {
  return randomId() as WorkId;
}

/** 122 random bits in lower-case hex. Node draws those of many UUIDs at once, which is cheaper than each alone. */
function randomId(): string {
  return randomUUID().replaceAll("-", "");
}

const randomDigits = 20;

/**
 * 80 random bits, and 48 that say whose the work is. Only an id that a ledger holds finds anything, and of those only its
 * owner's own agrees with `isWorkIdOf`: handed to somebody else, it is of no use.
 */
export function newWorkIdFor(owner: readonly Scalar[]): WorkId {
  const random = randomBytes(randomDigits / 2).toString("hex");
  return `${random}${ownerDigits(random, owner)}` as WorkId;
}

/** Whether a text of anybody's looks as `newWorkIdFor` makes them. */
export function isWorkId(text: string): text is WorkId {
  return /^[0-9a-f]{32}$/.test(text);
}

export function isWorkIdOf(id: WorkId, owner: readonly Scalar[]): boolean {
  return id.slice(randomDigits) === ownerDigits(id.slice(0, randomDigits), owner);
}

function ownerDigits(random: string, owner: readonly Scalar[]): string {
  return sha256(encodeScalars(["owner", random, ...owner], "owner")).slice(0, 32 - randomDigits);
}
