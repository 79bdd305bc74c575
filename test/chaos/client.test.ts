import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { webHandler } from "../../src/transports/http/web.ts";
import { buildProgram } from "../support/program.ts";
import { serveWeb } from "../support/web-server.ts";

/** Callers that are killed, and callers that race: real processes on one folder of keys. */

const program = await buildProgram(join(import.meta.dirname, "client-caller.ts"));
let directory: string;
const closing: (() => unknown)[] = [];

afterAll(program.remove);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "reprise-client-"));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true, force: true });
});

async function message(child: ChildProcess): Promise<unknown> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`a caller ended early with ${String(code)}`);
  });
  ended.catch(() => undefined);
  const [content] = await Promise.race([once(child, "message"), ended]);
  return content;
}

async function caller(...args: readonly string[]) {
  const child = fork(program.path, args);
  closing.push(() => child.kill("SIGKILL"));
  await message(child);
  return {
    begin: () => {
      child.send("go");
      return message(child);
    },
    kill: async () => {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A server that stops once, before or after the work, until the test lets it go on. */
async function serveOnce(stopsAt: "before the work" | "after the work") {
  const reprise = createReprise({
    service: "booking",
    undecided: "listed",
    ledger: sqliteLedger({ path: join(directory, "ledger.db") }),
  });
  closing.push(() => reprise.close());
  let charges = 0;
  const bookSeat = reprise.operation({
    name: "seat.book",
    input: unchecked<{ readonly user: string; readonly reference: string }>(),
    principal: (input) => input.user,
    identity: "callers-key",
    retention: "1d",
    effects: "external",
    run: async ({ effect }) => {
      const charge = await effect("charge", {
        ifUnknown: "retry",
        run: async () => {
          charges += 1;
          return charges;
        },
      });
      return { charge };
    },
  });
  const handle = webHandler(bookSeat, {
    input: (request) => request.json() as Promise<{ user: string; reference: string }>,
    principal: () => "alice",
    key: { syntax: "strict" },
  });
  let stopped = () => {};
  const reached = new Promise<void>((resolve) => {
    stopped = resolve;
  });
  let goOn = () => {};
  const going = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let worked = () => {};
  const done = new Promise<void>((resolve) => {
    worked = resolve;
  });
  const keys: (string | null)[] = [];
  const stop = async (place: typeof stopsAt) => {
    if (place !== stopsAt || keys.length > 1) return;
    stopped();
    await going;
  };
  const server = await serveWeb(async (request) => {
    keys.push(request.headers.get("idempotency-key"));
    await stop("before the work");
    const response = await handle(request);
    worked();
    await stop("after the work");
    return response;
  });
  closing.push(server.close);
  return { address: server.address, keys, charges: () => charges, reached, goOn, done };
}

describe("a caller that is killed between sending and its answer", () => {
  test.each(["before the work", "after the work"] as const)(
    "%s sends the same key when it is started again, and the work is done once",
    async (place) => {
      const server = await serveOnce(place);
      const folder = join(directory, "keys");
      const first = await caller("order", folder, server.address);
      first.begin().catch(() => undefined);
      await server.reached;
      await first.kill();
      server.goOn();
      await server.done;

      const second = await caller("order", folder, server.address);
      expect(await second.begin()).toEqual([200, "true", '{"charge":1}']);
      expect(server.charges()).toBe(1);
      const [sent, ...again] = server.keys;
      expect(sent).toMatch(/^"[0-9a-f-]{36}"$/);
      expect(new Set(again)).toEqual(new Set([sent]));
      // answered: the next call would be new work
      expect(readdirSync(folder)).toEqual(["new"]);
    },
  );
});

test("four processes that put keys for the same intents at once are told the same one for each", async () => {
  const intents = 100;
  const folder = join(directory, "keys");
  const callers = await Promise.all(["a", "b", "c", "d"].map((name) => caller("race", folder, String(intents), name)));
  const told = (await Promise.all(callers.map(({ begin }) => begin()))) as string[][];
  for (const other of told.slice(1)) expect(other).toEqual(told[0]);
  expect(told[0]).toHaveLength(intents);
  expect(readdirSync(folder)).toHaveLength(intents + 1);
});
