import assert from "node:assert/strict";
import { acknowledge, bodies, isQuiet, pull } from "./source-kit.ts";
import type { SourceScenario } from "./source-suite.ts";

/** What becomes of a message by how it is settled. */
export const settlingScenarios: readonly SourceScenario[] = [
  {
    name: "messages come in the order in which they were sent, with what their sender wrote, for the first time",
    run: async ({ source, send }) => {
      for (let index = 0; index < 20; index += 1) await send(JSON.stringify({ index, text: "ü \u0000 😀" }));
      const receiver = await source.open(20);
      const deliveries = await pull(receiver, 20);
      assert.deepEqual(
        bodies(deliveries),
        deliveries.map((_, index) => ({ index, text: "ü \u0000 😀" })),
      );
      assert.ok(deliveries.every(({ isRepeated }) => !isRepeated));
      await receiver.close();
    },
  },
  {
    name: "what is acknowledged is not delivered again",
    run: async ({ source, send }) => {
      await send("1");
      const receiver = await source.open(1);
      const [delivery] = await pull(receiver, 1);
      assert.equal(await delivery?.settle({ is: "acknowledge" }), "settled");
      await receiver.close();
      const again = await source.open(1);
      assert.ok(await isQuiet(again));
      await again.close();
    },
  },
  {
    name: "what the broker refuses to set aside is said to be refused, is kept from others, and can be settled again",
    needs: ["refusal"],
    run: async ({ source, send, setAside, refuse }) => {
      // with its reason longer than some brokers take
      const body = JSON.stringify("x".repeat(1_000));
      await send(body);
      const receiver = await source.open(1);
      const [delivery] = await pull(receiver, 1);
      assert.ok(delivery !== undefined && refuse !== undefined);
      const aside = { is: "dead-letter", reason: "failed", why: "Error" } as const;
      const accept = await refuse();
      assert.equal(await delivery.settle(aside), "refused");
      assert.ok(["renewed", undefined].includes(await delivery.renew?.()));
      assert.ok(await isQuiet(receiver));
      await accept();
      assert.equal(await delivery.settle(aside), "settled");
      assert.deepEqual(
        (await setAside(1)).map((letter) => [letter.body, letter.reason]),
        [[body, "failed"]],
      );
      await receiver.close();
      const again = await source.open(1);
      assert.ok(await isQuiet(again));
      await again.close();
    },
  },
  {
    name: "what is said to be settled just before its receiver closes is not delivered again",
    run: async ({ source, send }) => {
      await Promise.all(Array.from({ length: 400 }, (_, index) => send(String(index))));
      const receiver = await source.open(400);
      const deliveries = await pull(receiver, 400);
      const settling = deliveries.map((delivery) => delivery.settle({ is: "acknowledge" }));
      await receiver.close();
      const lost = (await Promise.all(settling)).filter((settled) => settled === "lost").length;
      const again = await source.open(400);
      await acknowledge(await pull(again, lost, 400));
      assert.ok(await isQuiet(again, (deliveries[0]?.lockMs ?? 0) + 300));
      await again.close();
    },
  },
  {
    name: "what is not settled when its receiver closes is delivered again, and said to be",
    run: async ({ source, send }) => {
      for (const body of ["1", "2", "3"]) await send(body);
      const receiver = await source.open(3);
      const [first] = await pull(receiver, 3);
      await first?.settle({ is: "acknowledge" });
      await receiver.close();
      const again = await source.open(3);
      const deliveries = await pull(again, 2);
      assert.deepEqual(bodies(deliveries), [2, 3]);
      assert.ok(deliveries.every(({ isRepeated }) => isRepeated));
      await again.close();
    },
  },
  {
    name: "what is returned is delivered again, and said to be",
    run: async ({ source, send }) => {
      await send("1");
      const receiver = await source.open(1);
      for (let turn = 0; turn < 3; turn += 1) {
        const [delivery] = await pull(receiver, 1);
        assert.equal(delivery?.isRepeated, turn > 0);
        assert.equal(await delivery?.settle({ is: "return", afterMs: 0 }), "settled");
      }
      await receiver.close();
    },
  },
  {
    name: "what is returned for a time does not come before, where the source delays",
    run: async ({ source, send }) => {
      if (!source.delays) return;
      await send("1");
      const receiver = await source.open(1);
      const [delivery] = await pull(receiver, 1);
      const began = performance.now();
      await delivery?.settle({ is: "return", afterMs: 1_500 });
      await pull(receiver, 1);
      assert.ok(performance.now() - began >= 1_400);
      await receiver.close();
    },
  },
  {
    name: "what is set aside is kept as it was, with the reason, and not delivered again",
    run: async ({ source, send, setAside }) => {
      const sent = ['{"a":"ü"}', "no json"];
      for (const body of sent) await send(body);
      const receiver = await source.open(2);
      const [good, bad] = await pull(receiver, 2);
      assert.throws(() => bad?.read());
      await good?.settle({ is: "dead-letter", reason: "mismatch", why: "its identity came with other input before" });
      await bad?.settle({ is: "dead-letter", reason: "invalid", why: "its body cannot be read" });
      assert.ok(await isQuiet(receiver));
      await receiver.close();
      const again = await source.open(1);
      assert.ok(await isQuiet(again));
      await again.close();
      const kept = await setAside(2);
      assert.deepEqual(
        kept.map(({ body, reason }) => [body, reason]),
        [
          [sent[0], "mismatch"],
          [sent[1], "invalid"],
        ],
      );
    },
  },
  {
    name: "what is neither settled nor renewed until its lock ends is handed out again, by the same receiver too",
    run: async ({ source, send }) => {
      for (const body of ["1", "2"]) await send(body);
      const receiver = await source.open(2);
      const [first, second] = await pull(receiver, 2);
      if (typeof first?.lockMs === "number") {
        const again = await pull(receiver, 2);
        assert.deepEqual([...bodies(again)].sort(), [1, 2]);
        await acknowledge(again);
      } else await acknowledge([first, second].filter((one) => one !== undefined));
      await receiver.close();
    },
  },
  {
    name: "a lock that is renewed keeps a message longer than it would last",
    needs: ["shared"],
    run: async ({ source, send }) => {
      await send("1");
      const receiver = await source.open(1);
      const other = await source.open(1);
      const [delivery] = await pull(receiver, 1);
      const { lockMs, renew } = delivery ?? { lockMs: null };
      if (lockMs !== null && renew !== undefined) {
        for (let turn = 0; turn < 6; turn += 1) {
          assert.ok(await isQuiet(other, lockMs / 3));
          assert.equal(await renew(), "renewed");
        }
      }
      await acknowledge(delivery === undefined ? [] : [delivery]);
      assert.ok(await isQuiet(other));
      await receiver.close();
      await other.close();
    },
  },
];
