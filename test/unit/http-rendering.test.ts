import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { answerOf } from "../../src/transports/http/answer.ts";
import type { HttpReply } from "../../src/transports/http/carrier.ts";
import { decodeAnswer, encodeAnswer, unrendered } from "../../src/transports/http/rendering.ts";

interface Golden {
  readonly name: string;
  readonly kept: string;
  readonly answer: {
    readonly status: number;
    readonly headers: readonly (readonly [string, string])[];
    readonly hex: string | null;
  };
}
const golden = JSON.parse(
  readFileSync(new URL("../golden/http-rendering/v1.json", import.meta.url), "utf8"),
) as readonly Golden[];

const replies: Readonly<Record<string, HttpReply>> = {
  json: { status: 201, headers: { location: "/b/1" }, body: { reference: "b1", seat: 3, note: "ü" } },
  empty: {},
  text: { headers: { "content-language": "de" }, body: "grüß" },
  bytes: { body: Uint8Array.of(0, 1, 254, 255) },
  problem: { status: 409, headers: { "content-type": "application/problem+json" }, body: { code: "REPRISE_REFUSED" } },
};

const shown = (kept: string) => {
  const answer = decodeAnswer(kept);
  if (answer === null) return null;
  const { status, headers, body } = answer;
  return { status, headers, hex: body === null ? null : Buffer.from(body as string).toString("hex") };
};

describe("a kept answer", () => {
  test.each(golden)("of version 1 is read as it was kept: $name", ({ kept, answer }) => {
    expect(shown(kept)).toEqual(answer);
  });

  test.each(golden)("is still written as version 1: $name", ({ name, kept }) => {
    expect(encodeAnswer(answerOf(replies[name] ?? {}, "the reply"))).toBe(kept);
  });

  test("covers every form of body", () => {
    expect(golden.map(({ name }) => name)).toEqual(Object.keys(replies));
  });

  test.each(["", "null", "{}", "[]", '"text"', '{"queue":1}', '{"http":2,"status":200}', unrendered])(
    "of another transport or version is left alone: %s",
    (kept) => expect(decodeAnswer(kept)).toBeNull(),
  );
});

describe("a reply", () => {
  test.each<[string, HttpReply]>([
    ["a status that is none", { status: 99 }],
    ["an interim status", { status: 101 }],
    ["half a status", { status: 200.5 }],
    ["a body under 204", { status: 204, body: "x" }],
    ["a header that would begin another line", { headers: { location: "/a\r\nset-cookie: a=b" } }],
    ["a promise", Promise.resolve({}) as HttpReply],
    ["a function for a body", { body: () => 1 }],
    ["a symbol for a body", { body: Symbol("a") as unknown as object }],
    ["a blob", { body: new Blob([]) }],
    ["bytes inside JSON", { body: { image: new Uint8Array(1) } }],
  ])("cannot be %s", (_, reply) => {
    expect(() => answerOf(reply, "the reply")).toThrow();
  });

  test("keeps its headers whatever case they are written in", () => {
    const { headers } = answerOf(
      { headers: { Location: "/a", "CONTENT-TYPE": "text/html" } as object, body: "x" },
      "it",
    );
    expect(headers).toEqual([
      ["content-type", "text/html"],
      ["location", "/a"],
    ]);
  });
});
