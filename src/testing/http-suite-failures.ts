import assert from "node:assert/strict";
import { RepriseError } from "../base/errors.ts";
import type { HttpAdapter } from "./http-adapter.ts";
import { bodyLimitBytes, problem, type Rule, type Setting, same, text, unreadable } from "./http-stage.ts";

/** What fails before the work, in it, or in what keeps it. */
export function addFailureRules(rule: Rule, adapter: HttpAdapter): void {
  rule({ number: 51, says: "a body that is no JSON is 400, and not kept" }, {}, async ({ post, runs }) => {
    unreadable(adapter, await post('"k1"', { body: '{"item":' }), 400, "REPRISE_BODY_MALFORMED");
    assert.equal(runs(), 0);
    same(await post('"k1"'), await post('"k1"'));
  });
  rule({ number: 52, says: "a body over the limit is 413, and not kept" }, {}, async ({ post, runs }) => {
    const answer = await post('"k1"', { item: "x".repeat(bodyLimitBytes) });
    unreadable(adapter, answer, 413, "REPRISE_BODY_TOO_LARGE");
    assert.equal(runs(), 0);
    same(await post('"k1"'), await post('"k1"'));
  });
  const invalid = new RepriseError("REPRISE_INPUT_INVALID", { operation: "seat.book", issues: ["item: no"] });
  rule(
    { number: 53, says: "an input that is refused is 400 and not kept: corrected, it runs under the same key" },
    { answers: ({ item }) => (item === "bad" ? invalid : undefined) },
    async ({ post, runs }) => {
      const told = problem(await post('"k1"', { item: "bad" }), 400, "REPRISE_INPUT_INVALID");
      assert.match(String(told["detail"]), /item: no/);
      assert.equal(runs(), 0);
      same(await post('"k1"', { item: "good" }), await post('"k1"', { item: "good" }));
      assert.equal(runs(), 1);
    },
  );
  const away = { is: true };
  rule(
    { number: 54, says: "while the ledger is away it is 503 and nothing runs; when it is back, it goes on" },
    () => {
      away.is = true;
      const error = new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "test", doing: "claim" });
      return { answers: () => (away.is ? error : undefined) };
    },
    async ({ post, runs }) => {
      problem(await post('"k1"'), 503, "REPRISE_LEDGER_AWAY");
      assert.equal(runs(), 0);
      away.is = false;
      same(await post('"k1"'), await post('"k1"'));
      assert.equal(runs(), 1);
    },
  );
  for (const [where, error, status] of [
    ["closed", new RepriseError("REPRISE_CLOSED", { service: "test" }), 503],
    ["taken over", new RepriseError("REPRISE_FENCED", { operation: "seat.book" }), 409],
  ] as const) {
    rule(
      { number: 55, says: "what the catalogue says of an attempt is told with its status and sentence", where },
      { answers: error },
      async ({ post, failures }) => {
        const told = problem(await post('"k1"'), status, error.code);
        assert.equal(told["detail"], error.message);
        assert.deepEqual(failures, []);
      },
    );
  }
  let broken = true;
  const failing = (): Setting => {
    broken = true;
    return {
      run: ({ item }) => {
        if (broken) throw new Error("secret: card 4111");
        return { done: item };
      },
    };
  };
  rule(
    { number: 56, says: "a run that fails is 500 without its message, is not kept, and may be repeated" },
    failing,
    async ({ post, runs, failures }) => {
      const answer = await post('"k1"');
      const told = problem(answer, 500, "REPRISE_RUN_FAILED");
      assert.match(String(told["detail"]), /same key is safe/);
      assert.doesNotMatch(text(answer), /secret|4111/);
      assert.equal(((failures[0] as Error).cause as Error).message, "secret: card 4111");
      broken = false;
      const retry = await post('"k1"');
      assert.equal(retry.status, 200);
      assert.equal(retry.headers.get("idempotency-replayed"), null);
      assert.equal(runs(), 2);
    },
  );
  rule(
    { number: 57, says: "what another operation answered inside the run is not told as this one's" },
    {
      run: () => {
        throw new RepriseError("REPRISE_MISMATCH", { operation: "card.charge" });
      },
    },
    async ({ post }) => void problem(await post('"k1"'), 500, "REPRISE_RUN_FAILED"),
  );
  rule(
    { number: 58, says: "an outcome over its declared size is 500 and names the bound to its owner only" },
    {
      answers: new RepriseError("REPRISE_OUTCOME_TOO_LARGE", { operation: "seat.book", bytes: 70_000, atMost: 65_536 }),
    },
    async ({ post, failures }) => {
      const answer = await post('"k1"');
      problem(answer, 500, "REPRISE_RUN_FAILED");
      assert.doesNotMatch(text(answer), /65536/);
      assert.equal(((failures[0] as Error).cause as RepriseError).code, "REPRISE_OUTCOME_TOO_LARGE");
    },
  );
}
