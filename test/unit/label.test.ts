import { ReplyError } from "ioredis";
import { SimpleError } from "redis";
import { expect, test } from "vitest";
import { labelOfError } from "../../src/base/label.ts";

test.each([
  [new ReplyError("NOGROUP No such key 'orders' or consumer group 'secret'"), "ReplyError NOGROUP"],
  [new SimpleError("WRONGPASS invalid username-password pair"), "Error WRONGPASS"],
  [new ReplyError("nothing that begins with a code: secret"), "ReplyError"],
  [new TypeError("THE text of an error: secret"), "TypeError"],
  [Object.assign(new Error("secret"), { code: "ECONNREFUSED" }), "Error ECONNREFUSED"],
  [Object.assign(new Error("secret"), { code: 404 }), "Error 404"],
  ["secret", "a thrown string"],
])("of an error its class and its code are told, Redis's own too, and nothing of its text: %o", (error, label) => {
  expect(labelOfError(error)).toBe(label);
});
