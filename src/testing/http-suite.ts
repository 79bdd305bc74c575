import assert from "node:assert/strict";
import { type ErrorCode, RepriseError } from "../base/errors.ts";
import { Refusal } from "../operation/outcome.ts";
import { keptHeaders } from "../transports/http/carrier.ts";
import type { HttpAdapter, HttpServer, ServedOperation, SuiteAnswer, SuiteRequest } from "./http-adapter.ts";
import { type StandIn, type StandInOptions, standIn } from "./http-stand-in.ts";
import type { SuiteCase } from "./ledger-adapter.ts";

interface Setting extends StandInOptions {
  readonly carrier?: ServedOperation["carrier"] | undefined;
  readonly principal?: ServedOperation["principal"] | undefined;
}
interface Stage extends StandIn {
  /** Posts `{ item }` under a key. */
  readonly post: (
    key: string | null,
    given?: Partial<SuiteRequest> & { readonly item?: string },
  ) => Promise<SuiteAnswer>;
  readonly failures: readonly Error[];
}

/**
 * What every HTTP adapter keeps to.
 *
 * @example
 * for (const { name, run } of httpSuite(myAdapter)) test(name, run);
 */
export function httpSuite(adapter: HttpAdapter): readonly SuiteCase[] {
  const cases: SuiteCase[] = [];
  const rule = (name: string, setting: Setting | (() => Setting), check: (stage: Stage) => Promise<void>) => {
    cases.push({
      name: `HTTP-${String(cases.length + 1).padStart(2, "0")} ${name}`,
      skip: null,
      run: () => stage(adapter, typeof setting === "function" ? setting() : setting, check),
    });
  };

  // ── the outcome ──

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
    "the first answer has the status, the kept headers and the body of the reply",
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
  rule("a repetition is answered the same and marked, and runs nothing", created, async ({ post, runs }) => {
    same(await post('"k1"'), await post('"k1"'));
    assert.equal(runs(), 1);
  });
  rule(
    "a cookie and any header that is not kept are never sent, the first time or again",
    created,
    async ({ post }) => {
      for (const answer of [await post('"k1"'), await post('"k1"')]) {
        assert.equal(answer.headers.get("set-cookie"), null);
        assert.equal(answer.headers.get("x-request-id"), null);
      }
    },
  );
  rule("without a reply the value is told as JSON", {}, async ({ post }) => {
    const first = await post('"k1"', { item: "ü" });
    assert.equal(first.status, 200);
    assert.equal(text(first), '{"done":"ü"}');
    same(first, await post('"k1"', { item: "ü" }));
  });
  rule(
    "no value is an empty 204, whose repetition runs nothing either",
    { run: () => undefined },
    async ({ post, runs }) => {
      const first = await post('"k1"');
      assert.equal(first.status, 204);
      assert.equal(first.body.length, 0);
      same(first, await post('"k1"'));
      assert.equal(runs(), 1);
    },
  );
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  rule("bytes are sent and repeated as bytes", { carrier: { reply: () => ({ body: bytes }) } }, async ({ post }) => {
    const first = await post('"k1"');
    assert.deepEqual([...first.body], [...bytes]);
    assert.equal(first.headers.get("content-type"), "application/octet-stream");
    same(first, await post('"k1"'));
  });
  rule(
    "a string is sent as it is, under the type that the reply gives it",
    { carrier: { reply: () => ({ headers: { "content-type": "application/xml" }, body: "<é/>" }) } },
    async ({ post }) => {
      const first = await post('"k1"');
      assert.equal(text(first), "<é/>");
      assert.equal(first.headers.get("content-type"), "application/xml");
      same(first, await post('"k1"'));
    },
  );
  rule(
    "an outcome that another transport kept is rendered from its value",
    created,
    async ({ post, runs, forgetRenderings }) => {
      const first = await post('"k1"');
      forgetRenderings();
      same(first, await post('"k1"'));
      assert.equal(runs(), 1);
    },
  );

  // ── refusals ──

  const soldOut: Setting = {
    run: () => {
      throw new Refusal("sold-out", { left: 0 });
    },
  };
  rule(
    "a declared refusal is a problem document with its status, kept and repeated",
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
    "a refusal with a reply of its own keeps the declared status unless it gives one",
    { ...soldOut, carrier: { refused: { "sold-out": (detail) => ({ body: detail }) } } },
    async ({ post }) => {
      const first = await post('"k1"');
      assert.equal(first.status, 409);
      assert.equal(text(first), '{"left":0}');
      assert.match(first.headers.get("link") ?? "", /rel="describedby"/);
      same(first, await post('"k1"'));
    },
  );
  rule(
    "problems link the contract that the carrier names",
    { carrier: { contract: "https://a.example/c" } },
    async ({ post }) => {
      const answer = await post(null);
      assert.equal(answer.headers.get("link"), '<https://a.example/c>; rel="describedby"');
    },
  );

  // ── the key ──

  const strict: Setting = { carrier: { key: { syntax: "strict" } } };
  rule("a missing key is refused and nothing is run", {}, async ({ post, runs }) => {
    problem(await post(null), 400, "REPRISE_KEY_MISSING");
    assert.equal(runs(), 0);
  });
  rule(
    "a key declared optional may be missing",
    { carrier: { key: { header: "optional" } } },
    async ({ post, runs }) => {
      same(await post(null), await post(null));
      assert.equal(runs(), 1);
    },
  );
  rule(
    "where the caller's key is the identity it cannot be missing",
    { contract: { identity: "callers-key" } },
    async ({ post }) => void problem(await post(null), 400, "REPRISE_KEY_MISSING"),
  );
  rule("strict: a quoted String is the key, its parameters are ignored", strict, async ({ post, runs }) => {
    same(await post('"a\\"b\\\\c"'), await post('  "a\\"b\\\\c";v=1;w  '));
    assert.equal(runs(), 1);
  });
  for (const [what, key] of [
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
    rule(`strict: ${what} is refused`, strict, async ({ post, runs }) => {
      problem(await post(key), 400, "REPRISE_KEY_MALFORMED");
      assert.equal(runs(), 0);
    });
  }
  rule("lenient, the default: bare and quoted are the same key", {}, async ({ post, runs }) => {
    same(await post("8e03978e-40d5"), await post('"8e03978e-40d5"'));
    assert.equal(runs(), 1);
  });
  for (const [what, setting, line] of [
    ["strict", strict, '"a"'],
    ["lenient", {}, '"a"'],
    ["lenient and bare", {}, "a"],
  ] as const) {
    rule(`two lines of the key are refused, never joined (${what})`, setting, async ({ post, runs }) => {
      const headers = [["Idempotency-Key", line]] as const;
      problem(await post(line, { headers }), 400, "REPRISE_KEY_MALFORMED");
      assert.equal(runs(), 0);
    });
  }
  for (const [what, key] of [
    ["an empty key", '""'],
    ["a key of 256 characters", `"${"k".repeat(256)}"`],
    ["a bare key of 256 characters", "k".repeat(256)],
    ["a key outside ASCII", '"clé"'],
    ["a bare key outside ASCII", "clé"],
    ["a bare key with a comma", "a,b"],
    ["a bare key with a space", "a b"],
  ] as const) {
    rule(`${what} is refused`, {}, async ({ post, runs }) => {
      problem(await post(key), 400, "REPRISE_KEY_MALFORMED");
      assert.equal(runs(), 0);
    });
  }
  rule("a key of 255 characters is taken", {}, async ({ post }) => {
    assert.equal((await post(`"${"k".repeat(255)}"`)).status, 200);
  });

  // ── what the operation cannot tell yet, or never ──

  rule("another payload under the same key is 422", {}, async ({ post, runs }) => {
    await post('"k1"', { item: "a" });
    problem(await post('"k1"', { item: "b" }), 422, "REPRISE_MISMATCH");
    assert.equal(runs(), 1);
  });
  rule("no guard's answer is kept in the place of the outcome", {}, async ({ post, runs }) => {
    const first = await post('"k1"', { item: "a" });
    problem(await post('"k1"', { item: "b" }), 422, "REPRISE_MISMATCH");
    same(first, await post('"k1"', { item: "a" }));
    assert.equal(runs(), 1);
  });
  const since = new Date(Date.UTC(2026, 0, 1));
  for (const [ms, seconds] of [
    [1_200, "2"],
    [0, "1"],
  ] as const) {
    rule(
      `work that runs for another ${ms} ms is 409, with Retry-After ${seconds}`,
      { answers: { status: "running", since, retryAfterMs: ms } },
      async ({ post }) => {
        const answer = await post('"k1"');
        problem(answer, 409, "REPRISE_RUNNING");
        assert.equal(answer.headers.get("retry-after"), seconds);
      },
    );
  }
  rule(
    "an effect that nobody knows of is 503 and says so",
    { answers: { status: "unknown", effect: "charge", since } },
    async ({ post }) => {
      const told = problem(await post('"k1"'), 503, "REPRISE_UNKNOWN");
      assert.match(String(told["detail"]), /Nobody knows yet/);
    },
  );
  const work = gated();
  rule("a client that hangs up changes nothing: the work ends, and its retry is told", work.setting, async (stage) => {
    const client = new AbortController();
    const cut = stage.post('"k1"', { signal: client.signal });
    await work.reached();
    client.abort();
    await assert.rejects(cut);
    problem(await stage.post('"k1"'), 409, "REPRISE_RUNNING");
    work.open();
    await stage.idle();
    const retry = await stage.post('"k1"');
    assert.equal(retry.status, 200);
    assert.equal(retry.headers.get("idempotency-replayed"), "true");
    assert.equal(text(retry), '{"done":"a"}');
    assert.equal(stage.runs(), 1);
  });

  // ── who asks ──

  const personal: Setting = { contract: { principal: "from-input" }, principal: "session" };
  rule("the session's principal must be the operation's own", personal, async ({ post, runs }) => {
    const body = JSON.stringify({ item: "a", user: "alice" });
    problem(await post('"k1"', { body, headers: [["X-Session", "bob"]] }), 403, "REPRISE_PRINCIPAL_DIFFERS");
    assert.equal(runs(), 0);
    assert.equal((await post('"k1"', { body, headers: [["X-Session", "alice"]] })).status, 200);
  });
  rule("a session without a principal is refused", personal, async ({ post, runs }) => {
    problem(await post('"k1"', { body: JSON.stringify({ item: "a", user: "" }) }), 403, "REPRISE_PRINCIPAL_EMPTY");
    assert.equal(runs(), 0);
  });

  // ── what fails ──

  rule("a body that is no JSON is 400", {}, async ({ post, runs }) => {
    unreadable(adapter, await post('"k1"', { body: '{"item":' }), 400, "REPRISE_BODY_MALFORMED");
    assert.equal(runs(), 0);
  });
  rule("a body over the limit is 413", {}, async ({ post, runs }) => {
    const answer = await post('"k1"', { item: "x".repeat(bodyLimitBytes) });
    unreadable(adapter, answer, 413, "REPRISE_BODY_TOO_LARGE");
    assert.equal(runs(), 0);
  });
  for (const [what, error, status] of [
    [
      "an invalid input",
      new RepriseError("REPRISE_INPUT_INVALID", { operation: "seat.book", issues: ["item: no"] }),
      400,
    ],
    ["a ledger that is away", new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "test", doing: "claim" }), 503],
    ["a reprise that is closed", new RepriseError("REPRISE_CLOSED", { service: "test" }), 503],
    ["work that another attempt took over", new RepriseError("REPRISE_FENCED", { operation: "seat.book" }), 409],
  ] as const) {
    rule(`${what} is ${status}, with what the catalogue says`, { answers: error }, async ({ post, failures }) => {
      const told = problem(await post('"k1"'), status, error.code);
      assert.equal(told["detail"], error.message);
      assert.deepEqual(failures, []);
    });
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
    "a run that fails is 500 without its message, and may be repeated",
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
    "what another operation answered inside the run is not told as this one's",
    {
      run: () => {
        throw new RepriseError("REPRISE_MISMATCH", { operation: "card.charge" });
      },
    },
    async ({ post }) => void problem(await post('"k1"'), 500, "REPRISE_RUN_FAILED"),
  );
  const unreplied = (): Setting => {
    broken = true;
    return {
      carrier: {
        reply: (value) => {
          if (broken) throw new Error("secret");
          return { status: 201, body: value };
        },
      },
    };
  };
  rule(
    "a reply that throws loses no outcome: it is told once it can be",
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
  rule(
    "a refusal's reply that cannot be repeated is an error too",
    { ...soldOut, carrier: { refused: { "sold-out": async () => ({}) } as object } },
    async ({ post }) => void problem(await post('"k1"'), 500, "REPRISE_REPLY_FAILED"),
  );
  for (const [what, body] of [
    ["a stream", () => new ReadableStream()],
    ["a promise", () => Promise.resolve(1)],
    ["a map inside", () => ({ all: new Map() })],
    ["a bigint inside", () => ({ sum: 1n })],
  ] as const) {
    rule(
      `a body that cannot be repeated (${what}) is an error that says so, not an empty answer`,
      { carrier: { reply: () => ({ body: body() }) } },
      async ({ post, failures }) => {
        problem(await post('"k1"'), 500, "REPRISE_REPLY_FAILED");
        assert.equal(((failures[0] as Error).cause as RepriseError).code, "REPRISE_NOT_STORABLE");
      },
    );
  }
  return cases;
}

const bodyLimitBytes = 2_048;

async function stage(adapter: HttpAdapter, setting: Setting, check: (stage: Stage) => Promise<void>): Promise<void> {
  const work = standIn(setting);
  const failures: Error[] = [];
  const server: HttpServer = await adapter.serve({
    operation: work.operation,
    carrier: { failed: (error) => failures.push(error), ...setting.carrier },
    principal: setting.principal ?? "everyone",
    bodyLimitBytes,
  });
  try {
    await check({
      ...work,
      failures,
      post: (key, { item = "a", headers = [], body, signal } = {}) =>
        server.send({
          headers: [
            ["Content-Type", "application/json"],
            ...(key === null ? [] : [["Idempotency-Key", key] as const]),
            ...headers,
          ],
          body: body ?? JSON.stringify({ item }),
          signal,
        }),
    });
  } finally {
    await server.close();
  }
}

/** Work that stands still until it is let on; made anew for each run of the case. */
function gated() {
  let reached = latch();
  let opened = latch();
  return {
    setting: (): Setting => {
      reached = latch();
      opened = latch();
      return {
        run: async ({ item }) => {
          reached.open();
          await opened.passed;
          return { done: item };
        },
      };
    },
    reached: () => reached.passed,
    open: () => opened.open(),
  };
}

function latch() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

function text({ body }: SuiteAnswer): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(body);
}

/** An answer and its repetition: equal but for the mark. */
function same(first: SuiteAnswer, again: SuiteAnswer): void {
  assert.equal(first.headers.get("idempotency-replayed"), null);
  assert.equal(again.headers.get("idempotency-replayed"), "true");
  assert.deepEqual(told(again), told(first));
}

/** What the operation told; the rest of the headers is the server's (its date, its connection). */
function told({ status, headers, body }: SuiteAnswer) {
  return { status, headers: keptHeaders.map((name) => headers.get(name)), body: [...body] };
}

/** Checks what every problem document has, and returns it. */
function problem(answer: SuiteAnswer, status: number, code: ErrorCode): Readonly<Record<string, unknown>> {
  const document = JSON.parse(text(answer)) as Readonly<Record<string, unknown>>;
  assert.equal(answer.status, status);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.match(answer.headers.get("link") ?? "", /^<[^>]+>; rel="describedby"$/);
  assert.equal(answer.headers.get("idempotency-replayed"), null);
  assert.equal(document["code"], code);
  assert.equal(document["status"], status);
  assert.equal(typeof document["type"], "string");
  assert.equal(typeof document["title"], "string");
  return document;
}

function unreadable(adapter: HttpAdapter, answer: SuiteAnswer, status: number, code: ErrorCode): void {
  if (adapter.bodyErrors === "problem") problem(answer, status, code);
  else assert.equal(answer.status, status);
}
