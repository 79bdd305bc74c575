import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Installed } from "./installed.ts";

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `npx reprise …` in a project that has installed the package. Killed after 30 s, with `code` null. */
export async function runCommand(installed: Installed, args: readonly string[], input = ""): Promise<Ended> {
  const command = join(installed.folder, "node_modules/reprise/dist/cli.mjs");
  const child = spawn(process.execPath, [command, ...args], { cwd: installed.folder, timeout: 30_000 });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, out, err };
}
