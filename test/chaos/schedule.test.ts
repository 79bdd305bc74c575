import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** The long run is `npm run -s crash:schedule`; this is the same one, small. */
const path = fileURLToPath(new URL("schedule/run.mjs", import.meta.url));
const run = async (...options: readonly string[]): Promise<Record<string, unknown>> => {
  const { stdout } = await promisify(execFile)(process.execPath, [path, "--json", ...options]);
  return JSON.parse(stdout) as Record<string, unknown>;
};

test("killed at each of six points and overlapping itself, a scheduled worker bills once and writes the same bytes", async () => {
  const result = await run("--kills", "18");
  expect(result).toMatchObject({
    holds: true,
    kills: 18,
    billedTwice: 0,
    differentBlobs: 0,
    unfinished: 0,
    unknown: 0,
  });
}, 180_000);

test("the loop without it bills twice and writes other bytes, under the same kills", async () => {
  const { billedTwice, differentBlobs } = await run("--kills", "12", "--naive");
  expect(Number(billedTwice) + Number(differentBlobs)).toBeGreaterThan(0);
}, 180_000);

test("with a gateway that honours no key, what was sent and not answered is unknown, and never billed again", async () => {
  const result = await run("--kills", "9", "--keyless");
  expect(result).toMatchObject({ holds: true, billedTwice: 0, differentBlobs: 0 });
  expect(result["unknown"]).toBeGreaterThan(0);
}, 180_000);
