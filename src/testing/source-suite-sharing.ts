import assert from "node:assert/strict";
import type { Delivery } from "../contract/source.ts";
import { acknowledge, bodies, isQuiet, pull } from "./source-kit.ts";
import type { SourceScenario } from "./source-suite.ts";

/** Several receivers, bounds, and connections that break. */
export const sharingScenarios: readonly SourceScenario[] = [
  {
    name: "no more are handed out than were asked for, nor more unsettled than it was opened with",
    run: async ({ source, send }) => {
      for (let index = 0; index < 10; index += 1) await send(String(index));
      const receiver = await source.open(4);
      const first = await pull(receiver, 3, 3);
      const second = await receiver.pull(10, AbortSignal.timeout(5_000));
      assert.equal(second.length, 1);
      assert.ok(await isQuiet(receiver));
      await acknowledge([...first, ...second]);
      assert.equal((await pull(receiver, 4)).length, 4);
      await receiver.close();
    },
  },
  {
    name: "a wait that is ended brings nothing and loses nothing",
    run: async ({ source, send }) => {
      const receiver = await source.open(8);
      for (let index = 0; index < 20; index += 1) {
        const ending = new AbortController();
        const waiting = receiver.pull(1, ending.signal);
        // at once, or after the message is on its way
        if (index % 2 === 0) ending.abort();
        await send(String(index));
        ending.abort();
        const came = await waiting;
        const deliveries = came.length > 0 ? came : await pull(receiver, 1);
        assert.deepEqual(bodies(deliveries), [index]);
        await acknowledge(deliveries);
      }
      await receiver.close();
    },
  },
  {
    name: "one that stops gives others what it has not handed out, and settles what it has",
    needs: ["shared"],
    run: async ({ source, send }) => {
      for (const body of ["1", "2", "3"]) await send(body);
      const receiver = await source.open(4);
      const handed = [...(await pull(receiver, 1))];
      // what comes after this waits in it
      handed.push(...(await receiver.pull(2, AbortSignal.timeout(1))));
      await receiver.stop?.(Promise.resolve());
      for (const delivery of handed) assert.equal(await delivery.settle({ is: "acknowledge" }), "settled");
      const other = await source.open(4);
      const rest = await pull(other, 3 - handed.length);
      assert.deepEqual([...bodies([...handed, ...rest])].sort(), [1, 2, 3]);
      await acknowledge(rest);
      await receiver.close();
      assert.ok(await isQuiet(other));
      await other.close();
    },
  },
  {
    name: "of 200 messages for three receivers each is handed to one of them",
    needs: ["shared"],
    run: async ({ source, send }) => {
      for (let index = 0; index < 200; index += 1) await send(String(index));
      const receivers = await Promise.all([1, 2, 3].map(() => source.open(16)));
      const seen: unknown[] = [];
      const late = AbortSignal.timeout(30_000);
      await Promise.all(
        receivers.map(async (receiver) => {
          for (;;) {
            const deliveries = await receiver.pull(8, AbortSignal.timeout(2_000));
            // on a busy machine nothing may come for a while, though something is left
            if (deliveries.length === 0 && (seen.length >= 200 || late.aborted)) return;
            seen.push(...bodies(deliveries));
            await acknowledge(deliveries);
          }
        }),
      );
      assert.equal(seen.length, 200);
      assert.equal(new Set(seen).size, 200);
      await Promise.all(receivers.map((receiver) => receiver.close()));
    },
  },
  {
    name: "a connection that is cut ends the waiting, settles nothing, and another receives all that was not settled",
    needs: ["cut"],
    run: async ({ source, send, cut }) => {
      await send("1");
      const receiver = await source.open(2);
      const [delivery] = await pull(receiver, 1);
      const waiting = assert.rejects(receiver.pull(1, AbortSignal.timeout(15_000)));
      await cut();
      await waiting;
      assert.equal(await settleSoon(delivery), "lost");
      await receiver.close();
      const again = await source.open(2);
      const [copy] = await pull(again, 1);
      assert.ok(copy?.isRepeated);
      await again.close();
    },
  },
];

/** What is settled over a cut connection may hang: nobody waits for it, and it is not said to be done. */
async function settleSoon(delivery: Delivery | undefined): Promise<unknown> {
  const late = new Promise((resolve) => setTimeout(resolve, 2_000, "lost"));
  return Promise.race([delivery?.settle({ is: "acknowledge" }).catch(() => "lost"), late]);
}
