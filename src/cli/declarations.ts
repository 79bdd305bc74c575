import { type ChildProcess, fork } from "node:child_process";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { defaults } from "../base/defaults.ts";
import type { DeclaredService, Imported } from "./importing.ts";

/**
 * What the instances that a module exports declare, or a sentence that says why nothing is told. The module is imported in
 * a process of its own, which is ended then: one that throws, never ends or listens holds nobody up.
 */
export async function readDeclarations(
  module: string,
  deadlineMs: number,
): Promise<readonly DeclaredService[] | string> {
  const path = resolve(module);
  const name = `'${module}'`;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    return `${name}: there is no such file. Give the built module that exports what createReprise returned.`;
  }
  if (stats.isDirectory())
    return `${name} is a folder. Give the module in it that exports what createReprise returned.`;

  const answer = await importApart(path, deadlineMs);
  switch (answer.is) {
    case "late":
      return `${name} was not imported in ${deadlineMs / 1_000} s: it waits for something. Export the instance from a module that only declares, or give it longer with --deadline.`;
    case "ended":
      return `${name} ended its process (${answer.how}) before it was imported: it calls process.exit, or awaits what never comes. Export the instance from a module that only declares.`;
    case "failed":
      return answer.code === "ERR_UNKNOWN_FILE_EXTENSION"
        ? `${name}: Node ${process.versions.node} cannot run such a file. Give the built module; TypeScript itself runs on Node 22.18 and later.`
        : `${name} could not be imported:\n${answer.why}`;
    case "imported":
      return checked(answer.services, name);
  }
}

function checked(services: readonly DeclaredService[], name: string): readonly DeclaredService[] | string {
  if (services.length === 0) {
    return `${name} exports no instance of createReprise. Export it: export const reprise = createReprise({ … }).`;
  }
  const other = services.find(({ decisions }) =>
    decisions.some(({ contract }) => contract !== undefined && contract.key === undefined),
  );
  return other === undefined
    ? services
    : `${name}: the instance of '${other.service}' was made by another version of reprise. Run the one that the module uses: npx reprise, where it is installed.`;
}

type Answer = Imported | { readonly is: "late" } | { readonly is: "ended"; readonly how: string };

async function importApart(path: string, deadlineMs: number): Promise<Answer> {
  const script = fileURLToPath(new URL("./cli-importing.mjs", import.meta.url));
  // what the module prints is no part of the document
  const child = fork(script, [pathToFileURL(path).href], { stdio: ["ignore", 2, 2, "ipc"] });
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Answer>((answer, reject) => {
      timer = setTimeout(() => answer({ is: "late" }), deadlineMs);
      child.once("message", (message) => answer(message as Imported));
      child.once("error", reject);
      child.once("exit", (code, signal) => answer({ is: "ended", how: signal ?? `exit code ${code}` }));
    });
  } finally {
    clearTimeout(timer);
    await end(child, ended);
  }
}

/** Asked first, so that a module that has started processes of its own can end them. */
async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), defaults.cli.endMs);
  await ended;
  clearTimeout(kill);
}
