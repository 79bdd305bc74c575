import { type ChildProcess, fork } from "node:child_process";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { defaults } from "../base/defaults.ts";
import type { LoadProgress } from "../load/surface.ts";
import type { Answered, Asked, AskedToStop, DeclaredService, Imported, Told } from "./importing.ts";

/** A module that was imported in a process of its own. */
export interface Apart {
  readonly services: readonly DeclaredService[];
  /**
   * Asks an instance of it, or all. Bounded by the same deadline as the import unless another is given; what is late may
   * have happened all the same. `Infinity`: it takes as long as it takes.
   */
  readonly ask: (
    asked: Asked,
    deadlineMs?: number,
    progress?: (progress: LoadProgress) => void,
  ) => Promise<Answered | Lost>;
  /** Asks that what is under way ends soon; that is answered, not this. */
  readonly stop: (asked: AskedToStop) => void;
}

export type Lost = { readonly is: "late" } | { readonly is: "ended"; readonly how: string };

export interface ApartOptions {
  /** Whether what stops this process is told to the module's by this one, and does not end it in the middle of its work. */
  readonly outlivesSignals?: boolean;
}

/**
 * `work` with what a module exports, or a sentence that says why nothing is told. The module is imported in a process of
 * its own, which is ended then: one that throws, never ends or listens holds nobody up.
 */
export async function withModule<T>(
  module: string,
  deadlineMs: number,
  work: (apart: Apart) => Promise<T>,
  { outlivesSignals = false }: ApartOptions = {},
): Promise<T | string> {
  const path = resolve(module);
  const name = `'${module}'`;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    return `${name}: there is no such file. Give the built module that exports what createReprise returned.`;
  }
  if (stats.isDirectory())
    return `${name} is a folder. Give the module in it that exports what createReprise returned.`;

  const script = fileURLToPath(new URL("./cli-importing.mjs", import.meta.url));
  // what the module prints is no part of the document
  const child = fork(script, [pathToFileURL(path).href], {
    stdio: ["ignore", 2, 2, "ipc"],
    // a terminal, and many an orchestrator, signals the whole group
    detached: outlivesSignals && process.platform !== "win32",
  });
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  try {
    const imported = await hear<Imported>(child, deadlineMs);
    const services = servicesOf(imported, name, deadlineMs);
    if (typeof services === "string") return services;
    // one that cannot be reached has ended, and that is heard
    const send = (asked: Asked | AskedToStop) => child.send(asked, () => {});
    const ask: Apart["ask"] = (asked, answerMs = deadlineMs, progress) => {
      const heard = hear<Answered>(child, answerMs, progress);
      send(asked);
      return heard;
    };
    return await work({ services, ask, stop: send });
  } finally {
    await end(child, ended);
  }
}

function servicesOf(imported: Imported | Lost, name: string, deadlineMs: number): readonly DeclaredService[] | string {
  switch (imported.is) {
    case "late":
      return `${name} was not imported in ${deadlineMs / 1_000} s: it waits for something. Export the instance from a module that only declares, or give it longer with --deadline.`;
    case "ended":
      return `${name} ended its process (${imported.how}) before it was imported: it calls process.exit, or awaits what never comes. Export the instance from a module that only declares.`;
    case "failed":
      return imported.code === "ERR_UNKNOWN_FILE_EXTENSION"
        ? `${name}: Node ${process.versions.node} cannot run such a file. Give the built module; TypeScript itself runs on Node 22.18 and later.`
        : `${name} could not be imported:\n${imported.why}`;
    case "imported":
      return checked(imported.services, name);
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

/** The next thing that the process says, or that it says nothing. */
async function hear<M>(
  child: ChildProcess,
  deadlineMs: number,
  progress?: (progress: LoadProgress) => void,
): Promise<M | Lost> {
  const over = new AbortController();
  const { signal } = over;
  try {
    return await new Promise<M | Lost>((answer, reject) => {
      const timer = deadlineMs === Infinity ? undefined : setTimeout(() => answer({ is: "late" }), deadlineMs);
      const message = (said: Told | M) => {
        if (typeof said === "object" && said !== null && "is" in said && said.is === "progress") {
          progress?.(said.progress);
        } else answer(said as M);
      };
      const exit = (code: number | null, by: NodeJS.Signals | null) =>
        answer({ is: "ended", how: by ?? `exit code ${code}` });
      if (child.exitCode !== null || child.signalCode !== null) exit(child.exitCode, child.signalCode);
      child.on("message", message);
      child.once("error", reject);
      child.once("exit", exit);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        child.off("message", message).off("error", reject).off("exit", exit);
      });
    });
  } finally {
    over.abort();
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
