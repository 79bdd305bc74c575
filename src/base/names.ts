import { hash, randomBytes } from "node:crypto";
import { encodeScalars, type Scalar } from "./scalar.ts";

declare const brand: unique symbol;

/** 128 bits of SHA-256 in lower-case hex, so that no collation of a database compares it. */
export type Name = string & { readonly [brand]: "Name" };
/** Random, one per claim: the fence. */
export type AttemptId = string & { readonly [brand]: "AttemptId" };
/** Random, one per incarnation of a piece of work: what its effects hang on. */
export type WorkId = string & { readonly [brand]: "WorkId" };

/** The name of an injectively encoded tuple. The first part says what kind of name it is, so that kinds never meet. */
export function nameOf(kind: "work" | "key", parts: readonly Scalar[]): Name {
  return sha256(encodeScalars([kind, ...parts], kind)).slice(0, 32) as Name;
}

export function sha256(text: string): string {
  return hash("sha256", text, "hex");
}

export function newAttemptId(): AttemptId {
  return randomBytes(16).toString("hex") as AttemptId;
}

export function newWorkId(): WorkId {
  return randomBytes(16).toString("hex") as WorkId;
}
