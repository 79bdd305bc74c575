import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Installed } from "./installed.ts";

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `closed`: nobody reads, from the beginning; a number: what is open under it. */
export type Output = "pipe" | "closed" | number;

/** `npx reprise …` in a project that has installed the package. Killed after 30 s, with `code` null. */
export async function runCommand(
  installed: Installed,
  args: readonly string[],
  input = "",
  {
    output = "pipe",
    errors = "pipe",
  }: { readonly output?: Output | undefined; readonly errors?: Exclude<Output, number> | undefined } = {},
): Promise<Ended> {
  const command = join(installed.folder, "node_modules/reprise/dist/cli.mjs");
  const child = spawn(process.execPath, [command, ...args], {
    ...{ cwd: installed.folder, timeout: 30_000 },
    // where CI is set, colours are on though nobody sees them
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["pipe", typeof output === "number" ? output : "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  if (output === "closed") child.stdout?.destroy();
  if (errors === "closed") child.stderr?.destroy();
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, out, err };
}
