import type { HttpReply } from "./carrier.ts";

/** What a guarded handler ended with, if nothing of it may be kept. */
export type Unkept =
  /** Its answer says itself that nothing was done, or that it does not know. */
  | { readonly is: "answer"; readonly reply: HttpReply }
  /** It threw: its framework says what that means. */
  | { readonly is: "error"; readonly error: unknown };

/** Ends a guarded run without an outcome; the guard itself catches it. */
export class NotKept extends Error {
  readonly unkept: Unkept;
  constructor(unkept: Unkept) {
    super("the handler's answer is not kept");
    this.name = "NotKept";
    this.unkept = unkept;
  }
}
