import { jetstream } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import { describe, expect, test } from "vitest";
import { nats } from "../../src/sources/nats/index.ts";
import { acknowledge, bodies, isQuiet, pull } from "../../src/testing/source-kit.ts";
import { cannotRunHere } from "../support/environment.ts";
import { natsServers, natsStage, natsVersion } from "../support/nats.ts";

const version = await natsVersion();

describe("a receiver of NATS", () => {
  test("does not hand out what waited in it until its lock ended: it is another's by then", async (context) => {
    if (version === undefined) context.skip(`${cannotRunHere}no NATS with JetStream answers`);
    // longer than a busy machine takes from a delivery to its acknowledgement
    const stage = await natsStage(1_500);
    const receiver = await stage.source.open(1);
    // asked for, and nobody waits for it any more
    expect(await isQuiet(receiver)).toBe(true);
    await stage.send("1");
    const other = await stage.source.open(1);
    const [delivery] = await pull(other, 1);
    expect(delivery?.isRepeated).toBe(true);
    // settled first: it must not come a third time on a slow machine
    if (delivery !== undefined) await acknowledge([delivery]);
    expect(await isQuiet(receiver, 200)).toBe(true);
    for (const one of [receiver, other]) await one.close();
    await stage.close();
  });

  test("gives back in order, and within moments, also what was on its way when it stopped", async (context) => {
    if (version === undefined) context.skip(`${cannotRunHere}no NATS with JetStream answers`);
    // nothing ends a lock before the test's own deadline
    const stage = await natsStage(60_000);
    const count = 300;
    for (let index = 0; index < count; index += 1) await stage.send(String(index));
    const receiver = await stage.source.open(count / 2, true);
    const handed = await pull(receiver, 1, count / 2);
    // more is asked for, and on its way
    const ended = await receiver.pull(1, AbortSignal.abort());
    const stopping = receiver.stop?.(Promise.resolve());
    for (const delivery of [...handed, ...ended].reverse()) await delivery.settle({ is: "return", afterMs: 0 });
    await stopping;
    await receiver.close();
    const again = await stage.source.open(count, true);
    expect(bodies(await pull(again, count))).toEqual(Array.from({ length: count }, (_, index) => index));
    await again.close();
    await stage.close();
  });

  test("tells as its horizon how long the stream keeps messages, or that nothing ends it", async (context) => {
    if (version === undefined) context.skip(`${cannotRunHere}no NATS with JetStream answers`);
    for (const [maxAgeMs, horizonMs] of [
      [0, null],
      [3_600_000, 3_600_000],
    ] as const) {
      const stage = await natsStage(500, maxAgeMs);
      expect(await stage.source.horizon()).toBe(horizonMs);
      await stage.close();
    }
  });

  test("does not lose what is set aside again while the server takes its id for one it has seen", async (context) => {
    if (version === undefined) context.skip(`${cannotRunHere}no NATS with JetStream answers`);
    const stage = await natsStage();
    const [, stream = ""] = stage.source.name.split(" ");
    const connection = await connect({ servers: natsServers });
    await jetstream(connection).publish(stream, "1", { msgID: "seat-1" });
    for (const reason of ["failed", "mismatch"] as const) {
      const receiver = await stage.source.open(1);
      const [delivery] = await pull(receiver, 1);
      expect(await delivery?.settle({ is: "dead-letter", reason, why: "two\nlines" })).toBe("settled");
      await receiver.close();
      const letters = await stage.source.deadLetters?.();
      const [letter] = (await letters?.list(10)) ?? [];
      expect(letter).toMatchObject({ reason, why: "two lines" });
      expect(letter && (await letters?.redrive(letter))).toBe("done");
      await letters?.close();
    }
    const receiver = await stage.source.open(1);
    await acknowledge(await pull(receiver, 1));
    await receiver.close();
    await connection.close();
    await stage.close();
  });

  test("refuses a consumer that would receive what is set aside", async (context) => {
    if (version === undefined) context.skip(`${cannotRunHere}no NATS with JetStream answers`);
    const stage = await natsStage(500);
    const [, stream = ""] = stage.source.name.split(" ");
    const sourceTo = (deadLetter: string) =>
      nats({
        connect: () => connect({ servers: natsServers }),
        ...{ jetstream, headers, stream, consumer: "book", deadLetter },
      });
    await expect(sourceTo(stream).open(1)).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    await (await sourceTo(`dead-${stream}`).open(1)).close();
    await stage.close();
  });

  test("refuses a consumer that settles others' messages, or whose locks differ, with what mends it", async (context) => {
    if (version === undefined) context.skip(`${cannotRunHere}no NATS with JetStream answers`);
    const stage = await natsStage(500);
    const amiss: readonly (readonly [string, Parameters<typeof stage.withConsumer>[1], RegExp])[] = [
      ["all", { ack_policy: "all" }, /ack_policy 'explicit'/],
      ["none", { ack_policy: "none" }, /ack_policy 'explicit'/],
      ["backoff", { ack_policy: "explicit", backoff: [1e9, 5e9], max_deliver: 3 }, /Remove it/],
    ];
    for (const [consumer, config, mend] of amiss) {
      const opening = (await stage.withConsumer(consumer, config)).open(1);
      await expect(opening).rejects.toMatchObject({
        code: "REPRISE_BAD_DECLARATION",
        message: expect.stringMatching(mend),
      });
    }
    await stage.close();
  });

  test("does not begin where no stream stores what it would set aside", async (context) => {
    if (version === undefined) context.skip(`${cannotRunHere}no NATS with JetStream answers`);
    const stage = await natsStage();
    const accept = await stage.refuse?.();
    await expect(stage.source.open(1)).rejects.toThrow(/no stream matches/);
    await accept?.();
    const receiver = await stage.source.open(1);
    await receiver.close();
    await stage.close();
  });
});
