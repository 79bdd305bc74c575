import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/**
 * Runs a crash run of the tests, `npm run crash:load` and its like, and reads what it has counted, also where that does not
 * hold.
 * @param script of `test/chaos`: `"load/run"`
 */
export async function crashRun(script: string, options: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  // from the built file
  const path = fileURLToPath(new URL(`../../test/chaos/${script}.mjs`, import.meta.url));
  const run = spawn(process.execPath, [path, "--json", ...options], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 1_800_000,
  });
  const end = () => run.kill();
  // whoever measures may be gone before it
  process.once("exit", end);
  try {
    const [told, said] = await Promise.all([text(run.stdout), text(run.stderr)]);
    if (told === "") throw new Error(`the crash run told nothing: ${said.slice(-2_000)}`);
    return JSON.parse(told) as Readonly<Record<string, unknown>>;
  } finally {
    process.off("exit", end);
  }
}

/** @throws where it has not counted that */
export function countOf(run: Readonly<Record<string, unknown>>, what: string): number {
  const count = run[what];
  if (typeof count !== "number") throw new Error(`the crash run tells no ${what}`);
  return count;
}
