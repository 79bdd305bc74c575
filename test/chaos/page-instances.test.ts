import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createReprise } from "../../src/index.ts";
import type { Metrics } from "../../src/observe/metrics.ts";
import { readMetrics } from "../../src/observe/read.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { buildProgram } from "../support/program.ts";

const directory = mkdtempSync(join(tmpdir(), "reprise-page-"));
const program = await buildProgram(join(import.meta.dirname, "page-instances-worker.ts"));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
  program.remove();
});

async function start(path: string, instance: string): Promise<ChildProcess> {
  const child = fork(program.path, [path, instance]);
  children.push(child);
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`${instance} ended early with ${String(code)}`);
  });
  await Promise.race([once(child, "message"), ended]);
  return child;
}

test("two processes on one file: killed, one is missed, 1 of 2; closed, it is not", async () => {
  const path = join(directory, "ledger.db");
  const [one, two] = [await start(path, "web-1"), await start(path, "web-2")];

  // whoever serves the page, as a third process would, with a clock that can be set forward
  const ledger = sqliteLedger({ path });
  await ledger.open();
  const seenFrom = (now: number): Promise<Metrics> => {
    const page = createReprise({ service: "shop", undecided: "listed", instance: "page" })["~inside"];
    const clock = { ...page.clock(), now: () => now };
    return readMetrics({ ...page, clock: () => clock, ledger: () => ledger }, { range: "15m" });
  };
  const others = ({ instances }: Metrics) =>
    instances.list.filter(({ name }) => name !== "page").map(({ name, state }) => [name, state]);

  expect(others(await seenFrom(Date.now()))).toEqual([
    ["web-1", "live"],
    ["web-2", "live"],
  ]);

  two.kill("SIGKILL");
  await once(two, "exit");
  const killedAt = Date.now();
  // web-1 goes on writing: its entry of the time at which web-2 has been silent too long
  const { append } = ledger.journal;
  const [latest] = (await ledger.journal.read("fine", 0)).filter(({ instance }) => instance === "web-1");
  const body = { ...JSON.parse(latest?.body ?? "{}"), at: killedAt + 26_000 };
  await append({ resolution: "fine", instance: "web-1", at: body.at, body: JSON.stringify(body) });
  const after = await seenFrom(killedAt + 27_000);
  expect(others(after)).toEqual([
    ["web-1", "live"],
    ["web-2", "lost"],
  ]);
  // of the two, one; and the page's own process
  expect([after.instances.seen - 1, after.instances.expected - 1]).toEqual([1, 2]);

  one.send("close");
  await once(one, "exit");
  const entries = await ledger.journal.read("fine", 0);
  expect(entries.filter(({ instance, body: text }) => instance === "web-1" && JSON.parse(text).ended)).toHaveLength(1);
  await ledger.close();
}, 60_000);
