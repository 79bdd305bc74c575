import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** The long run is `npm run -s crash:write-behind`; this is the same one, small. */
const run = fileURLToPath(new URL("write-behind/run.mjs", import.meta.url));

test("killed at every point and started again, processes that write behind lose nothing they acknowledged", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[run, "--json", "--processes", "2", "--keys", "60", "--writes", "600", "--kills", "4"],
  ]);
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ holds: true, kills: 4, lost: 0, outOfOrder: 0, effectTwice: 0, wrongReads: 0, dead: 0 },
  });
}, 120_000);
