import { describe, expect, test } from "vitest";
import type { DeadLetters, Source } from "../../src/contract/source.ts";
import { seat, stand } from "./consume-stand.ts";

describe("what is set aside and sent again", () => {
  test("is run under its identity once what made it fail is mended, with all its attempts before it", async () => {
    const { broker, runs, instance, running, clock } = stand({ attempts: 2, retryIn: ["1s"] });
    const { reprise, consumer } = instance("a");
    running(async () => {
      throw new TypeError("the hall is closed");
    });
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(5_000);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["failed"]);

    expect(await consumer.redrive()).toEqual({ redriven: 1, gone: 0, more: false });
    await clock.advance(500);
    expect(runs).toEqual(["A", "A", "A"]);
    expect(broker.deadLetters).toEqual([]);
    running(async () => 1);
    await clock.advance(1_000);
    expect(runs).toHaveLength(4);
    expect(broker.left()).toBe(0);
    expect(consumer.counts()).toMatchObject({ ran: 1, failed: 3, setAside: { failed: 1 } });
    await reprise.close();
  });

  test("is answered from the ledger where it was done meanwhile", async () => {
    const { broker, runs, instance, running, clock } = stand({ attempts: 1 });
    const { reprise, book, consumer } = instance("a");
    running(async () => {
      throw new TypeError("the hall is closed");
    });
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(1_000);
    running(async () => 1);
    await book.execute(seat("A"));
    await consumer.redrive();
    await clock.advance(1_000);
    expect(runs).toEqual(["A", "A"]);
    expect(consumer.counts()).toMatchObject({ replayed: 1 });
    await reprise.close();
  });

  test("is there twice after a crash between its sending and its removal, and done once", async () => {
    const { broker, runs, instance, clock } = stand({
      through: (source) => ({
        ...source,
        deadLetters: async () => ({
          ...(await (source.deadLetters as () => Promise<DeadLetters>)()),
          redrive: async (letter) => {
            broker.send(letter.read());
            throw new Error("the connection is cut");
          },
        }),
      }),
    });
    const { reprise, consumer } = instance("a");
    broker.sendAside(JSON.stringify(seat("A")));
    await reprise.start();
    for (let time = 0; time < 2; time += 1) {
      await expect(consumer.redrive()).rejects.toMatchObject({ code: "REPRISE_SOURCE_AWAY" });
      await clock.advance(1_000);
    }
    expect(runs).toEqual(["A"]);
    expect(consumer.counts()).toMatchObject({ ran: 1, replayed: 1 });
    await reprise.close();
  });

  test("is set aside again where it is too old still", async () => {
    const { broker, runs, instance, clock } = stand({ deliveredWithin: "1h" });
    const { reprise, consumer } = instance("a");
    await reprise.start();
    broker.send(seat("A"), { sentAt: clock.now() - 7_200_000 });
    await clock.advance(1);
    expect(await consumer.redrive({ reason: "too-old" })).toMatchObject({ redriven: 1 });
    await clock.advance(1);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["too-old"]);
    expect(runs).toEqual([]);
    await reprise.close();
  });

  test("is of one reason, and no more than was asked for, in the order in which it came", async () => {
    const { broker, instance, clock } = stand();
    const { reprise, consumer } = instance("a");
    for (let index = 0; index < 300; index += 1) broker.sendAside(JSON.stringify(seat("other")));
    await reprise.start();
    for (let index = 0; index < 5; index += 1) broker.send(index % 2 === 0 ? "no json" : { seat: index });
    await clock.advance(1);
    expect(broker.deadLetters).toHaveLength(5);
    consumer.pause();
    await clock.advance(1);
    expect(await consumer.redrive({ reason: "mismatch" })).toEqual({ redriven: 0, gone: 0, more: false });
    expect(await consumer.redrive({ reason: "invalid", most: 3 })).toEqual({ redriven: 3, gone: 0, more: true });
    expect(broker.left()).toBe(3);
    expect(await consumer.redrive({ reason: "invalid", most: 3 })).toEqual({ redriven: 2, gone: 0, more: false });
    expect(await consumer.redrive({ most: 299 })).toEqual({ redriven: 299, gone: 0, more: true });
    await reprise.close();
  });
});

describe("a redrive", () => {
  /** A broker whose dead letters do as `change` says. */
  const through = (change: (letters: DeadLetters) => Partial<DeadLetters>) => (source: Source) => ({
    ...source,
    deadLetters: async () => {
      const letters = await (source.deadLetters as () => Promise<DeadLetters>)();
      return { ...letters, ...change(letters) };
    },
  });

  test("counts what somebody else was first with", async () => {
    const { broker, instance } = stand({
      through: through((letters) => ({
        redrive: async (letter) => {
          if (letter.id === "1") await letters.discard(letter);
          return letters.redrive(letter);
        },
      })),
    });
    const { reprise, consumer } = instance("a");
    for (const reference of ["A", "B"]) broker.sendAside(JSON.stringify(seat(reference)));
    expect(await consumer.redrive()).toEqual({ redriven: 1, gone: 1, more: false });
    await reprise.close();
  });

  test("of what a broker does not answer about ends, and what it was shown is not kept from others", async () => {
    let closed = 0;
    const { broker, instance, clock } = stand({
      through: through((letters) => ({
        redrive: () => new Promise(() => {}),
        close: async () => {
          closed += 1;
          await letters.close();
        },
      })),
    });
    const { reprise, consumer } = instance("a");
    broker.sendAside(JSON.stringify(seat("A")));
    const redriven = expect(consumer.redrive()).rejects.toMatchObject({ code: "REPRISE_SOURCE_AWAY" });
    await clock.advance(30_000);
    await redriven;
    expect(closed).toBe(1);
    await reprise.close();
  });

  test("is refused where the source shows nothing, for no reason that there is, and once it is closed", async () => {
    const { instance } = stand({ through: ({ deadLetters: _, ...source }) => source });
    const { reprise, consumer } = instance("a");
    await expect(consumer.redrive()).rejects.toThrow(/does not show what it has set aside.*broker's own tools/);
    await reprise.close();
    const shown = stand().instance("a");
    for (const [options, why] of [
      [{ reason: "fialed" as "failed" }, /no such reason.*invalid, mismatch, too-old, failed, refused/],
      [{ most: 0 }, /'most' is no whole number/],
    ] as const) {
      await expect(shown.consumer.redrive(options)).rejects.toThrow(why);
    }
    await shown.reprise.close();
    await expect(shown.consumer.redrive()).rejects.toMatchObject({ code: "REPRISE_CLOSED" });
  });
});

describe("what is set aside at a broker that hands it over one by one", () => {
  const handedOver = async (count: number, everyMs: number) => {
    const one = stand({
      through: (source) => ({
        ...source,
        deadLetters: async () => {
          const letters = await (source.deadLetters as () => Promise<DeadLetters>)();
          let held = 0;
          return {
            ...letters,
            list: async (most, ending) => {
              const all = await letters.list(count);
              for (held = Math.min(held, all.length); held < Math.min(most, all.length); held += 1) {
                if (ending?.aborted) break;
                await new Promise<void>((resolve) => one.clock.timer(everyMs, resolve));
              }
              return all.slice(0, Math.min(most, held));
            },
          };
        },
      }),
    });
    for (let index = 0; index < count; index += 1) one.broker.sendAside(JSON.stringify(seat(`${index}`)));
    const { reprise, consumer } = one.instance("a");
    await reprise.start();
    const inTime = async <T>(work: Promise<T>): Promise<T> => {
      let isDone = false;
      const done = () => {
        isDone = true;
      };
      work.then(done, done);
      while (!isDone) await one.clock.advance(500);
      return work;
    };
    return { ...one, reprise, consumer, inTime };
  };

  test("is sent again so far as it was found in time, and the same again goes on with the rest", async () => {
    const { consumer, reprise, broker, inTime } = await handedOver(50, 500);
    const first = await inTime(consumer.redrive());
    expect(first).toMatchObject({ gone: 0, more: true });
    expect(first.redriven).toBeGreaterThan(10);
    let redriven = first.redriven;
    for (let more = true; more; ) {
      const next = await inTime(consumer.redrive());
      redriven += next.redriven;
      more = next.more;
    }
    expect(redriven).toBe(50);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("is looked through for longer where none of it is meant, and not for ever", async () => {
    const { consumer, reprise, clock, inTime } = await handedOver(500, 500);
    const began = clock.monotonic();
    expect(await inTime(consumer.redrive({ reason: "failed" }))).toEqual({ redriven: 0, gone: 0, more: true });
    expect(clock.monotonic() - began).toBeGreaterThan(55_000);
    expect(clock.monotonic() - began).toBeLessThan(80_000);
    await reprise.close();
  });
});
