import assert from "node:assert/strict";
import type { ErrorCode } from "../base/errors.ts";
import { keptHeaders } from "../transports/http/carrier.ts";
import type { HttpAdapter, HttpServer, ServedOperation, SuiteAnswer, SuiteRequest } from "./http-adapter.ts";
import { type StandIn, type StandInOptions, standIn } from "./http-stand-in.ts";
import type { SuiteCase } from "./suite.ts";

/** One operation behind one adapter, and what every case of the suite asks of an answer. */

export interface Setting extends StandInOptions {
  readonly carrier?: ServedOperation["carrier"] | undefined;
  readonly principal?: ServedOperation["principal"] | undefined;
}
export interface Stage extends StandIn {
  /** Posts `{ item }` under a key. */
  readonly post: (
    key: string | null,
    given?: Partial<SuiteRequest> & { readonly item?: string },
  ) => Promise<SuiteAnswer>;
  readonly failures: readonly Error[];
}

/** Adds the cases of one numbered rule; `where` tells them apart. */
export type Rule = (
  rule: { readonly number: number; readonly says: string; readonly where?: string | undefined },
  setting: Setting | (() => Setting),
  check: (stage: Stage) => Promise<void>,
) => void;

export function collectRules(adapter: HttpAdapter): { readonly cases: readonly SuiteCase[]; readonly rule: Rule } {
  const cases: SuiteCase[] = [];
  return {
    cases,
    rule: ({ number, says, where }, setting, check) => {
      cases.push({
        name: `HTTP-${String(number).padStart(2, "0")} ${says}${where === undefined ? "" : ` (${where})`}`,
        skip: null,
        run: () => onStage(adapter, typeof setting === "function" ? setting() : setting, check),
      });
    },
  };
}

export const bodyLimitBytes = 2_048;

async function onStage(adapter: HttpAdapter, setting: Setting, check: (stage: Stage) => Promise<void>): Promise<void> {
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
export function gated() {
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

export function text({ body }: SuiteAnswer): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(body);
}

/** An answer and its repetition: equal but for the mark. */
export function same(first: SuiteAnswer, again: SuiteAnswer): void {
  assert.equal(first.headers.get("idempotency-replayed"), null);
  assert.equal(again.headers.get("idempotency-replayed"), "true");
  assert.deepEqual(told(again), told(first));
}

/** What the operation told; the rest of the headers is the server's (its date, its connection). */
function told({ status, headers, body }: SuiteAnswer) {
  return { status, headers: keptHeaders.map((name) => headers.get(name)), body: [...body] };
}

/** Checks what every problem document has, and returns it. */
export function problem(answer: SuiteAnswer, status: number, code: ErrorCode): Readonly<Record<string, unknown>> {
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

export function unreadable(adapter: HttpAdapter, answer: SuiteAnswer, status: number, code: ErrorCode): void {
  if (adapter.bodyErrors === "problem") problem(answer, status, code);
  else assert.equal(answer.status, status);
}
