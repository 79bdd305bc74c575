import { afterEach, describe, expect, test } from "vitest";
import { RepriseError } from "../../src/base/errors.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import type { ServedOperation } from "../../src/testing/http-adapter.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { httpAdapters } from "./http-adapters.ts";

/** Time-outs and cancellation: whatever carries the request, the caller is told the same, and the work is safe to repeat. */

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Charge = (key: string, signal: AbortSignal) => Promise<{ readonly id: string }>;

function latch() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

function platform() {
  const clock = manualClock();
  const faulty = faultyLedger(memoryLedger({ clock }));
  const away = { is: false };
  const unlessAway =
    <A extends readonly unknown[], R>(call: (...given: A) => Promise<R>) =>
    (...given: A): Promise<R> =>
      away.is
        ? Promise.reject(new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "test", doing: "this" }))
        : call(...given);
  const instance = (charge: Charge) => {
    // the ledger outlives an instance, as a server does
    const ledger = { ...faulty.ledger, close: async () => {}, complete: unlessAway(faulty.ledger.complete) };
    Object.assign(ledger, { claim: unlessAway(ledger.claim), find: unlessAway(ledger.find) });
    const reprise = createReprise({ service: "test", undecided: "listed", ledger, clock });
    closing.push(() => reprise.close());
    const operation = reprise.operation({
      name: "seat.book",
      input: unchecked<{ seat: string }>(),
      principal: "everyone",
      identity: "callers-key",
      retention: "1d",
      effects: "external",
      run: ({ effect }) => effect("charge", { ifUnknown: "retry", run: charge }),
    });
    return { reprise, operation };
  };
  /** What waits for the ledger or for a pause ends; nothing else moves the clock. */
  const inTime = async <T>(asked: Promise<T>): Promise<T> => {
    let settled = false;
    const asking = asked.finally(() => {
      settled = true;
    });
    while (!settled) await clock.advance(1_000);
    return asking;
  };
  return { clock, away, instance, inTime };
}

describe.each(httpAdapters)("behind $name", (adapter) => {
  const serve = async (operation: unknown) => {
    const server = await adapter.serve({
      operation: operation as ServedOperation["operation"],
      carrier: { failed: () => {} },
      principal: "everyone",
      bodyLimitBytes: 2_048,
    });
    closing.push(server.close);
    return async () => {
      const answer = await server.send({
        headers: [
          ["content-type", "application/json"],
          ["idempotency-key", '"k1"'],
        ],
        body: '{"seat":"a"}',
      });
      const text = Buffer.from(answer.body).toString();
      return {
        status: answer.status,
        text,
        code: (JSON.parse(text) as { code?: string }).code,
        replayed: answer.headers.get("idempotency-replayed") === "true",
      };
    };
  };

  test("an instance that closes aborts what is under way, tells its caller 503, and another finishes it", async () => {
    const { clock, instance, inTime } = platform();
    const reached = latch();
    const aborted: unknown[] = [];
    const first = instance(
      (_, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            aborted.push((signal.reason as { code?: string }).code);
            reject(signal.reason as Error);
          });
          reached.open();
        }),
    );
    const post = await serve(first.operation);
    const asked = post();
    await reached.passed;
    const closed = first.reprise.close();
    await inTime(Promise.all([asked, closed]));
    expect(await asked).toMatchObject({ status: 503, code: "REPRISE_CLOSED" });
    expect(aborted).toEqual(["REPRISE_CLOSED"]);
    expect(await post()).toMatchObject({ status: 503, code: "REPRISE_CLOSED" });
    await clock.advance(31_000);
    const again = await serve(instance(async () => ({ id: "c2" })).operation);
    expect(await again()).toMatchObject({ status: 200, text: '{"id":"c2"}', replayed: false });
  });

  test("an effect that does not answer in time is aborted, its caller told 503, and its retry runs it again", async () => {
    const { instance, inTime } = platform();
    const aborted: unknown[] = [];
    let down = true;
    const { operation } = instance((_, signal) => {
      if (!down) return Promise.resolve({ id: "c1" });
      return new Promise(() => {
        signal.addEventListener("abort", () => aborted.push((signal.reason as { code?: string }).code));
      });
    });
    const post = await serve(operation);
    expect(await inTime(post())).toMatchObject({ status: 503, code: "REPRISE_EFFECT_TIMEOUT" });
    expect(aborted).toEqual(["REPRISE_EFFECT_TIMEOUT"]);
    down = false;
    expect(await inTime(post())).toMatchObject({ status: 200, text: '{"id":"c1"}', replayed: false });
  });

  test("a ledger that does not answer before its deadline is 503, and nothing runs", async () => {
    const { instance, inTime, away } = platform();
    let charges = 0;
    const { operation } = instance(async () => {
      charges += 1;
      return { id: "c1" };
    });
    away.is = true;
    const post = await serve(operation);
    expect(await inTime(post())).toMatchObject({ status: 503, code: "REPRISE_LEDGER_AWAY" });
    expect(charges).toBe(0);
  });

  test("a ledger that goes away under the work is 503; when it is back, the retry is told, and nothing charged again", async () => {
    const { clock, away, instance, inTime } = platform();
    const charged: string[] = [];
    const { operation } = instance(async (key) => {
      charged.push(key);
      // what the effect answers is still kept; whether the work is over, is not
      away.is = true;
      return { id: "c1" };
    });
    const post = await serve(operation);
    expect(await inTime(post())).toMatchObject({ status: 503, code: "REPRISE_LEDGER_AWAY" });
    await clock.advance(31_000);
    away.is = false;
    expect(await inTime(post())).toMatchObject({ status: 200, text: '{"id":"c1"}' });
    expect(charged.length).toBe(1);
  });
});
