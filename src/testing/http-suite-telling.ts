import assert from "node:assert/strict";
import { RepriseError } from "../base/errors.ts";
import { gated, problem, type Rule, type Setting, same, text } from "./http-stage.ts";

/** What is told instead of an outcome, to whom, and that none of it is ever kept in the outcome's place. */
export function addTellingRules(rule: Rule): void {
  rule({ number: 31, says: "another payload under the same key is 422" }, {}, async ({ post, runs }) => {
    await post('"k1"', { item: "a" });
    problem(await post('"k1"', { item: "b" }), 422, "REPRISE_MISMATCH");
    assert.equal(runs(), 1);
  });
  rule(
    { number: 32, says: "a refusal of the carrier's own is not kept in the place of the outcome" },
    {},
    async ({ post, runs }) => {
      const first = await post('"k1"', { item: "a" });
      problem(await post('"k1"', { item: "b" }), 422, "REPRISE_MISMATCH");
      same(first, await post('"k1"', { item: "a" }));
      assert.equal(runs(), 1);
    },
  );
  const since = new Date(Date.UTC(2026, 0, 1));
  for (const [ms, seconds] of [
    [1_200, "2"],
    [0, "1"],
  ] as const) {
    rule(
      { number: 33, says: "work that is under way is 409 with Retry-After, in whole seconds", where: `${ms} ms` },
      { answers: { status: "running", since, retryAfterMs: ms } },
      async ({ post }) => {
        const answer = await post('"k1"');
        problem(answer, 409, "REPRISE_RUNNING");
        assert.equal(answer.headers.get("retry-after"), seconds);
      },
    );
  }
  const underWay = gated();
  rule(
    { number: 34, says: "another payload is 422 also while the work is under way" },
    underWay.setting,
    async ({ post, idle, runs }) => {
      const first = post('"k1"');
      await underWay.reached();
      problem(await post('"k1"', { item: "b" }), 422, "REPRISE_MISMATCH");
      problem(await post('"k1"'), 409, "REPRISE_RUNNING");
      underWay.open();
      same(await first, await post('"k1"'));
      await idle();
      assert.equal(runs(), 1);
    },
  );
  rule(
    { number: 35, says: "an effect that nobody knows of is 503 and says so" },
    { answers: { status: "unknown", effect: "charge", since } },
    async ({ post }) => {
      const told = problem(await post('"k1"'), 503, "REPRISE_UNKNOWN");
      assert.match(String(told["detail"]), /Nobody knows yet/);
    },
  );
  const left = gated();
  rule(
    { number: 36, says: "a client that hangs up changes nothing: the work ends, and its retry is told" },
    left.setting,
    async (stage) => {
      const client = new AbortController();
      const cut = stage.post('"k1"', { signal: client.signal });
      await left.reached();
      client.abort();
      await assert.rejects(cut);
      problem(await stage.post('"k1"'), 409, "REPRISE_RUNNING");
      left.open();
      await stage.idle();
      const retry = await stage.post('"k1"');
      assert.equal(retry.status, 200);
      assert.equal(retry.headers.get("idempotency-replayed"), "true");
      assert.equal(text(retry), '{"done":"a"}');
      assert.equal(stage.runs(), 1);
    },
  );
  rule(
    { number: 37, says: "a problem links the contract that the carrier names" },
    { carrier: { contract: "https://a.example/c" } },
    async ({ post }) => {
      const answer = await post(null);
      problem(answer, 400, "REPRISE_KEY_MISSING");
      assert.equal(answer.headers.get("link"), '<https://a.example/c>; rel="describedby"');
    },
  );

  for (const status of [401, 403, 429]) {
    rule(
      { number: 38, says: "what a guard before the operation refuses is never kept", where: String(status) },
      {},
      async ({ post, runs }) => {
        const refused = await post('"k1"', { headers: [["X-Guard", String(status)]] });
        assert.equal(refused.status, status);
        assert.equal(runs(), 0);
        same(await post('"k1"'), await post('"k1"'));
        assert.equal((await post('"k1"', { headers: [["X-Guard", String(status)]] })).status, status);
        assert.equal(runs(), 1);
      },
    );
  }
  const personal: Setting = { contract: { principal: "from-input" }, principal: "session" };
  rule(
    { number: 39, says: "the session's principal must be the operation's own" },
    personal,
    async ({ post, runs }) => {
      const body = JSON.stringify({ item: "a", user: "alice" });
      problem(await post('"k1"', { body, headers: [["X-Session", "bob"]] }), 403, "REPRISE_PRINCIPAL_DIFFERS");
      assert.equal(runs(), 0);
      assert.equal((await post('"k1"', { body, headers: [["X-Session", "alice"]] })).status, 200);
    },
  );
  rule({ number: 40, says: "a session without a principal is refused" }, personal, async ({ post, runs }) => {
    problem(await post('"k1"', { body: JSON.stringify({ item: "a", user: "" }) }), 403, "REPRISE_PRINCIPAL_EMPTY");
    assert.equal(runs(), 0);
  });
  rule(
    { number: 41, says: "one principal's key under another's session is the other's own work" },
    personal,
    async ({ post, runs }) => {
      const of = (user: string) => ({
        body: JSON.stringify({ item: user, user }),
        headers: [["X-Session", user]] as const,
      });
      const alices = await post('"k1"', of("alice"));
      const bobs = await post('"k1"', of("bob"));
      assert.deepEqual([text(alices), text(bobs)], ['{"done":"alice"}', '{"done":"bob"}']);
      same(alices, await post('"k1"', of("alice")));
      same(bobs, await post('"k1"', of("bob")));
      assert.equal(runs(), 2);
    },
  );

  for (const [where, error] of [
    ["the instance closes", new RepriseError("REPRISE_CLOSED", { service: "test" })],
    ["the ledger does not answer in time", new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "test", doing: "pin" })],
    [
      "the other side does not answer in time",
      new RepriseError("REPRISE_EFFECT_TIMEOUT", { operation: "seat.book", effect: "charge", afterMs: 20_000 }),
    ],
  ] as const) {
    let cut = true;
    rule(
      { number: 42, says: "work that is cut off is 503 and not kept: under the same key it goes on", where },
      () => {
        cut = true;
        return {
          run: async ({ item }) => {
            if (cut) throw error;
            return { done: item };
          },
        };
      },
      async ({ post, runs, failures }) => {
        problem(await post('"k1"'), 503, error.code);
        assert.deepEqual(failures, []);
        cut = false;
        same(await post('"k1"'), await post('"k1"'));
        assert.equal(runs(), 2);
      },
    );
  }
}
