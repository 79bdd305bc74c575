import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { counterOf, numbered, numberOf } from "../../src/contract/appended.ts";
import {
  decodeMessage,
  decodeSetAside,
  encodeMessage,
  encodeSetAside,
  type KeptMessage,
  type SetAsideMessage,
} from "../../src/outbox/message.ts";
import { outboxSettingsOf } from "../../src/outbox/settings.ts";
import { seatReleased } from "./outbox-stand.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/outbox/v1.json", import.meta.url), "utf8")) as {
  readonly messages: readonly { readonly name: string; readonly message: KeptMessage; readonly kept: string }[];
  readonly setAside: readonly { readonly name: string; readonly letter: SetAsideMessage; readonly kept: string }[];
  readonly names: Readonly<Record<string, string>>;
  readonly counter: string;
  readonly first: string;
};
const register = (value: string) => ({ name: golden.first, value, version: 7, at: 1_800_000_000_000 });

describe("what an outbox keeps is written and read as ever", () => {
  test.each(golden.messages)("a message $name", ({ message, kept }) => {
    expect(encodeMessage(message)).toBe(kept);
    const { id, body, sentAt } = message;
    const isRedriven = sentAt !== null;
    expect(decodeMessage(register(kept))).toEqual({ id, body, sentAt: sentAt ?? 1_800_000_000_000, isRedriven });
  });

  test.each(golden.setAside)("a message that is set aside: $name", ({ letter, kept }) => {
    expect(encodeSetAside(letter)).toBe(kept);
    expect(decodeSetAside(register(kept))).toMatchObject(letter);
  });

  test("under the same names", () => {
    const { names } = outboxSettingsOf("the shop", { ...seatReleased, name: "seat/released" } as never);
    expect(names).toEqual(golden.names);
    expect(counterOf(names.messages)).toBe(golden.counter);
    expect(numbered(names.messages, 1)).toBe(golden.first);
    expect(numberOf(golden.first)).toBe(1);
  });

  test("and not where a newer version wrote it", () => {
    expect(() => decodeMessage(register('{"form":2,"id":"r-1"}'))).toThrow(/message 1 was written by another version/);
  });
});
