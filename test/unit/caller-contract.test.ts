import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { errorCodes } from "../../src/base/errors.ts";
import { callerContract } from "../../src/decisions/caller-contract.ts";
import { type ServiceContract, serviceContract } from "../../src/decisions/contract-document.ts";
import { contractMarkdown } from "../../src/decisions/contract-markdown.ts";
import { contractOpenApi } from "../../src/decisions/contract-openapi.ts";
import type { CallerContract } from "../../src/decisions/decided.ts";
import { unchecked } from "../../src/index.ts";
import type { OperationDeclaration } from "../../src/operation/declaration.ts";
import { webHandler } from "../../src/transports/http/web.ts";
import { type Book, createBookings, gate, lost } from "../support/bookings.ts";

const declaration: OperationDeclaration = {
  name: "a",
  input: unchecked(),
  effects: "external",
  principal: () => "p",
  identity: () => ["i"],
  retention: "30d",
  run: async () => null,
};
const statuses = ({ answers }: CallerContract) => answers.map(({ status }) => status);

describe("what callers are promised", () => {
  test.each([
    ["external effects", declaration, [200, 400, 403, 409, 422, 500, 503]],
    ["everyone's outcomes", { ...declaration, principal: "everyone" as const }, [200, 400, 409, 422, 500, 503]],
    [
      "background work",
      { ...declaration, dispatch: "background" as const },
      [200, 202, 400, 403, 409, 409, 422, 500, 503],
    ],
    [
      "refusals, each at its status",
      { ...declaration, refusals: { a: { status: 409, because: "A." }, b: { status: 404, because: "B." } } },
      [200, 400, 403, 404, 409, 409, 422, 500, 503],
    ],
    [
      "what converges",
      { ...declaration, ifRunsAgain: "converges" as const, refusals: { b: { status: 404, because: "B." } } },
      [200, 400, 404, 500, 503],
    ],
  ])("with %s", (_, given, expected) => {
    expect(statuses(callerContract(given))).toEqual(expected);
  });

  test("names codes of the catalogue at their own status", () => {
    for (const given of [declaration, { ...declaration, ifRunsAgain: "converges" as const }]) {
      for (const answer of callerContract(given).answers) {
        const codes = answer.is === "problem" ? answer.codes : [];
        expect(codes.map((code) => errorCodes[code])).toEqual(codes.map(() => answer.status));
      }
    }
  });

  test("says whether a new key is new work, and what needs none", () => {
    const byKey = callerContract({ ...declaration, identity: "callers-key" });
    expect(byKey).toMatchObject({ identity: "callers-key", key: { required: true }, retention: "30d" });
    const converging = callerContract({ ...declaration, ifRunsAgain: "converges" });
    expect(converging).toMatchObject({ identity: null, key: { required: false }, retention: null });
    expect(markdown(byKey)).toContain("a new key is new work");
    expect(markdown(callerContract(declaration))).toContain("a new key for the same work gets the same answer");
    expect(markdown(converging)).toContain("`Idempotency-Key`: not needed.");
  });
});

/** Whatever HTTP really answers stands in the contract, with its code. */
describe("the contract of a booking holds", () => {
  function serve(policy: "retry" | "park" = "retry") {
    const bookings = createBookings({ ifUnknown: policy });
    const [decided] = bookings.reprise.decisions();
    const handle = webHandler(bookings.book, {
      principal: (request) => request.headers.get("user") ?? "",
      input: (request) => request.json() as Promise<Book>,
      failed: () => {},
    });
    const post = async (seat: number | string, given: Record<string, string> = {}, body?: string) => {
      const headers = { "idempotency-key": "k1", user: "alice", ...given };
      if (headers["idempotency-key"] === "") Reflect.deleteProperty(headers, "idempotency-key");
      const response = await handle(
        new Request("http://localhost/", {
          method: "POST",
          headers,
          body: body ?? JSON.stringify({ user: "alice", reference: "r1", seat }),
        }),
      );
      const told = (await response.json()) as { readonly code?: string; readonly refusal?: string };
      return { status: response.status, headers: response.headers, code: told.code, refusal: told.refusal };
    };
    return { ...bookings, contract: decided?.contract, post };
  }

  function expectPromised(
    contract: CallerContract | undefined,
    { status, code, refusal }: { status: number; code?: string | undefined; refusal?: string | undefined },
  ) {
    const promised = contract?.answers.filter((answer) => answer.status === status) ?? [];
    const found = promised.some(
      (answer) =>
        (answer.is === "problem" && answer.codes.some((one) => one === code)) ||
        (answer.is === "refused" && code === "REPRISE_REFUSED" && answer.refusal === refusal) ||
        (answer.is === "done" && code === undefined),
    );
    expect({ status, code, refusal, found }).toEqual({ status, code, refusal, found: true });
  }

  test.each([
    ["done", 200, 1, {}],
    ["without a key", 400, 1, { "idempotency-key": "" }],
    ["with a key that is none", 400, 1, { "idempotency-key": "a, b" }],
    ["under another session", 403, 1, { user: "bob" }],
    ["under none", 403, 1, { user: "" }],
    ["refused with 409", 409, 0, {}],
    ["refused with 402", 402, 13, {}],
  ])("for work that is asked for %s", async (_, status, seat, headers) => {
    const { contract, post } = serve();
    const answer = await post(seat, headers);
    expect(answer.status).toBe(status);
    expectPromised(contract, answer);
  });

  test("for a body that cannot be read", async () => {
    const { contract, post } = serve();
    const answer = await post(1, {}, "{");
    expect(answer.status).toBe(400);
    expectPromised(contract, answer);
  });

  test("for a repetition with other input", async () => {
    const { contract, post } = serve();
    await post(1);
    const answer = await post(2);
    expect(answer.status).toBe(422);
    expectPromised(contract, answer);
  });

  test("for a repetition while the first is at work, which says when to come back", async () => {
    const { contract, post, at } = serve();
    const [reached, go] = [gate(), gate()];
    at.start = async () => {
      reached.open();
      await go.passed;
    };
    const first = post(1);
    await reached.passed;
    const answer = await post(1);
    go.open();
    await first;
    expect(answer.status).toBe(409);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expectPromised(contract, answer);
  });

  test("for a run that fails, for one whose effect nobody knows of, and for a ledger that is away", async () => {
    const failing = serve();
    failing.at.start = async () => {
      throw new Error("no");
    };
    const unknown = serve("park");
    unknown.gateway.next.push(lost);
    const away = serve();
    away.faulty.fail("open");
    for (const [{ contract, post }, status] of [
      [failing, 500],
      [unknown, 503],
      [away, 503],
    ] as const) {
      const answer = await post(1);
      expect(answer.status).toBe(status);
      expectPromised(contract, answer);
    }
  });
});

function serviceOf(contract: CallerContract, ...names: readonly string[]): ServiceContract {
  return { service: "s", operations: names.map((name) => ({ name, owner: null, contract })) };
}
function markdown(contract: CallerContract): string {
  return contractMarkdown([serviceOf(contract, "a")]);
}

describe("its forms", () => {
  test("leave out what is no operation", () => {
    const cache = { kind: "cache", name: "c", owner: "o", answers: {}, undecided: [] } as const;
    expect(serviceContract("s", [cache]).operations).toEqual([]);
  });

  test("keep names and sentences from ending a heading, a cell or a line", () => {
    const because = "Left | right,\n<b>below</b>.";
    const contract = callerContract({ ...declaration, refusals: { no: { status: 404, because } } });
    const text = contractMarkdown([serviceOf(contract, "a_b*\n# c")]);
    expect(text).toContain("\n## a\\_b\\* # c\n");
    expect(text).toContain("Left \\| right, &lt;b>below&lt;/b>. (no)");
    const rows = text.split("\n").filter((line) => line.startsWith("|"));
    expect(rows.map((row) => row.split(/(?<!\\)\|/).length)).toEqual(rows.map(() => 5));
  });

  test("are valid OpenAPI whatever the names are, and give each operation its own components", async () => {
    const contract = callerContract({
      ...declaration,
      dispatch: "background",
      refusals: { "a/b c": { status: 404, because: "No." }, __proto__x: { status: 404, because: "No." } },
    });
    const converging = callerContract({ ...declaration, ifRunsAgain: "converges" });
    const document = contractOpenApi([
      serviceOf(contract, "a b", "a-b", "ä", "", "toString", "a.400"),
      serviceOf(converging, "a b"),
    ]);
    expect(Object.keys(document.components["pathItems"] ?? {})).toEqual([
      "s.a-b",
      "s.a-b-2",
      "s.-",
      "s.",
      "s.toString",
      "s.a.400",
      "s.a-b-3",
    ]);
    const validator = new Validator();
    expect(await validator.validate({ ...document })).toEqual({ valid: true });
    validator.resolveRefs();
    expect(await new Validator().validate({ ...contractOpenApi([]) })).toEqual({ valid: true });
  });

  test("say that a replay is marked, and only where there are replays", () => {
    const replaying = contractOpenApi([serviceOf(callerContract(declaration), "a")]);
    expect(replaying.components["responses"]?.["a.2XX"]).toHaveProperty("headers.Idempotency-Replayed");
    const refusals = { no: { status: 404, because: "No." } };
    const converging = callerContract({ ...declaration, ifRunsAgain: "converges", refusals });
    const { responses } = contractOpenApi([serviceOf(converging, "a")]).components;
    expect(responses?.["a.2XX"]).not.toHaveProperty("headers");
    expect(responses?.["a.404"]).not.toHaveProperty("headers");
  });
});
