import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** The long run is `npm run -s crash`; this is the same one, small. */
const run = fileURLToPath(new URL("crash/run.mjs", import.meta.url));
const crash = async (...options: readonly string[]) => {
  const { stdout } = await promisify(execFile)(process.execPath, [run, "--json", ...options]);
  return JSON.parse(stdout) as Readonly<Record<string, number | boolean>>;
};

test("processes that race through the same identities on one file execute each exactly once", async () => {
  const result = await crash("--processes", "4", "--identities", "40", "--kills", "0");
  expect(result).toMatchObject({ holds: true, executions: 80, orders: 40, notes: 40, charges: 40, requests: 40 });
}, 120_000);

test("killed at random points and started again, they do nothing twice and lose nothing that was acknowledged", async () => {
  const result = await crash("--processes", "3", "--identities", "40", "--kills", "8");
  expect(result).toMatchObject({ holds: true, kills: 8, chargedTwice: 0, ordersTwice: 0, notesTwice: 0, lost: 0 });
}, 120_000);
