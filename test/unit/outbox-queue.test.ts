import { afterEach, describe, expect, test, vi } from "vitest";
import type { Grip } from "../../src/contract/lease.ts";
import { unchecked } from "../../src/index.ts";
import { pull } from "../../src/testing/source-kit.ts";
import { broker, publish, type Released, released, seatReleased, stand } from "./outbox-stand.ts";

/** On a busy machine too. */
const soon = { timeout: 10_000 };
const opened: { readonly close: () => Promise<void> }[] = [];
const made = (options?: Parameters<typeof stand>[0]) => {
  const one = stand(options);
  opened.push(one);
  return one;
};
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const announce = {
  name: "seat.announce",
  input: unchecked<Released>(),
  ifRunsAgain: "replays",
  costIfTwice: "money",
  principal: "everyone",
  identity: ({ release }: Released) => [release],
  retention: "1d",
  effects: "external",
} as const;

/** An instance that consumes what it publishes. */
function shop(run: (input: Released) => Promise<void>, options?: Parameters<typeof stand>[0]) {
  const { instance, ledger, close } = made(options);
  const reprise = instance("one");
  const outbox = reprise.outbox(seatReleased);
  const operation = reprise.operation({ ...announce, run: ({ input }) => run(input) });
  const source = outbox.source();
  const consumer = reprise.consume(operation, source, {
    deliveredWithin: "1d",
    attempts: 2,
    retryIn: ["1ms"],
    inOrderBy: () => "all",
  });
  return { ...{ reprise, outbox, consumer, source, ledger, close }, another: instance };
}

describe("the queue of an outbox", () => {
  test("hands its messages to a consumer in the order of their commits, and keeps none that is done with", async () => {
    const ran: string[] = [];
    const { reprise, ledger, outbox, consumer } = shop(async ({ release }) => {
      ran.push(release);
    });
    await reprise.start();
    await consumer.ready;
    const all = Array.from({ length: 30 }, (_, index) => released(`r-${index}`));
    await publish(ledger, outbox, ...all);
    // the same business id twice: absorbed by whoever receives it
    await publish(ledger, outbox, released("r-0"));
    await expect.poll(async () => (await outbox.standing()).waiting, soon).toBe(0);
    expect(ran).toEqual(all.map(({ release }) => release));
    expect(consumer.counts()).toMatchObject({ received: 31, lost: 0 });
  });

  test("sets aside what fails, shows it, and sends it again under its id when somebody asks for it", async () => {
    let isMended = false;
    const ran: string[] = [];
    const { reprise, ledger, outbox, source, consumer } = shop(async ({ release }) => {
      if (!isMended) throw new Error("no");
      ran.push(release);
    });
    await reprise.start();
    await consumer.ready;
    const before = Date.now();
    await publish(ledger, outbox, released("r-1"), released("r-2"));
    await expect.poll(() => consumer.counts().setAside.failed, soon).toBe(2);
    const letters = await source.deadLetters?.();
    const [first, second] = (await letters?.list(10)) ?? [];
    expect(first).toMatchObject({ reason: "failed", sentAt: expect.any(Number), setAsideAt: expect.any(Number) });
    expect(first?.read()).toEqual(released("r-1"));
    expect(first?.id).not.toContain("r-1");
    expect((await letters?.list(1))?.map(({ id }) => id)).toEqual([first?.id]);
    isMended = true;
    if (first === undefined || second === undefined) throw new Error("both are set aside");
    expect(await letters?.redrive(first)).toBe("done");
    expect(await letters?.redrive(first)).toBe("gone");
    expect(await letters?.discard(second)).toBe("done");
    expect(await letters?.discard(second)).toBe("gone");
    await expect.poll(() => ran, soon).toEqual(["r-1"]);
    expect(await letters?.list(10)).toEqual([]);
    await expect.poll(async () => (await outbox.standing()).waiting, soon).toBe(0);
    expect(first.sentAt).toBeGreaterThanOrEqual(before);
    await letters?.close();
  });

  test("says of what it handed out before that it did, also in another instance, and of nothing else", async () => {
    const { instance, ledger } = made();
    const outbox = instance("one").outbox(seatReleased);
    await publish(ledger, outbox, released("r-1"), released("r-2"), released("r-3"));
    const receiver = await outbox.source().open(2);
    expect((await pull(receiver, 2)).map(({ isRepeated }) => isRepeated)).toEqual([false, false]);
    await receiver.close();
    const again = await instance("two").outbox(seatReleased).source().open(10);
    const deliveries = await pull(again, 3);
    expect(deliveries.map((delivery) => delivery.read())).toEqual([released("r-1"), released("r-2"), released("r-3")]);
    expect(deliveries.map(({ isRepeated }) => isRepeated)).toEqual([true, true, false]);
    await again.close();
  });

  test("hands out nothing more to who lost the lease without knowing it", async () => {
    const grips: Grip[] = [];
    const { instance, ledger } = made({
      leases: (leases) => ({
        ...leases,
        acquire: async (request) => {
          const answer = await leases.acquire(request);
          if (answer.is === "acquired") grips.push({ ...request, token: answer.token });
          return answer;
        },
      }),
    });
    const [one, two] = ["one", "two"].map((name) => instance(name).outbox({ ...seatReleased, lease: "1h" }));
    if (one === undefined || two === undefined) throw new Error("there are two");
    await publish(ledger, one, released("r-1"));
    const stale = await one.source().open(10);
    await pull(stale, 1);
    // over by the store's clock, and another takes it before its holder has asked again
    if (grips[0] !== undefined) await ledger.leases.release(grips[0]);
    const owner = await two.source().open(10);
    expect((await pull(owner, 1)).map(({ isRepeated }) => isRepeated)).toEqual([true]);
    await publish(ledger, two, released("r-2"));
    await expect(stale.pull(10, AbortSignal.timeout(5_000))).rejects.toThrow(
      expect.objectContaining({ code: "REPRISE_FENCED" }),
    );
    expect((await pull(owner, 1)).map((delivery) => delivery.read())).toEqual([released("r-2")]);
    await stale.close();
    await owner.close();
  });

  test("is not there where the messages go to a broker", async () => {
    const { instance } = made();
    const outbox = instance("one").outbox({ ...seatReleased, to: broker().to });
    expect(() => (outbox as unknown as { readonly source: () => unknown }).source()).toThrow(/go to 'broker seats'/);
  });

  test("has a consumer receive again after its ledger was away", async () => {
    let isAway = false;
    const ran: string[] = [];
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const { reprise, ledger, outbox, consumer } = shop(
      async ({ release }) => {
        ran.push(release);
      },
      {
        registers: (registers) => ({
          ...registers,
          list: async (query) => {
            if (isAway) throw new Error("away");
            return registers.list(query);
          },
        }),
      },
    );
    await reprise.start();
    await consumer.ready;
    isAway = true;
    await publish(ledger, outbox, released("r-1"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    isAway = false;
    await expect.poll(() => ran, soon).toEqual(["r-1"]);
    warned.mockRestore();
  });
});
