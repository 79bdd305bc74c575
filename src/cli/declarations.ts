import { type ChildProcess, fork } from "node:child_process";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { defaults } from "../base/defaults.ts";
import type { DeclaredService, Imported, LedgerReport, Task } from "./importing.ts";

/** Milliseconds: for the import, and for what is asked of the imported instances. */
export interface Deadlines {
  readonly importMs: number;
  readonly workMs: number;
}

/** What the instances that a module exports declare, or a sentence that says why nothing is told. */
export async function readDeclarations(
  module: string,
  deadlineMs: number,
): Promise<readonly DeclaredService[] | string> {
  const read = await readModule(module, { does: "declare" }, { importMs: deadlineMs, workMs: deadlineMs });
  return typeof read === "string" ? read : checked(read as readonly DeclaredService[], `'${module}'`);
}

/** What is told of the ledgers of those instances, each once; likewise. */
export async function askLedgers(
  module: string,
  task: Exclude<Task, { readonly does: "declare" }>,
  deadlines: Deadlines,
): Promise<readonly LedgerReport[] | string> {
  const read = await readModule(module, task, deadlines);
  if (typeof read === "string") return read;
  const reports = read as readonly LedgerReport[];
  if (reports.length > 0) return reports;
  return `'${module}' exports no instance of createReprise with a ledger. Export one: export const reprise = createReprise({ ledger, … }).`;
}

/**
 * The module is imported in a process of its own, which is ended then: one that throws, never ends or listens holds nobody
 * up.
 */
async function readModule(module: string, task: Task, deadlines: Deadlines): Promise<readonly unknown[] | string> {
  const path = resolve(module);
  const name = `'${module}'`;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    return `${name}: there is no such file. Give the built module that exports what createReprise returned.`;
  }
  if (stats.isDirectory())
    return `${name} is a folder. Give the module in it that exports what createReprise returned.`;

  const answer = await importApart(path, task, deadlines);
  switch (answer.is) {
    case "late":
      return answer.imported
        ? `${name}: its ledger has not answered in ${deadlines.workMs / 1_000} s. See whether its store is there, and whether somebody holds a lock on its tables.`
        : `${name} was not imported in ${deadlines.importMs / 1_000} s: it waits for something. Export the instance from a module that only declares, or give it longer with --deadline.`;
    case "ended":
      return `${name} ended its process (${answer.how}) before it was imported: it calls process.exit, or awaits what never comes. Export the instance from a module that only declares.`;
    case "failed":
      return answer.code === "ERR_UNKNOWN_FILE_EXTENSION"
        ? `${name}: Node ${process.versions.node} cannot run such a file. Give the built module; TypeScript itself runs on Node 22.18 and later.`
        : `${name} could not be imported:\n${answer.why}`;
    case "refused":
      return answer.why;
    case "told":
      return answer.told;
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

type Answer =
  | Exclude<Imported, { readonly is: "imported" }>
  | { readonly is: "late"; readonly imported: boolean }
  | { readonly is: "ended"; readonly how: string };

async function importApart(path: string, task: Task, { importMs, workMs }: Deadlines): Promise<Answer> {
  const script = fileURLToPath(new URL("./cli-importing.mjs", import.meta.url));
  // what the module prints is no part of the document
  const child = fork(script, [pathToFileURL(path).href, JSON.stringify(task)], { stdio: ["ignore", 2, 2, "ipc"] });
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Answer>((answer, reject) => {
      const within = (ms: number, imported: boolean) => {
        clearTimeout(timer);
        timer = setTimeout(() => answer({ is: "late", imported }), ms);
      };
      within(importMs, false);
      child.on("message", (message) => {
        const told = message as Imported;
        if (told.is === "imported") within(workMs, true);
        else answer(told);
      });
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
