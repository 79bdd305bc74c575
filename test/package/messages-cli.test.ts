import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { pull } from "../../src/testing/source-kit.ts";
import { cannotRunHere } from "../support/environment.ts";
import { rabbitmqStage, rabbitmqUrl, rabbitmqVersion } from "../support/rabbitmq.ts";
import { runCommand } from "./command.ts";
import { type Installed, install, link } from "./installed.ts";

/** `npx reprise messages` as people have it: from the installed package, on a queue of RabbitMQ. */

const version = await rabbitmqVersion();
const canary = "canary-4111111111111111";
let installed: Installed;
let stage: Awaited<ReturnType<typeof rabbitmqStage>>;

beforeAll(async () => {
  if (version === undefined) return;
  installed = await install();
  stage = await rabbitmqStage();
  link(installed, "libsql");
  link(installed, "amqplib");
  installed.write(
    "messages.mjs",
    `import amqplib from "amqplib"; import { createReprise, unchecked } from "reprise";
     import { sqliteLedger } from "reprise/sqlite"; import { rabbitmq } from "reprise/rabbitmq";
     export const reprise = createReprise({ service: "shop", owner: "box-office", ledger: sqliteLedger({ path: "shop.db" }) });
     const book = reprise.operation({
       name: "seat.book", input: unchecked(), principal: "everyone", identity: ({ id }) => [id],
       ifRunsAgain: "replays", costIfTwice: "money", retention: "90d", effects: "external",
       run: () => { throw new Error("a message was received"); } });
     const connect = () => amqplib.connect(process.env.AWAY ? "amqp://127.0.0.1:1" : ${JSON.stringify(rabbitmqUrl)});
     reprise.consume(book, rabbitmq({ connect, queue: "${stage.queue}", deadLetter: "${stage.queue}.dead" }), { deliveredWithin: "30d" });`,
  );
  installed.write(
    "several.mjs",
    `import { reprise } from "./messages.mjs"; import { unchecked } from "reprise";
     const other = reprise.operation({ name: "hall.close", input: unchecked(), principal: "everyone", identity: ({ id }) => [id],
       ifRunsAgain: "replays", costIfTwice: "trust", retention: "90d", effects: "external", run: () => 1 });
     const source = { name: "halls", delays: false, horizon: async () => null, open: () => new Promise(() => {}) };
     reprise.consume(other, source, { deliveredWithin: "30d" });
     export { reprise };`,
  );
  installed.write(
    "outboxes.mjs",
    `import { createReprise, unchecked } from "reprise"; import { sqliteLedger } from "reprise/sqlite";
     const ledger = sqliteLedger({ path: "outboxes.db" });
     export const reprise = createReprise({ service: "shop", owner: "box-office", ledger });
     const to = { name: "broker seats", open: () => { throw new Error("a message was sent"); } };
     const outbox = reprise.outbox({ name: "seat.released", message: unchecked(), id: ({ id }) => id, to });
     reprise.outbox({ name: "seat.book", message: unchecked(), id: ({ id }) => id });
     export const publish = (id) => ledger.transaction((tx) => outbox.publishIn(tx, { id }));`,
  );
});
afterAll(async () => {
  installed?.remove();
  await stage?.close();
});
beforeEach((context) => {
  if (version === undefined) context.skip(`${cannotRunHere}no RabbitMQ answers`);
});

const messages = (...args: readonly string[]) => runCommand(installed, ["messages", ...args]);

async function setAside(reasons: readonly ("failed" | "invalid" | "mismatch")[]) {
  for (const _ of reasons) await stage.send(JSON.stringify({ id: canary }));
  const receiver = await stage.source.open(reasons.length);
  const deliveries = await pull(receiver, reasons.length);
  for (const [index, reason] of reasons.entries()) {
    await deliveries[index]?.settle({ is: "dead-letter", reason, why: "TypeError ECONNREFUSED" });
  }
  await receiver.close();
}

test("what is set aside is listed without its content, sent again by its reason, and removed by its id", async () => {
  await setAside(["failed", "mismatch", "invalid", "failed"]);
  const listed = await messages("list", "messages.mjs");
  expect(listed).toMatchObject({ code: 0, err: "" });
  expect(listed.out).toMatch(
    /^rabbitmq reprise\.test\.\S+ {2}seat\.book {2}box-office\n {2}waiting 0, set aside 4, parked 0\n/,
  );
  expect(listed.out).toMatch(
    /\n {2}[0-9a-f-]{36} {2}failed {4}set aside \d+ m?s ago, sent \d+ m?s ago, 32 bytes, TypeError/,
  );
  expect(listed.out).not.toContain("canary");

  const told = JSON.parse((await messages("list", "messages.mjs", "--reason", "mismatch", "--json")).out) as {
    readonly consumers: readonly { readonly setAside: number; readonly letters: readonly { readonly id: string }[] }[];
  };
  expect(told.consumers[0]).toMatchObject({ setAside: 4, more: false, letters: [{ reason: "mismatch", bytes: 32 }] });

  const one = await messages("redrive", "messages.mjs", "--reason", "failed", "--most", "1");
  expect([one.code, one.err]).toEqual([0, ""]);
  expect(one.out).toMatch(/: 1 message sent again\.\nThere are others still/);
  const rest = await messages("redrive", "messages.mjs", "--reason", "failed", "--json");
  expect(JSON.parse(rest.out)).toMatchObject({ redriven: 1, gone: 0, more: false });

  const id = told.consumers[0]?.letters[0]?.id ?? "";
  const discarded = await messages("discard", "messages.mjs", "--id", id, "--yes");
  // what happened, once
  expect([discarded.code, discarded.err]).toEqual([0, ""]);
  expect(discarded.out).toMatch(/^rabbitmq \S+: 1 message removed\.\n$/);
  const again = await messages("discard", "messages.mjs", "--id", id, "--yes", "--json");
  expect([again.code, JSON.parse(again.out)]).toMatchObject([1, { discarded: 0, gone: 1 }]);
  const left = JSON.parse((await messages("list", "messages.mjs", "--json")).out);
  // sent again, and received by nobody here
  expect(left.consumers[0]).toMatchObject({ waiting: 2, setAside: 1, letters: [{ reason: "invalid" }] });
});

test("outboxes are listed with what waits in them and for how long, and nothing is sent for that", async () => {
  const publishing = `const { publish, reprise } = await import("./outboxes.mjs");
    await reprise.start(); await publish("A"); await publish("B"); await reprise.close();`;
  await installed.node(["--input-type=module", "-e", publishing]);
  const listed = await messages("list", "outboxes.mjs");
  expect(listed).toMatchObject({ code: 0, err: "" });
  expect(listed.out).toMatch(
    /^outbox seat\.released {2}to broker seats\n {2}waiting 2, the oldest for \d+ m?s\noutbox seat\.book {2}a queue in the ledger\n {2}waiting 0\n$/,
  );
  expect(JSON.parse((await messages("list", "outboxes.mjs", "--json")).out)).toMatchObject({
    consumers: [],
    outboxes: [
      { name: "seat.released", to: "broker seats", waiting: 2, oldestAt: expect.any(Number) },
      { name: "seat.book", to: null, waiting: 0, oldestAt: null },
    ],
  });
});

test("nothing is removed that nobody chose and said yes to, and what cannot be used is told with exit code 2", async () => {
  for (const [args, words] of [
    [["discard", "messages.mjs"], /Say which are to be removed/],
    [["discard", "messages.mjs", "--reason", "invalid"], /^error: Nobody can be asked here, so nothing was changed/],
    [
      ["redrive", "messages.mjs", "--reason", "fialed"],
      /Allowed choices are invalid, mismatch, too-old, failed, refused/,
    ],
    [["redrive", "messages.mjs", "--consumer", "halls"], /declares no consumer 'halls'\. There is: rabbitmq reprise/],
    [["redrive", "several.mjs"], /declares several: rabbitmq reprise.*, halls\. Say which consumer is meant/],
    [["redrive", "nowhere.mjs"], /there is no such file/],
  ] as const) {
    const ended = await messages(...args);
    expect([ended.code, ended.out], args.join(" ")).toEqual([2, ""]);
    expect(ended.err).toMatch(words);
  }
});

test("a broker that does not answer, or a source that shows nothing, is told, and the others all the same", async () => {
  const listed = await messages("list", "several.mjs");
  expect(listed.code).toBe(0);
  expect(listed.out).toMatch(
    /\nhalls {2}hall\.close {2}box-office\n {2}waiting unknown, set aside unknown, parked 0\n {2}Its source does not show/,
  );
  const shown = await messages("redrive", "several.mjs", "--consumer", "halls");
  expect([shown.code, shown.out]).toEqual([1, ""]);
  expect(shown.err).toMatch(/does not show what it has set aside/);
  process.env["AWAY"] = "yes";
  const away = await messages("list", "messages.mjs");
  const redriven = await messages("redrive", "messages.mjs");
  delete process.env["AWAY"];
  expect(away.code).toBe(1);
  expect(away.out).toMatch(/waiting unknown.*\n.*did not answer \(opening dead letters: Error ECONNREFUSED\)/);
  expect([redriven.code, redriven.out]).toEqual([1, ""]);
  expect(redriven.err).toMatch(/did not answer \(opening dead letters: Error ECONNREFUSED\)/);
});
