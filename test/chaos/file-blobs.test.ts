import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { fileBlobs } from "../../src/stores/files/index.ts";
import { buildProgram } from "../support/program.ts";

const writers = 4;
const rounds = 24;

const directory = mkdtempSync(join(tmpdir(), "reprise-file-blobs-"));
const program = await buildProgram(join(import.meta.dirname, "file-blobs-writer.ts"));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  program.remove();
});

test("four processes that replace one file, killed and paused anywhere, lose nothing that was acknowledged", async () => {
  const blobs = fileBlobs({ directory });
  await blobs.putIfAbsent("list", new Uint8Array(0));
  const told: string[] = [];
  const dead: ChildProcess[] = [];
  let started = 0;
  const start = () => {
    const child = fork(program.path, [directory, String(started++)], { stdio: "ignore" });
    child.on("message", (line) => told.push(String(line)));
    return child;
  };
  const kill = async (child: ChildProcess) => {
    const gone = once(child, "close");
    child.kill("SIGKILL");
    await gone;
    dead.push(child);
  };
  const running = Array.from({ length: writers }, start);
  for (let round = 0; round < rounds; round++) {
    // each round goes on from where all were at work: what is awaited is their progress, not time
    const before = told.length;
    while (told.length < before + 8) await wait(5);
    await wait(Math.random() * 20);
    const victim = round % writers;
    const child = running[victim];
    if (child === undefined) throw new Error("no writer");
    if (round % 6 === 5) {
      // past what the others wait for its slot, if it has one
      child.kill("SIGSTOP");
      await wait(1_300);
      child.kill("SIGCONT");
    } else {
      await kill(child);
      running[victim] = start();
    }
  }
  for (const child of running) await kill(child);

  const content = new TextDecoder().decode((await blobs.read("list"))?.bytes);
  const lines = content.split("\n").slice(0, -1);
  expect(content.endsWith("\n")).toBe(true);
  expect(new Set(lines).size).toBe(lines.length);
  expect(told.filter((line) => !lines.includes(line))).toEqual([]);
  // a kill between the write and its message: at most one for each that was killed
  expect(lines.length - told.length).toBeLessThanOrEqual(dead.length);
  for (const writer of new Set(lines.map((line) => line.split("-")[0]))) {
    const numbers = lines.filter((line) => line.startsWith(`${writer}-`)).map((line) => Number(line.split("-")[1]));
    expect(numbers).toEqual(numbers.map((_, index) => index));
  }
}, 120_000);
