import assert from "node:assert/strict";
import { problem, type Rule, type Setting, same, text } from "./http-stage.ts";

/** The key: a structured-field String of one line, bounded in length and alphabet. */
export function addKeyRules(rule: Rule): void {
  const strict: Setting = { carrier: { key: { syntax: "strict" } } };
  const missing = { number: 1, says: "a missing key is refused where it is required, and nothing is run" };
  rule(missing, {}, async ({ post, runs }) => {
    problem(await post(null), 400, "REPRISE_KEY_MISSING");
    assert.equal(runs(), 0);
  });
  rule(
    { ...missing, where: "always where it is the identity" },
    { contract: { identity: "callers-key" } },
    async ({ post, runs }) => {
      problem(await post(null), 400, "REPRISE_KEY_MISSING");
      assert.equal(runs(), 0);
    },
  );
  rule(
    { number: 2, says: "a key declared optional may be missing" },
    { carrier: { key: { header: "optional" } } },
    async ({ post, runs }) => {
      same(await post(null), await post(null));
      assert.equal(runs(), 1);
    },
  );
  rule(
    { number: 3, says: "a structured-field String is the key, its escapes read and its parameters ignored" },
    strict,
    async ({ post, runs }) => {
      same(await post('"a\\"b\\\\c"'), await post('  "a\\"b\\\\c";v=1;w  '));
      assert.equal(runs(), 1);
    },
  );
  const noString = "what is no structured-field String is refused where strict is declared";
  for (const [where, key] of [
    ["a bare key", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["a token", "abc"],
    ["a number", "42"],
    ["a byte sequence", ":YWJj:"],
    ["a boolean", "?1"],
    ["a list", '"a", "b"'],
    ["an open quote", '"a'],
    ["an unknown escape", '"a\\n"'],
    ["trailing text", '"a" b'],
  ] as const) {
    rule({ number: 4, says: noString, where }, strict, async ({ post, runs }) => {
      problem(await post(key), 400, "REPRISE_KEY_MALFORMED");
      assert.equal(runs(), 0);
    });
  }
  rule(
    { number: 5, says: "where lenient is declared, the default, bare and quoted are the same key" },
    {},
    async ({ post, runs }) => {
      same(await post("8e03978e-40d5"), await post('"8e03978e-40d5"'));
      assert.equal(runs(), 1);
    },
  );
  for (const [where, setting, line] of [
    ["strict", strict, '"a"'],
    ["lenient", {}, '"a"'],
    ["lenient and bare", {}, "a"],
  ] as const) {
    const rejoined = { number: 6, says: "two lines of the key are refused, never joined", where };
    rule(rejoined, setting, async ({ post, runs }) => {
      const headers = [["Idempotency-Key", line]] as const;
      problem(await post(line, { headers }), 400, "REPRISE_KEY_MALFORMED");
      assert.equal(runs(), 0);
    });
  }
  for (const [where, key] of [
    ["empty", '""'],
    ["256 characters", `"${"k".repeat(256)}"`],
    ["256 characters, bare", "k".repeat(256)],
    ["outside ASCII", '"clé"'],
    ["outside ASCII, bare", "clé"],
    ["a comma, bare", "a,b"],
    ["a space, bare", "a b"],
  ] as const) {
    for (const [syntax, setting] of [
      ["lenient", {}],
      ["strict", strict],
    ] as const) {
      const says = "a key outside the bounds of length and alphabet is refused";
      rule({ number: 7, says, where: `${where}, ${syntax}` }, setting, async ({ post, runs }) => {
        problem(await post(key), 400, "REPRISE_KEY_MALFORMED");
        assert.equal(runs(), 0);
      });
    }
  }
  rule({ number: 8, says: "a key of 255 characters is taken" }, {}, async ({ post, runs }) => {
    const key = `"${"k".repeat(255)}"`;
    same(await post(key), await post(key));
    assert.equal(runs(), 1);
  });
  rule(
    { number: 9, says: "no problem document tells a key, an input or a principal" },
    { contract: { principal: "from-input" }, principal: "session" },
    async ({ post }) => {
      const ask = (key: string, item: string, session = "secret-user") =>
        post(key, {
          body: JSON.stringify({ item, user: "secret-user" }),
          headers: session === "" ? [] : [["X-Session", session]],
        });
      await ask('"secret-key"', "secret-a");
      const told = [
        [await ask('"secret-key"', "secret-b"), 422, "REPRISE_MISMATCH"],
        [await ask("secret key", "secret-a"), 400, "REPRISE_KEY_MALFORMED"],
        [await ask('"secret-key"', "secret-a", "secret-other"), 403, "REPRISE_PRINCIPAL_DIFFERS"],
        [await ask('"secret-key"', "secret-a", ""), 403, "REPRISE_PRINCIPAL_EMPTY"],
      ] as const;
      for (const [answer, status, code] of told) {
        problem(answer, status, code);
        assert.doesNotMatch(text(answer), /secret/);
      }
    },
  );
}
