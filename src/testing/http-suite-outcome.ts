import assert from "node:assert/strict";
import type { RepriseError } from "../base/errors.ts";
import { Refusal } from "../operation/outcome.ts";
import { problem, type Rule, type Setting, same, text } from "./http-stage.ts";

/** What is told of an outcome, and told again: success or refusal, byte by byte. */
export function addOutcomeRules(rule: Rule): void {
  const created: Setting = {
    carrier: {
      reply: () => ({
        status: 201,
        headers: {
          location: "/bookings/b1",
          etag: '"v1"',
          ...({ "set-cookie": "a=b", "x-request-id": "r1" } as object),
        },
        body: { reference: "b1" },
      }),
    },
  };
  rule(
    { number: 11, says: "the first answer has the status, the kept headers and the body of the reply" },
    created,
    async ({ post, runs }) => {
      const first = await post('"k1"');
      assert.equal(first.status, 201);
      assert.equal(first.headers.get("location"), "/bookings/b1");
      assert.equal(first.headers.get("etag"), '"v1"');
      assert.equal(first.headers.get("content-type"), "application/json");
      assert.equal(text(first), '{"reference":"b1"}');
      assert.equal(first.headers.get("idempotency-replayed"), null);
      assert.equal(runs(), 1);
    },
  );
  rule(
    { number: 12, says: "a repetition has the same status, kept headers and bytes, is marked, and runs nothing" },
    created,
    async ({ post, runs }) => {
      const first = await post('"k1"');
      const again = await post('"k1"');
      same(first, again);
      assert.equal(again.headers.get("location"), "/bookings/b1");
      assert.equal(again.headers.get("etag"), '"v1"');
      assert.equal(runs(), 1);
    },
  );
  rule(
    { number: 13, says: "a cookie, and any header that is not kept, is sent neither the first time nor again" },
    created,
    async ({ post }) => {
      for (const answer of [await post('"k1"'), await post('"k1"')]) {
        assert.equal(answer.headers.get("set-cookie"), null);
        assert.equal(answer.headers.get("x-request-id"), null);
      }
    },
  );
  rule({ number: 14, says: "without a reply the value is told as JSON" }, {}, async ({ post }) => {
    const first = await post('"k1"', { item: "ü" });
    assert.equal(first.status, 200);
    assert.equal(text(first), '{"done":"ü"}');
    same(first, await post('"k1"', { item: "ü" }));
  });

  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  const asBytes = "a body is sent and repeated as the bytes that it was";
  rule(
    { number: 15, says: asBytes, where: "binary" },
    { carrier: { reply: () => ({ body: bytes }) } },
    async (stage) => {
      const first = await stage.post('"k1"');
      assert.deepEqual([...first.body], [...bytes]);
      assert.equal(first.headers.get("content-type"), "application/octet-stream");
      same(first, await stage.post('"k1"'));
    },
  );
  rule(
    { number: 15, says: asBytes, where: "text, under the type that the reply gives it" },
    { carrier: { reply: () => ({ headers: { "content-type": "application/xml" }, body: "<é/>" }) } },
    async ({ post }) => {
      const first = await post('"k1"');
      assert.equal(text(first), "<é/>");
      assert.equal(first.headers.get("content-type"), "application/xml");
      same(first, await post('"k1"'));
    },
  );
  const empty = "an empty answer is an answer, whose repetition runs nothing";
  for (const [where, setting, status] of [
    ["no value is 204", { run: () => undefined }, 204],
    ["201 without a body", { carrier: { reply: () => ({ status: 201, headers: { location: "/b/1" } }) } }, 201],
    ["an empty text", { carrier: { reply: () => ({ body: "" }) } }, 200],
    ["no bytes", { carrier: { reply: () => ({ body: new Uint8Array(0) }) } }, 200],
  ] as const) {
    rule({ number: 16, says: empty, where }, setting as Setting, async ({ post, runs }) => {
      const first = await post('"k1"');
      assert.equal(first.status, status);
      assert.equal(first.body.length, 0);
      same(first, await post('"k1"'));
      assert.equal(runs(), 1);
    });
  }
  rule(
    { number: 17, says: "an outcome that another transport kept is told from its value" },
    created,
    async ({ post, runs, forgetRenderings }) => {
      const first = await post('"k1"');
      forgetRenderings();
      same(first, await post('"k1"'));
      assert.equal(runs(), 1);
    },
  );

  const soldOut: Setting = {
    run: () => {
      throw new Refusal("sold-out", { left: 0 });
    },
  };
  rule(
    { number: 18, says: "a declared refusal is a problem document with its status, kept and repeated" },
    soldOut,
    async ({ post, runs }) => {
      const first = await post('"k1"');
      const told = problem(first, 409, "REPRISE_REFUSED");
      assert.equal(told["type"], "/reprise/decisions.json#seat.book/sold-out");
      assert.equal(told["title"], "No seat is left.");
      assert.equal(told["refusal"], "sold-out");
      assert.deepEqual(told["details"], { left: 0 });
      same(first, await post('"k1"'));
      assert.equal(runs(), 1);
    },
  );
  rule(
    { number: 19, says: "a refusal with a reply of its own keeps the declared status unless it gives one" },
    { ...soldOut, carrier: { refused: { "sold-out": (detail) => ({ body: detail as object }) } } },
    async ({ post }) => {
      const first = await post('"k1"');
      assert.equal(first.status, 409);
      assert.equal(text(first), '{"left":0}');
      assert.match(first.headers.get("link") ?? "", /rel="describedby"/);
      same(first, await post('"k1"'));
    },
  );

  let broken = true;
  const unreplied = (): Setting => {
    broken = true;
    return {
      carrier: {
        reply: (value) => {
          if (broken) throw new Error("secret");
          return { status: 201, body: value as object };
        },
      },
    };
  };
  rule(
    { number: 20, says: "a reply that throws loses no outcome: it is told once it can be" },
    unreplied,
    async ({ post, runs, failures }) => {
      const answer = await post('"k1"');
      problem(answer, 500, "REPRISE_REPLY_FAILED");
      assert.doesNotMatch(text(answer), /secret/);
      problem(await post('"k1"'), 500, "REPRISE_REPLY_FAILED");
      assert.equal(failures.length, 2);
      broken = false;
      const retry = await post('"k1"');
      assert.equal(retry.status, 201);
      assert.equal(retry.headers.get("idempotency-replayed"), "true");
      assert.equal(runs(), 1);
    },
  );
  const once = "a body that cannot be repeated is an error that says so, not an empty answer";
  for (const [where, body] of [
    ["a stream", () => new ReadableStream()],
    ["a promise", () => Promise.resolve(1)],
    ["a map inside", () => ({ all: new Map() })],
    ["a bigint inside", () => ({ sum: 1n })],
  ] as const) {
    rule(
      { number: 21, says: once, where },
      { carrier: { reply: () => ({ body: body() as object }) } },
      async ({ post, runs, failures }) => {
        problem(await post('"k1"'), 500, "REPRISE_REPLY_FAILED");
        assert.equal(((failures[0] as Error).cause as RepriseError).code, "REPRISE_NOT_STORABLE");
        problem(await post('"k1"'), 500, "REPRISE_REPLY_FAILED");
        assert.equal(runs(), 1);
      },
    );
  }
  const unknownToHttp = "a reply that HTTP does not know is 500, and loses no outcome";
  for (const [where, reply] of [
    ["a status of its own", { status: 999, body: "a" }],
    ["a status that is no answer", { status: 101 }],
    ["a body where its status has none", { status: 204, body: "a" }],
    ["a header over two lines", { headers: { location: "/a\r\nset-cookie: a=b" }, body: "a" }],
  ] as const) {
    rule({ number: 22, says: unknownToHttp, where }, { carrier: { reply: () => reply } }, async ({ post, runs }) => {
      for (const answer of [await post('"k1"'), await post('"k1"')]) {
        problem(answer, 500, "REPRISE_REPLY_FAILED");
        assert.equal(answer.headers.get("set-cookie"), null);
      }
      assert.equal(runs(), 1);
    });
  }
  rule(
    { number: 21, says: once, where: "a refusal's reply that is a promise" },
    { ...soldOut, carrier: { refused: { "sold-out": async () => ({}) } as object } },
    async ({ post }) => void problem(await post('"k1"'), 500, "REPRISE_REPLY_FAILED"),
  );
}
