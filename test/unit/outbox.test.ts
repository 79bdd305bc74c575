import { afterEach, describe, expect, test, vi } from "vitest";
import { createReprise, isRepriseError, type Schema, unchecked } from "../../src/index.ts";
import { outboxSettingsOf } from "../../src/outbox/settings.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { broker, publish, released, seatReleased, stand } from "./outbox-stand.ts";

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

const shared = {
  name: "seat.release",
  input: unchecked<{ readonly release: string; readonly fails?: boolean }>(),
  ifRunsAgain: "replays",
  costIfTwice: "money",
  principal: "everyone",
  retention: "1d",
} as const;

describe("an outbox", () => {
  test("sends what database work published, once it is committed, under its id and with the time of it", async () => {
    const { instance } = made();
    const { to, sent } = broker();
    const reprise = instance("one");
    const outbox = reprise.outbox({ ...seatReleased, to });
    const release = reprise.operation({
      ...shared,
      identity: (input) => [input.release],
      effects: "database",
      run: ({ input, tx }) => outbox.publishIn(tx, released(input.release, 7)),
    });
    const before = Date.now();
    await release.run({ release: "r-1" });
    await release.run({ release: "r-1" });
    await expect.poll(() => sent.length, soon).toBe(1);
    const [message] = sent;
    expect(message).toEqual({ id: "r-1", body: '{"release":"r-1","seat":7}', sentAt: expect.any(Number) });
    expect(message?.sentAt).toBeGreaterThanOrEqual(before);
    expect(message?.sentAt).toBeLessThanOrEqual(Date.now());
    await expect.poll(async () => (await outbox.standing()).waiting, soon).toBe(0);
    expect(outbox.counts()).toEqual({ published: 1, relayed: 1, failed: 0 });
  });

  test("sends nothing of work that was rolled back, or refused", async () => {
    const { instance, ledger } = made();
    const { to, ids } = broker();
    const reprise = instance("one");
    const outbox = reprise.outbox({ ...seatReleased, to });
    const release = reprise.operation({
      ...shared,
      identity: (input) => [input.release],
      effects: "database",
      refusals: { "not-yours": { status: 403, because: "It is another's." } },
      run: async ({ input, tx, refuse }) => {
        await outbox.publishIn(tx, released(input.release));
        if (input.fails === true) throw new Error("no");
        throw refuse("not-yours");
      },
    });
    await expect(release.execute({ release: "r-1", fails: true })).rejects.toThrow("no");
    expect((await release.execute({ release: "r-2" })).status).toBe("refused");
    await publish(ledger, outbox, released("r-3"));
    await expect.poll(ids, soon).toEqual(["r-3"]);
    expect(await outbox.standing()).toEqual({ waiting: 0, oldestAt: null });
  });

  test("publishes in a transaction of a run with external effects, and in one that joins the caller's", async () => {
    const { instance, ledger } = made();
    const { to, ids } = broker();
    const reprise = instance("one");
    const outbox = reprise.outbox({ ...seatReleased, to });
    const external = reprise.operation({
      ...shared,
      identity: (input) => [input.release],
      effects: "external",
      run: ({ input, transaction }) => transaction((tx) => outbox.publishIn(tx, released(input.release))),
    });
    const joined = reprise.operation({
      ...{ ...shared, name: "seat.release.joined" },
      identity: (input) => [input.release],
      effects: "database",
      run: ({ input, tx }) => outbox.publishIn(tx, released(input.release)),
    });
    await external.run({ release: "r-1" });
    await ledger.transaction((tx) => joined.executeIn(tx, { release: "r-2" }));
    await expect.poll(ids, soon).toEqual(["r-1", "r-2"]);
  });

  test("refuses a message before anything is written: by its schema, its JSON, its id and its size", async () => {
    const { instance, ledger } = made();
    const { to } = broker();
    const reprise = instance("one");
    const positive: Schema<{ readonly seat: number }> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) =>
          (value as { readonly seat: number }).seat > 0
            ? { value: value as { readonly seat: number } }
            : { issues: [{ message: "not positive", path: ["seat"] }] },
      },
    };
    const checked = reprise.outbox({ name: "checked", message: positive, id: ({ seat }) => String(seat), to });
    const any = reprise.outbox({ name: "any", message: unchecked<unknown>(), id: () => "id", to, limit: "100b" });
    const named = reprise.outbox({ name: "named", message: unchecked<string>(), id: (id) => id, to });
    const refusal = async (publishing: (tx: never) => Promise<void>) => {
      const error: unknown = await ledger
        .transaction(async (tx) => publishing(tx as never))
        .then(
          () => null,
          (thrown: unknown) => thrown,
        );
      return isRepriseError(error, "REPRISE_MESSAGE_INVALID") ? error.details.why : error;
    };
    expect(await refusal((tx) => checked.publishIn(tx, { seat: 0 }))).toBe("its schema found 1 issue, at 'seat'");
    const odd: readonly [unknown, string][] = [
      [{ at: new Date() }, "it holds an instance of a class at 'at', which is no JSON"],
      [{ all: [1, undefined] }, "it holds a value of type undefined at 'all[1]', which is no JSON"],
      [Number.NaN, "it holds a number that is not finite at '(itself)', which is no JSON"],
      [{ big: 1n }, "it holds a value of type bigint at 'big', which is no JSON"],
      [() => 1, "it holds a value of type function at '(itself)', which is no JSON"],
    ];
    for (const [message, why] of odd) expect(await refusal((tx) => any.publishIn(tx, message))).toBe(why);
    const self: Record<string, unknown> = {};
    self["self"] = self;
    expect(await refusal((tx) => any.publishIn(tx, self))).toMatch(/an object that holds itself at 'self'/);
    expect(await refusal((tx) => any.publishIn(tx, "x".repeat(99)))).toMatch(/has 101 bytes, at most 100/);
    for (const id of ["", "a\nb", "x".repeat(129)]) {
      expect(await refusal((tx) => named.publishIn(tx, id))).toMatch(/its id is no text/);
    }
    expect(await refusal((tx) => any.publishIn(tx, { left: undefined, out: null }))).toBeNull();
    for (const outbox of [checked, any, named]) {
      expect(outbox.counts().published).toBe(outbox === any ? 1 : 0);
    }
  });

  test.each(["relayed", "received"] as const)(
    "%s says once, and which, where a message of another form keeps those behind it waiting",
    async (how) => {
      const { instance, ledger } = made();
      const { to, sent } = broker();
      const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      const reprise = instance("one");
      const relayed = how === "relayed" ? reprise.outbox({ ...seatReleased, to }) : null;
      const received = how === "received" ? reprise.outbox(seatReleased) : null;
      const { names } = outboxSettingsOf("shop", seatReleased as never);
      await ledger.transaction(async (tx) => {
        await ledger.registers.appendIn?.(tx, names.messages, '{"form":2,"secret":"r-1"}');
      });
      const source = received?.source();
      let opened = 0;
      const tries = () => relayed?.counts().failed ?? opened;
      if (source !== undefined) {
        const open: typeof source.open = (most) => {
          opened += 1;
          return source.open(most);
        };
        const release = reprise.operation({
          ...shared,
          identity: (input) => [input.release],
          effects: "external",
          run: async () => 1,
        });
        reprise.consume(release, { ...source, open }, { deliveredWithin: "1d" });
      }
      await reprise.start();
      await expect.poll(tries, soon).toBeGreaterThan(1);
      const told = warned.mock.calls.map(([text]) => String(text)).filter((text) => text.includes("form"));
      expect(told).toHaveLength(1);
      expect(told[0]).toMatch(/'seat.released'.*message 1.*form 2.*form 1/);
      expect(told[0]).not.toContain("secret");
      expect(sent).toEqual([]);
      warned.mockRestore();
      await reprise.close();
    },
  );

  test("keeps the order over a broker that fails, says so once, and sends under the same ids", async () => {
    const { instance, ledger } = made();
    const { to, ids, batches, beforeSending, isOpen } = broker();
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    let left = 2;
    beforeSending(async () => {
      left -= 1;
      if (left >= 0) throw new Error("the broker is away");
    });
    const reprise = instance("one");
    const outbox = reprise.outbox({ ...seatReleased, to });
    await publish(ledger, outbox, released("r-1"), released("r-2"));
    await reprise.start();
    await expect.poll(() => batches.length, soon).toBe(1);
    await publish(ledger, outbox, released("r-3"));
    await expect.poll(ids, soon).toEqual(["r-1", "r-2", "r-3"]);
    expect(outbox.counts()).toEqual({ published: 3, relayed: 3, failed: 2 });
    const told = warned.mock.calls.map(([text]) => String(text));
    expect(told.filter((text) => text.includes("Outbox 'seat.released' cannot send to 'broker seats'"))).toHaveLength(
      1,
    );
    expect(told.join()).not.toContain("r-1");
    warned.mockRestore();
    await reprise.close();
    expect(isOpen()).toBe(false);
  });

  test("gets on over a broker that never takes more than a part of a batch, in order", async () => {
    const { instance, ledger } = made();
    const { to, ids, batches, beforeSending } = broker();
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    beforeSending(async ({ length }) => {
      if (length > 2) throw Object.assign(new Error("it has room for two"), { code: 506 });
    });
    const reprise = instance("one");
    const outbox = reprise.outbox({ ...seatReleased, to });
    const names = ["r-1", "r-2", "r-3", "r-4", "r-5"];
    await publish(ledger, outbox, ...names.map((name) => released(name)));
    await reprise.start();
    await expect.poll(ids, soon).toEqual(names);
    // half of what was refused, and more again after what was not
    expect(batches.map(({ length }) => length)).toEqual([5, 2, 3, 1, 2]);
    expect(String(warned.mock.calls[0]?.[0])).toContain("(Error 506)");
    warned.mockRestore();
    await reprise.close();
  });

  test("sends again, in order, what it sent and could not remove", async () => {
    let fails = 1;
    const { instance, ledger } = made({
      registers: (registers) => ({
        ...registers,
        removeThrough: async (prefix, name) => {
          if (fails-- > 0) throw new Error("crashed");
          await registers.removeThrough?.(prefix, name);
        },
      }),
    });
    const { to, ids } = broker();
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const reprise = instance("one");
    const outbox = reprise.outbox({ ...seatReleased, to });
    await publish(ledger, outbox, released("r-1"), released("r-2"), released("r-3"));
    await reprise.start();
    await expect.poll(async () => (await outbox.standing()).waiting, soon).toBe(0);
    expect(ids()).toEqual(["r-1", "r-2", "r-3", "r-1", "r-2", "r-3"]);
    // the broker had nothing to do with it
    expect(warned.mock.calls.map(([text]) => String(text)).join()).toMatch(
      /'seat.released' cannot .*remove what it sent/,
    );
    expect(warned.mock.calls.join()).not.toContain("cannot send");
    warned.mockRestore();
  });

  test("is sent by one instance at a time, and by another when that one closes", async () => {
    const { instance, ledger } = made();
    const brokers = { one: broker(), two: broker() };
    const one = instance("one");
    const outbox = one.outbox({ ...seatReleased, to: brokers.one.to });
    await one.start();
    await publish(ledger, outbox, released("r-1"));
    await expect.poll(brokers.one.ids, soon).toEqual(["r-1"]);
    const two = instance("two");
    const other = two.outbox({ ...seatReleased, to: brokers.two.to });
    await two.start();
    await publish(ledger, other, released("r-2"), released("r-3"));
    await expect.poll(brokers.one.ids, soon).toEqual(["r-1", "r-2", "r-3"]);
    await one.close();
    await publish(ledger, other, released("r-4"));
    await expect.poll(brokers.two.ids, soon).toEqual(["r-4"]);
    expect(brokers.one.ids()).toHaveLength(3);
  });

  test("ends the batch under way when its instance closes, and begins no other", async () => {
    const { instance, ledger } = made();
    const { to, ids, beforeSending, isOpen } = broker();
    let confirm = () => {};
    let isSending = false;
    beforeSending(async () => {
      isSending = true;
      await new Promise<void>((resolve) => {
        confirm = resolve;
      });
    });
    const reprise = instance("one");
    const outbox = reprise.outbox({ ...seatReleased, to });
    await reprise.start();
    await publish(ledger, outbox, released("r-1"));
    await expect.poll(() => isSending, soon).toBe(true);
    const closing = reprise.close();
    await publish(ledger, outbox, released("r-2"));
    confirm();
    await closing;
    expect(ids()).toEqual(["r-1"]);
    expect(isOpen()).toBe(false);
    const left = await ledger.registers.list({ prefix: "outbox/shop/seat.released/message/", after: null, limit: 9 });
    expect(left.map(({ value }) => (JSON.parse(value) as { readonly id: string }).id)).toEqual(["r-2"]);
  });

  test("tells how many messages wait, and since when", async () => {
    const { instance, ledger } = made();
    const reprise = instance("one");
    const outbox = reprise.outbox(seatReleased);
    await reprise.start();
    expect(await outbox.standing()).toEqual({ waiting: 0, oldestAt: null });
    const before = Date.now();
    await publish(ledger, outbox, released("r-1"), released("r-2"), released("r-3"));
    const { waiting, oldestAt } = await outbox.standing();
    expect(waiting).toBe(3);
    expect(oldestAt?.getTime()).toBeGreaterThanOrEqual(before);
  });

  test("is refused without a name, an id or a schema, with a name that is taken, and on a ledger without transactions", async () => {
    const reprise = made().instance("one");
    const code = "REPRISE_BAD_DECLARATION";
    expect(() => reprise.outbox({ ...seatReleased, name: "" })).toThrow(expect.objectContaining({ code }));
    expect(() => reprise.outbox({ ...seatReleased, name: "x".repeat(200) })).toThrow(/longer than 200/);
    expect(() => reprise.outbox({ ...seatReleased, id: undefined as never })).toThrow(/no 'id'/);
    expect(() => reprise.outbox({ ...seatReleased, message: {} as never })).toThrow(/no Standard Schema/);
    expect(() => reprise.outbox({ ...seatReleased, to: {} as never })).toThrow(/no publisher/);
    reprise.outbox({ ...seatReleased, to: broker().to });
    expect(() => reprise.outbox(seatReleased)).toThrow(/declared already/);
    // one that cannot remove what is sent would send it again for ever
    for (const missing of ["appendIn", "removeThrough"]) {
      const ledger = memoryLedger();
      const registers = { ...ledger.registers, [missing]: undefined } as never;
      const without = createReprise({ service: "shop", undecided: "listed", ledger: { ...ledger, registers } });
      without.outbox(seatReleased);
      await expect(without.start()).rejects.toThrow(/no transactions that a message/);
      await without.close();
    }
  });
});
